"""Programs that own an engine, to be killed; what engines answer, and what remains of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis

from runtail_broker.engines.engine import Engine
from runtail_broker.engines.engine_address import take_lock

PREAMBLE = """\
import json, os, signal, sys, threading
from pathlib import Path
from runtail_broker.engines.engine import find_engine, start_engine

def tell(**facts):
    print(json.dumps(facts), flush=True)
"""

OWNER = """\
engine = start_engine(Path(sys.argv[1]))
tell(url=engine.url, pid=engine.pid, owned=engine.owned)
sys.stdin.read()
engine.close()
"""


class Program:
    """A Python program in a process and session of its own, which tells facts line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def told(self) -> dict[str, object]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the program ended with code {self.process.wait()}"
        facts: dict[str, object] = json.loads(line)
        return facts

    def told_pid(self) -> int:
        pid = self.told()["pid"]
        assert isinstance(pid, int)
        return pid

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


@contextmanager
def program(text: str, *arguments: object) -> Iterator[Program]:
    """Run *text* after the preamble; it is killed in the end unless it is gone by itself."""
    command = [sys.executable, "-c", PREAMBLE + text, *map(str, arguments)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield Program(process)
        finally:
            process.kill()


def eventually(check: Callable[[], object], seconds: float = 8.0) -> bool:
    """Say whether *check* comes true within *seconds*."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def is_free(data: Path) -> bool:
    """Say whether no process holds the lock of *data*."""
    lock = take_lock(data)
    if lock is None:
        return False
    os.close(lock)
    return True


def traces(data: Path) -> set[str]:
    """What an engine that ended should not have left in its data folder."""
    return {path.name for path in data.iterdir()} - {"engine.lock", "engine.log", "appendonlydir"}


def ask(url: str | None, *command: str) -> Any:
    assert url is not None
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return client.execute_command(*command)


def socket_of(engine: Engine) -> Path:
    return Path(engine.url.removeprefix("unix://"))
