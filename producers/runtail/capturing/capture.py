"""Publish what a program says without logging it: warnings, uncaught exceptions, what it prints.

Each capture begins at its call and ends with `restore`, or with the block if it is used in one.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TextIO

from runtail.capturing.captured_stream import CapturedStream
from runtail.capturing.inlet import Fields, Inlet, Target, echo, shown, traceback_text
from runtail.masks.masking import mask_text
from runtail.run import Execution


class Capture:
    """Something that is captured until `restore`."""

    def __init__(self, restores: Sequence[Callable[[], None]]) -> None:
        self._restores = list(restores)

    def restore(self) -> None:
        """Put back what was there before; twice is safe.

        Where somebody has put another thing in place meanwhile, that stays, and what it calls of
        ours only passes on.
        """
        while self._restores:
            self._restores.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.restore()


class _Hook:
    """Stands in for the function *name* of *owner*: publishes, then does what that would do."""

    def __init__(self, owner: Any, name: str, publish: Callable[..., None]) -> None:
        self._owner, self._name, self._publish = owner, name, publish
        self._previous: Callable[..., object] = getattr(owner, name)
        self._active = True
        setattr(owner, name, self)

    def __call__(self, *arguments: Any, **named: Any) -> object:
        if self._active:
            self._publish(*arguments, **named)
        with echo():  # it prints or logs what was published just now
            return self._previous(*arguments, **named)

    def restore(self) -> None:
        self._active = False
        if getattr(self._owner, self._name) is self:
            setattr(self._owner, self._name, self._previous)


def capture_warnings(run: Target | None = None) -> Capture:
    """Publish what `warnings.warn` shows, at level warning; it is shown as before, too.

    By default into the execution that is current where the warning is raised.
    """
    inlet = Inlet(run)

    def publish(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        where: Fields = {
            "category": category.__name__,
            "file": os.path.basename(filename),
            "line": lineno,
        }
        _publish(inlet, "warning", lambda: str(message), where)

    return Capture([_Hook(warnings, "showwarning", publish).restore])


def capture_exceptions(run: Target | None = None) -> Capture:
    """Publish exceptions that nobody caught, with traceback: a program's, a thread's, `__del__`'s.

    Then the hooks that were there before are called. By default into the execution that is current
    where the exception arrives; what leaves the block of an execution is published by that.
    """
    inlet = Inlet(run)

    def uncaught(
        kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _publish_exception(inlet, kind, error, trace)

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if not issubclass(args.exc_type, SystemExit):  # which ends a thread, and is no failure
            thread = "" if args.thread is None else args.thread.name
            _publish_exception(
                inlet, args.exc_type, args.exc_value, args.exc_traceback, {"thread": thread}
            )

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        ignored = args.err_msg or "Exception ignored in"
        where: Fields = {"ignored_in": mask_text(f"{ignored}: {shown(args.object, repr)}")[:1000]}
        _publish_exception(inlet, args.exc_type, args.exc_value, args.exc_traceback, where)

    return Capture(
        [
            _Hook(sys, "excepthook", uncaught).restore,
            _Hook(threading, "excepthook", in_thread).restore,
            _Hook(sys, "unraisablehook", unraisable).restore,
        ]
    )


def capture_print(run: Target | None = None, *, stderr: bool = False, also: bool = True) -> Capture:
    """Publish what is written to `sys.stdout`, line by line, at level info.

    With *stderr* also what is written there, at level warning. It is written to the real stream as
    before; with *also* false only what is printed outside any execution is. A line is published
    when its newline comes, one that is redrawn by carriage returns at most four times a second.
    What bypasses `sys.stdout` (`sys.stdout.buffer`, child processes) is not seen.
    """
    names = [("stdout", "info"), ("stderr", "warning")][: 2 if stderr else 1]
    return Capture([_capture_stream(name, level, Inlet(run), also) for name, level in names])


def _capture_stream(name: str, level: str, inlet: Inlet, also: bool) -> Callable[[], None]:
    real: TextIO | None = getattr(sys, name)

    def publish(run: Execution, line: str) -> None:
        _publish(inlet, level, lambda: line, {"stream": name}, run)

    if real is None:  # as in a program without a console
        return lambda: None
    ours = CapturedStream(real, publish, inlet.find, also=also)
    setattr(sys, name, ours)

    def restore() -> None:
        ours.stop()
        if getattr(sys, name) is ours:
            setattr(sys, name, real)

    return restore


def _publish(
    inlet: Inlet,
    level: str,
    text: Callable[[], str],
    fields: Fields,
    run: Execution | None = None,
) -> None:
    def make() -> Fields:
        return {"level": level, "message": text(), **fields}

    def simply() -> Fields:
        return {"level": level, "message": "said while another record was made", **fields}

    inlet.publish(make, simply, run)


def _publish_exception(
    inlet: Inlet,
    kind: type[BaseException],
    error: BaseException | None,
    trace: TracebackType | None,
    fields: Fields | None = None,
) -> None:
    def make() -> Fields:
        return {
            "level": "error",
            "message": f"{kind.__name__}: {shown(error)}",
            "error_message": traceback_text((kind, error, trace)),
            **(fields or {}),
        }

    inlet.publish(make, lambda: {"level": "error", "message": kind.__name__, **(fields or {})})
