"""Keep one engine: start it, end it when whoever asked for it is gone, and leave nothing behind.

Run as a script by engine.py, with the order as one line of JSON on standard input; the standard
library alone. The pipe stays open: a further byte, or its end, says stop. This process stands
between the two because PR_SET_PDEATHSIG fires when the *thread* that forked ends, and a program
may well start its engine from a short-lived one; a single-threaded keeper has no such thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

LOOK_SECONDS = 1.0  # between looks at the parent's pid, in case a fork of it holds the pipe open
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, for whom, and what to tidy up afterwards."""

    parent: int
    command: list[str]
    lock: int  # descriptor of the lock; keeper and engine hold it, so it is free when both are gone
    stop_seconds: float
    address: dict[str, str | int]  # the engine's pid is added
    address_file: str  # must be written: by it the engine is found
    register_file: str  # may fail: then workers have to be told


def keep(order: Order) -> int:
    """Run the engine until it ends or must end; return 0 if it was told to."""
    if os.getppid() != order.parent:
        return 0
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # who asked may block SIGTERM: not for us
    wake = _wake_on(signal.SIGTERM, signal.SIGCHLD)
    engine = subprocess.Popen(
        order.command,
        stdin=subprocess.DEVNULL,
        pass_fds=[order.lock],
        preexec_fn=_die_with_keeper(),
    )
    try:
        _announce(order, engine.pid)
        told = _watch(engine, order.parent, wake)
    finally:
        _withdraw(order)  # before the engine ends, or a newcomer would find one that is going
        _end(engine, order.stop_seconds)
    _remove(str(order.address["socket"]))
    sys.stderr.write(f"runtail: the engine ended with code {engine.returncode}\n")
    return 0 if told else 1


def _watch(engine: subprocess.Popen[bytes], parent: int, wake: int) -> bool:
    """Return True when told to stop or when the parent is gone, False when the engine ended."""
    while engine.poll() is None:
        ready, _, _ = select.select([0, wake], [], [], LOOK_SECONDS)
        if 0 in ready or os.getppid() != parent:
            return True
        if wake in ready and signal.SIGTERM in os.read(wake, 64):
            return True
    return False


def _wake_on(*signals: signal.Signals) -> int:
    """Return a descriptor from which the numbers of these signals can be read as they arrive."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in signals:
        signal.signal(number, lambda *_: None)
    return reader


def _die_with_keeper() -> Callable[[], None] | None:
    """What the engine's process does before it becomes the engine; Linux only.

    Elsewhere a keeper that is itself killed with SIGKILL leaves its engine running: still locked,
    still announced, and so found by the next start.
    """
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    prctl, keeper = ctypes.CDLL(None).prctl, os.getpid()

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != keeper:  # it went before the call, which then never fires
            os._exit(1)

    return bind


def _announce(order: Order, pid: int) -> None:
    told = json.dumps({**order.address, "pid": pid})
    _write(order.address_file, told)
    try:
        _write(order.register_file, told)
    except OSError as error:
        sys.stderr.write(f"runtail: the engine is not in the register: {error}\n")


def _withdraw(order: Order) -> None:
    _remove(order.address_file)
    _remove(order.register_file)


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(f"{path}.new", "w", encoding="ascii") as file:
        file.write(text)
    os.replace(f"{path}.new", path)  # a reader sees all of it or nothing


def _end(engine: subprocess.Popen[bytes], seconds: float) -> None:
    engine.terminate()
    try:
        engine.wait(seconds)
    except subprocess.TimeoutExpired:
        engine.kill()
        engine.wait()


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def main() -> int:
    """Read the order and keep the engine; the exit code says whether it ended as told."""
    with open(0, "rb", buffering=0, closefd=False) as orders:  # unbuffered: a stop may follow
        line = orders.readline()
    if not line.endswith(b"\n"):
        return 0  # whoever asked is gone already
    try:
        return keep(Order(**json.loads(line)))
    except OSError as error:
        sys.stderr.write(f"runtail: the engine cannot be run: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
