"""Say on stderr what the SDK is going through, when `RUNTAIL_DEBUG=1` asks for it."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

LINES_A_SECOND: Final = 20
_MAX_LINE_CHARS: Final = 1000

on: bool = os.environ.get("RUNTAIL_DEBUG", "") not in ("", "0")
"""Whether anything is said; read when this module is imported."""


def say(event: str, **fields: object) -> None:
    """Write one line about *event*, if debugging is on and not too much was said of late.

    Never raises, never waits for another thread; safe from signal handlers and finalizers. Ask
    `debugging.on` first where making *fields* costs something.
    """
    if on:
        _TELLER.tell(event, fields)


class Teller:
    """Write at most *lines_a_second* lines in any second of the clock, and count the rest.

    The next line that may be written says how many were held back before it; so does `close`.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        lines_a_second: int = LINES_A_SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._most, self._clock = write, lines_a_second, clock
        self._busy = threading.Lock()
        self._second, self._written, self._held_back = -1, 0, 0

    def tell(self, event: str, fields: Mapping[str, object]) -> None:
        """Write one line, or count it as held back."""
        # never waited for: a finalizer may speak while its own thread is in here
        if not self._busy.acquire(blocking=False):
            self._held_back += 1
            return
        try:
            if self._may_write():
                self._tell_held_back()
                self._write(_line(event, fields))
            else:
                self._held_back += 1
        finally:
            self._busy.release()

    def close(self) -> None:
        """Say how many were held back since the last line."""
        self._tell_held_back()

    def _may_write(self) -> bool:
        second = int(self._clock())
        if second != self._second:
            self._second, self._written = second, 0
        self._written += 1
        return self._written <= self._most

    def _tell_held_back(self) -> None:
        held_back, self._held_back = self._held_back, 0
        if held_back:
            self._write(_line(f"({held_back} lines were held back here)", {}))


def _line(event: str, fields: Mapping[str, object]) -> str:
    when = time.strftime("%H:%M:%S")
    said = " ".join([event, *(f"{name}={_shown(value)}" for name, value in fields.items())])
    return f"runtail[{os.getpid()}] {when} {said}"[:_MAX_LINE_CHARS] + "\n"


def _shown(value: object) -> str:
    try:
        text = str(value)
    except Exception as error:  # noqa: BLE001 - an exception's own __str__ may raise anything
        return f"<{type(value).__name__}: its str raised {type(error).__name__}>"
    return text if text.isprintable() and " " not in text else repr(text)


def _to_stderr(line: str) -> None:
    stderr = sys.__stderr__
    if stderr is None:
        return
    try:
        # not by sys.stderr: it may be captured, and its buffer must not be entered twice
        os.write(stderr.fileno(), line.encode(errors="backslashreplace"))
    except (OSError, ValueError):
        return  # stderr is closed: there is nobody left to tell


_TELLER: Final = Teller(_to_stderr)
atexit.register(_TELLER.close)
