"""Let what others log, print or raise into a run, and keep out what the SDK itself says.

What all handlers and captures share: which run, in which thread not, and what happens when user
code that a record runs (a `__str__`, a finalizer, a signal handler) logs in its turn.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Final

from runtail import debugging
from runtail.context import current
from runtail.masks.masking import mask_text
from runtail.run import Execution
from runtail_broker.records.record import whole_second

Fields = dict[str, object]
Target = Execution | Callable[[], Execution | None]
ExceptionInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

SENDER_THREAD: Final = "runtail"
MAX_NESTED: Final = 64
"""Records that may be logged while one record is made; more are dropped and counted."""
_OWN_LOGGERS: Final = ("runtail", "runtail_broker", "runtail_gateway")
_OURS: Final = frozenset({"level", "message", "timestamp"})
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
_MAX_NOTE_CHARS: Final = 1000


class _Here(threading.local):
    """What is going on in this thread."""

    run: Execution | None = None  # into which a record is being published
    nested: list[tuple[Execution, Fields]] | None = None
    echoing: bool = False


_here = _Here()


class Inlet:
    """A way into *run*; by default into whatever execution is current where a record is made.

    Holds no lock, never blocks and never raises; safe from any thread, and after a fork.
    """

    def __init__(self, run: Target | None = None) -> None:
        self._run: Target = current if run is None else run
        self.failed = 0
        """Records that had to be simplified or dropped, because making them raised."""

    def publish(
        self,
        make: Callable[[], Fields],
        simply: Callable[[], Fields],
        run: Execution | None = None,
    ) -> None:
        """Publish what *make* makes, if there is a run; *simply* makes it without user code.

        What is logged meanwhile in this thread is published after it, made simply: so a `__str__`
        that logs itself ends, and nothing enters the buffer twice at a time. *run* is what `find`
        found earlier.
        """
        if threading.current_thread().name == SENDER_THREAD:
            return
        try:
            if _here.nested is None:
                self._publish(make, simply, run)
            else:
                self._put_aside(_here.nested, simply, run)
        except Exception as error:  # noqa: BLE001 - logging must never hurt who logs
            self._failed(error)

    def find(self) -> Execution | None:
        """Find the run into which this thread would publish now; never raises."""
        try:
            return None if threading.current_thread().name == SENDER_THREAD else self._find()
        except Exception as error:  # noqa: BLE001 - a caller's own function may raise anything
            self._failed(error)
            return None

    def _publish(
        self, make: Callable[[], Fields], simply: Callable[[], Fields], run: Execution | None
    ) -> None:
        nested = _here.nested = []
        try:
            run = _here.run = run or self._find()
            if run is None:
                return
            run.record("log", self._made(make, simply))
            for where, fields in nested:  # grows meanwhile, up to its bound
                where.record("log", fields)
        finally:
            _here.nested = _here.run = None

    def _made(self, make: Callable[[], Fields], simply: Callable[[], Fields]) -> Fields:
        try:
            return make()
        except Exception as error:  # noqa: BLE001 - a worker's own values may raise anything
            self._failed(error)
            return {**simply(), "note": f"{type(error).__name__}: {shown(error)}"}

    def _put_aside(
        self,
        nested: list[tuple[Execution, Fields]],
        simply: Callable[[], Fields],
        run: Execution | None,
    ) -> None:
        if run is None:  # a function is not asked: it may be the one that logs
            run = self._run if isinstance(self._run, Execution) else _here.run
        if run is None or len(nested) >= MAX_NESTED:
            self._failed(RecursionError("logged while another record was made"))
        else:
            nested.append((run, simply()))

    def _find(self) -> Execution | None:
        return self._run if isinstance(self._run, Execution) else self._run()

    def _failed(self, error: Exception) -> None:
        self.failed += 1
        debugging.say("a record could not be made", error=type(error).__name__, text=error)


@contextmanager
def echo() -> Iterator[None]:
    """Mark what this thread prints as a repetition of what was published already."""
    before, _here.echoing = _here.echoing, True
    try:
        yield
    finally:
        _here.echoing = before


def is_echo() -> bool:
    """Whether this thread is inside `echo`."""
    return _here.echoing


def is_own_logger(name: str | None) -> bool:
    """Whether *name* is a logger of the SDK itself."""
    return name is not None and name.partition(".")[0] in _OWN_LOGGERS


def level_of(number: int) -> str:
    """Name the level of a record by its number in the scale of `logging`, which loguru shares."""
    if number >= 40:
        return "error"
    if number >= 30:
        return "warning"
    return "info" if number >= 20 else "debug"


def moment(seconds: float) -> str:
    """Write a time as `time.time` gives it, as RFC 3339 in UTC, to the microsecond."""
    whole, part = divmod(seconds, 1)
    return f"{whole_second(int(whole))}.{int(part * 1_000_000):06d}Z"


def add_extra(fields: Fields, extra: Mapping[str, object], origin: Mapping[str, object]) -> Fields:
    """Add to *fields* the worker's own *extra*, renamed where it would stand for what is there.

    *origin*, where the record came from, gives way to a field of the same name in *extra*.
    """
    for name, value in extra.items():
        free = name
        while free in _OURS or (free != name and free in extra):
            free += "_"
        fields[free] = value
    for name, value in origin.items():
        fields.setdefault(name, value)
    return fields


def plain(values: Mapping[str, object]) -> Fields:
    """Keep of *values* what can be shown without running code of the worker's."""
    return {name: value for name, value in values.items() if type(value) in _PLAIN}


def is_plain(values: object) -> bool:
    """Whether the arguments of a message can be formatted without running the worker's code."""
    if type(values) is tuple:
        return all(type(value) in _PLAIN for value in values)
    return values is None or (type(values) is dict and len(plain(values)) == len(values))


def formatted(template: object, arguments: object) -> tuple[str, str | None]:
    """Format as `logging` does; where that raises return the template, and a note that says why."""
    try:
        text = str(template)
        return (text % arguments if arguments else text), None
    except Exception as error:  # noqa: BLE001 - a worker's own values may raise anything
        note = f"{type(error).__name__}: {shown(error)}; arguments: {shown(arguments, repr)}"
        return shown(template), mask_text(note)[:_MAX_NOTE_CHARS]


def simply_formatted(template: object, arguments: object) -> tuple[str, str | None]:
    """Do what `formatted` does without running the worker's code; a note says what is missing."""
    if type(template) is not str:
        return f"<{type(template).__name__}>", "logged while another record was made"
    if is_plain(arguments):
        return formatted(template, arguments)
    return template, "logged while another record was made: its arguments are not shown"


def shown(value: object, show: Callable[[object], str] = str) -> str:
    """Show *value*; never raises."""
    try:
        return show(value)
    except Exception as error:  # noqa: BLE001 - a worker's own __str__ may raise anything
        return f"<{type(value).__name__}: showing it raised {type(error).__name__}>"


def traceback_text(error: BaseException | ExceptionInfo) -> str:
    """Write an exception with its causes and traceback; never raises, '' for none."""
    kind, value, trace = (
        error if isinstance(error, tuple) else (type(error), error, error.__traceback__)
    )
    if kind is None and value is None:
        return ""
    try:
        return "".join(traceback.format_exception(kind, value, trace)).rstrip("\n")
    except Exception as worse:  # noqa: BLE001 - an exception's own code may raise anything
        return f"{type(value).__name__} (its traceback raised {type(worse).__name__})"
