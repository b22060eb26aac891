"""Workers that log before, amid and after a fault; nothing of it may be noticed in their code."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.producers.stored import Stored

from runtail import Execution, Publisher, PublisherSettings

FAST = PublisherSettings(
    beat_seconds=0.2, retry_max_seconds=0.1, engine_timeout_seconds=0.5, warning_seconds=0.001
)
CALLS = 100
MOST_SECONDS_A_CALL = 1.0  # a call takes microseconds; the machine may be busy
AT_ONCE_SECONDS = 3.0  # likewise: an end without anything to wait for
BEFORE, AMID, AFTER = ([f"{when} {n}" for n in range(CALLS)] for when in "bma")


@contextmanager
def reading(url: str) -> Iterator[Stored]:
    """Read what the engine at *url* holds."""
    reader = Stored(url)
    try:
        yield reader
    finally:
        reader.close()


def log(run: Execution, lines: list[str]) -> None:
    """Log *lines*; no call may raise or wait."""
    slowest = 0.0
    for line in lines:
        began = time.monotonic()
        run.info(line)
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < MOST_SECONDS_A_CALL


@contextmanager
def worker(url: str, settings: PublisherSettings = FAST) -> Iterator[Execution]:
    """Log before what the test does and after it, and end at once; all of it must be stored."""
    with Publisher(url, settings=settings) as publisher:
        with publisher.execution("exec-1") as run:
            log(run, BEFORE)
            assert publisher.flush()
            yield run
            log(run, AFTER)
        assert publisher.flush(20)
        counters = publisher.counters
        assert counters.accepted == counters.stored == 3 * CALLS
        began = time.monotonic()
    assert time.monotonic() - began < AT_ONCE_SECONDS


def assert_whole(reader: Stored, *, new_primary: bool = False) -> None:
    """Check that everything is there, once, in order, and ended."""
    execution_id = "exec-1"
    assert reader.messages(execution_id) == [*BEFORE, *AMID, *AFTER]
    assert reader.state(execution_id)["status"] == "completed"
    last = reader.kinds(execution_id)[-1]
    # after a change of primary no worker may judge the end: a gateway writes it
    assert last == ("status" if new_primary else "end")
    assert "lost" not in reader.kinds(execution_id)


_PROGRAM = f"""
import os, signal, sys, threading, time
CLOCK
from runtail import Publisher, PublisherSettings
settings = PublisherSettings(beat_seconds=0.1, retry_max_seconds=0.1, MORE)
publisher = Publisher(sys.argv[1], settings=settings, handle_sigterm=HANDLE_SIGTERM)
def log(when):
    for n in range({CALLS}):
        run.info(f"{{when}} {{n}}")
with publisher.execution("exec-1") as run:
    log("b")
    FLUSH
    began = time.monotonic()
    HOW
"""


def program(
    how: str,
    *,
    clock: str = "",
    more: str = "",
    handle_sigterm: bool = False,
    flush: str = "assert publisher.flush(20)",
) -> str:
    """Write a worker of a process of its own, which flushes a hundred lines and then does *how*."""
    code = _PROGRAM.replace("CLOCK", clock).replace("MORE", more).replace("FLUSH", flush)
    indented = how.strip().replace("\n", "\n    ")
    return code.replace("HANDLE_SIGTERM", str(handle_sigterm)).replace("HOW", indented)


def start(code: str, url: str) -> subprocess.Popen[str]:
    """Start *code*, which can be talked to by lines."""
    return subprocess.Popen(
        [sys.executable, "-c", code, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], seconds: float = 30.0) -> tuple[int, str]:
    """Wait for the end of *process*; return its exit code and what it said on stderr."""
    try:
        _, errors = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return process.returncode, errors
