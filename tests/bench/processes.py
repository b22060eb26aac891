"""Start what is measured in processes of its own, and read what they used."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import psutil

ROOT = Path(__file__).parents[2]


class Usage:
    """What a process uses, this machine's own or another's child."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._seen = psutil.Process(pid)

    def cpu_seconds(self) -> float:
        """User and system time that the process has used so far, all threads that still run."""
        try:
            tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
            return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
        except OSError:  # not everywhere; there in steps of 10 ms
            times = self._seen.cpu_times()
            return times.user + times.system

    def resident_mb(self) -> float:
        """The resident memory that the process has now, in MB."""
        return float(self._seen.memory_info().rss) / 1e6

    def peak_mb(self) -> float:
        """The most resident memory that the process has had, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1000 if found else self._seen.memory_info().rss / 1e6


class Machine:
    """What others on this machine use, since it was made: not this process, nor its children."""

    def __init__(self, *ours: Usage) -> None:
        self._ours = ours
        self._began, self._busy, self._used = time.monotonic(), _busy_seconds(), self._own()

    def others(self) -> float:
        """CPU that others used, in % of a core; children count once they have ended.

        Time that the machine itself did not get from its host is included.
        """
        used = _busy_seconds() - self._busy - (self._own() - self._used)
        return max(0.0, used) * 100 / (time.monotonic() - self._began)

    def _own(self) -> float:
        each = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        children = sum(usage.ru_utime + usage.ru_stime for usage in each)
        return children + sum(usage.cpu_seconds() for usage in self._ours)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return float(sum(times)) - idle - getattr(times, "guest", 0) - getattr(times, "guest_nice", 0)


class Child(Usage):
    """A process that prints lines; ended by `running`."""

    def __init__(self, process: subprocess.Popen[str], words: IO[str], answers: IO[str]) -> None:
        super().__init__(process.pid)
        self.process, self._words, self._answers = process, words, answers

    def line(self) -> str:
        """Read the next line; raises RuntimeError if the process has ended instead."""
        line = self._answers.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended, expected another line of it")
        return line

    def say(self, line: str) -> None:
        """Write it a line."""
        self._words.write(line + "\n")
        self._words.flush()

    def ports(self) -> list[int]:
        """Read the ports out of the next line."""
        return [int(port) for port in re.findall(r":(\d+)", self.line())]

    def answer(self) -> Any:
        """Read the next line as JSON."""
        return json.loads(self.line())

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def command(*words: str, env: Mapping[str, str] | None = None) -> Iterator[Child]:
    """Run a program until the block ends."""
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Child(process, process.stdin, process.stdout)
    finally:
        process.kill()  # a naive server would wait for its viewers, and nothing is kept in any
        process.wait()
        process.stdin.close()
        process.stdout.close()


def packages(*names: str) -> str:
    """Say which versions of Python packages are installed."""
    return ", ".join(f"{name} {version(name)}" for name in names)


def said_by(*words: str) -> str:
    """Run a program that says its version, and return what it said."""
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=10).stdout


def program(name: str) -> str | None:
    """Find a program: beside this Python, or on PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def listens(port: int) -> bool:
    """Say whether somebody listens on *port* of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(module: str, *arguments: str) -> Iterator[Child]:
    """Run `python -m module` until the block ends."""
    with command(sys.executable, "-m", module, *arguments) as child:
        yield child


@contextmanager
def gateway(url: str, *options: str) -> Iterator[tuple[Child, int]]:
    """Run the real gateway as users do; gives its process and port."""
    with running("runtail", "gateway", "--redis-url", url, "--port", "0", *options) as child:
        yield child, child.ports()[0]
