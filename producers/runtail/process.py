"""What a process does to the publishers in it: it forks, it gets SIGTERM, it ends.

Knows publishers only as something that can begin anew, be interrupted and be closed.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Final, Protocol

_POOLS: Final = ("multiprocessing", "billiard")  # their children leave without atexit
_LOGGER: Final = logging.getLogger("runtail")


class Living(Protocol):
    """What lives in a process, and must hear how that fares."""

    def begin_anew(self) -> None:
        """Be another one, in a forked child."""

    def interrupt(self, signal_name: str) -> None:
        """Bring everything to a safe place; what follows may be the end."""

    def close_at_exit(self) -> None:
        """Do the same at the process's exit."""


_LIVING: Final[weakref.WeakSet[Living]] = weakref.WeakSet()


def may_wait() -> bool:
    """Whether this thread may be blocked: no event loop runs in it."""
    return asyncio._get_running_loop() is None


def follow_forks(living: Living) -> None:
    """Call `begin_anew` in every child that this process forks."""
    _LIVING.add(living)


def _in_child() -> None:
    for living in list(_LIVING):
        living.begin_anew()


os.register_at_fork(after_in_child=_in_child)


def follow_exit(living: Living) -> Callable[[], None]:
    """Call `close_at_exit` when this process ends in order; return what undoes this."""
    reference = weakref.ref(living)  # else everything would live until the exit

    def close() -> None:
        remaining = reference()
        if remaining is not None:
            remaining.close_at_exit()

    atexit.register(close)
    for pool in _POOLS:
        _follow_pool(pool, living, close)
    forget_celery = _follow_celery(close)

    def forget() -> None:
        atexit.unregister(close)
        forget_celery()

    return forget


def _follow_pool(pool: str, living: Living, close: Callable[[], None]) -> None:
    """Close at the end of a worker process of *pool*, if this is one."""
    process, util = sys.modules.get(f"{pool}.process"), sys.modules.get(f"{pool}.util")
    if (
        process is None
        or util is None
        or type(process.current_process()).__name__ == "_MainProcess"
    ):
        return
    util.Finalize(living, close, exitpriority=100)


def _follow_celery(close: Callable[[], None]) -> Callable[[], None]:
    """Close at the end of a prefork worker of Celery: it leaves by `os._exit`, past all else."""
    signals = sys.modules.get("celery.signals")
    if signals is None:
        return lambda: None

    def at_shutdown(**_: object) -> None:
        close()

    signals.worker_process_shutdown.connect(at_shutdown, weak=False)
    return lambda: signals.worker_process_shutdown.disconnect(at_shutdown)


class _Sigterm:
    """The handler of one publisher, in front of the one that was there before.

    The handler itself may not wait: the thread that it interrupts may hold any lock. A thread of
    its own does what is to be done, then sends the signal again, for the handler before.
    """

    def __init__(self, living: Living) -> None:
        self._living = weakref.ref(living)
        self._before = signal.getsignal(signal.SIGTERM)
        self._process = 0  # the one in which the thread was started
        self._done = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        living = self._living()
        if self._process != os.getpid():
            self._process, self._done = os.getpid(), living is None
            if living is not None:
                threading.Thread(target=self._save, args=(living,), daemon=True).start()
        if self._done:
            self._go_on(number, frame)

    def _save(self, living: Living) -> None:
        try:
            living.interrupt("SIGTERM")
        except Exception:
            _LOGGER.exception("what is not stored could not be saved at SIGTERM")
        finally:
            self._done = True
            main = threading.main_thread().ident
            assert main is not None
            signal.pthread_kill(main, signal.SIGTERM)  # else it may sleep on

    def _go_on(self, number: int, frame: FrameType | None) -> None:
        if callable(self._before):
            self._before(number, frame)
        elif self._before == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)


def handle_sigterm(living: Living) -> None:
    """Call `interrupt` at SIGTERM, then whatever handled it before; only from the main thread."""
    try:
        signal.signal(signal.SIGTERM, _Sigterm(living))
    except ValueError:
        _LOGGER.warning("SIGTERM is not handled: the publisher was not made in the main thread")
