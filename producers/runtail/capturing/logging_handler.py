"""Publish what a program logs by the standard library's `logging`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from runtail import debugging
from runtail.capturing.inlet import (
    SENDER_THREAD,
    Fields,
    Inlet,
    Target,
    add_extra,
    formatted,
    is_echo,
    is_own_logger,
    level_of,
    moment,
    plain,
    simply_formatted,
    traceback_text,
)

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "error_message",
}
_USUAL_LEVELS: Final = frozenset({10, 20, 30, 40})


class RunHandler(logging.Handler):
    """A `logging.Handler` that publishes into *run*, by default into the execution that is current.

    Made for the root logger. Records outside any execution, of the SDK's own loggers and of its
    sending thread are left alone. Messages are formatted in the caller; what `extra=` gave become
    fields, an exception's text becomes `error_message`. A formatter is not used for the message:
    time, level and logger are fields of their own; it is for the text of exceptions.

    Never raises, never waits, and holds no lock while it formats: it has its queue inside, and
    needs no `QueueHandler` before it. Behind a `QueueListener`, in whose thread no execution is
    current, give it the run.
    """

    def __init__(
        self,
        run: Target | None = None,
        level: int | str = logging.NOTSET,
        *,
        flush: Callable[[float], object] | None = None,
        flush_seconds: float = 1.0,
    ) -> None:
        """Publish into *run* from *level* on.

        *flush*, such as `publisher.flush`, is what `flush` waits for, *flush_seconds* at most;
        without it `flush` has nothing to wait for, since records leave by themselves.
        """
        super().__init__(level)
        self._inlet = Inlet(run)
        self._flush, self._flush_seconds = flush, flush_seconds
        self._closed = False

    @property
    def failed(self) -> int:
        """Records that had to be simplified or dropped, because handling them raised."""
        return self._inlet.failed

    def handle(self, record: logging.LogRecord) -> bool:
        """Publish *record* if the filters let it pass."""
        kept: object = self.filter(record)  # from Python 3.12 on it may be another record
        if isinstance(kept, logging.LogRecord):
            record = kept
        if kept:
            # without the handler's lock: formatting runs the worker's code, which may be slow, or
            # hold a lock that a thread needs that waits for ours
            self.emit(record)
        return bool(kept)

    def emit(self, record: logging.LogRecord) -> None:
        """Publish *record*; never raises."""
        if self._closed or _is_own(record):
            return
        formatter = self.formatter
        self._inlet.publish(lambda: _fields(record, formatter), lambda: _simple_fields(record))

    def handleError(self, record: logging.LogRecord) -> None:
        """Count an error; nothing is printed but by `RUNTAIL_DEBUG=1`."""
        self._inlet.failed += 1
        debugging.say("a log record could not be handled", logger=record.name)

    def flush(self) -> None:
        """Wait until what was logged is stored, for a bounded time; see `__init__`."""
        if self._flush is None or self._closed:
            return
        if threading.current_thread().name == SENDER_THREAD:
            return  # it would wait for itself
        try:
            self._flush(self._flush_seconds)
        except Exception as error:  # noqa: BLE001 - `logging.shutdown` must reach other handlers
            self._inlet.failed += 1
            debugging.say("flushing failed", error=error)

    def close(self) -> None:
        """Publish nothing any more; does not wait, twice is safe."""
        self._closed = True
        super().close()


def _is_own(record: logging.LogRecord) -> bool:
    """Whether the SDK caused *record*: it would beget another one when it is sent."""
    return (
        record.threadName == SENDER_THREAD
        or is_own_logger(record.name)
        or (record.name == "py.warnings" and is_echo())
    )


def _fields(record: logging.LogRecord, formatter: logging.Formatter | None) -> Fields:
    message, note = formatted(record.msg, record.args)
    fields = _assembled(record, message, note, _extra(record))
    return _with_error(fields, record.__dict__.get("error_message"), _error(record, formatter))


def _simple_fields(record: logging.LogRecord) -> Fields:
    message, note = simply_formatted(record.msg, record.args)
    fields = _assembled(record, message, note, plain(_extra(record)))
    given = record.__dict__.get("error_message")
    error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
    return _with_error(fields, given if type(given) is str else None, error)


def _assembled(record: logging.LogRecord, message: str, note: str | None, extra: Fields) -> Fields:
    fields: Fields = {
        "level": level_of(record.levelno),
        "message": message,
        "timestamp": moment(record.created),
    }
    origin: Fields = {
        "logger": record.name,
        "file": record.filename,
        "line": record.lineno,
        "thread": record.threadName,
        "process": record.process,
    }
    if record.levelno not in _USUAL_LEVELS:
        origin["level_name"] = record.levelname
    if note is not None:
        origin["note"] = note
    return add_extra(fields, extra, origin)


def _extra(record: logging.LogRecord) -> Fields:
    given = record.__dict__
    extra = given.keys() - _STANDARD
    return {name: given[name] for name in given if name in extra} if extra else {}


def _error(record: logging.LogRecord, formatter: logging.Formatter | None) -> str:
    info, parts = record.exc_info, []
    if record.exc_text:
        parts.append(record.exc_text)
    elif info and info[0] is not None:
        parts.append(formatter.formatException(info) if formatter else traceback_text(info))
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(map(str, parts))


def _with_error(fields: Fields, given: object, text: str) -> Fields:
    """Add *text* as `error_message`, behind the one that was *given* as a field."""
    if given is None:
        error: object = text
    else:
        error = f"{given}\n{text}" if text and type(given) is str else given
    return {**fields, "error_message": error} if error else fields
