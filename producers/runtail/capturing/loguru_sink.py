"""Publish what a program logs by loguru, which need not be installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from runtail.capturing.inlet import (
    Fields,
    Inlet,
    Target,
    add_extra,
    is_own_logger,
    level_of,
    plain,
    traceback_text,
)

_USUAL_LEVELS: Final = frozenset({"TRACE", "DEBUG", "INFO", "WARNING", "ERROR"})


class LoguruMessage(Protocol):
    """What loguru hands to a sink."""

    @property
    def record(self) -> Mapping[str, Any]:
        """What was logged, in its parts."""
        ...


class LoguruSink:
    """A sink for `logger.add` that publishes into *run*, by default into the current execution.

    Add it with any `format`: the message is published as it was before. Safe from any thread; never
    raises, never waits. With `enqueue=True`, in whose thread no execution is current, give it the
    run.
    """

    def __init__(self, run: Target | None = None) -> None:
        self._inlet = Inlet(run)

    @property
    def failed(self) -> int:
        """Messages that had to be simplified or dropped, because handling them raised."""
        return self._inlet.failed

    def __call__(self, message: LoguruMessage) -> None:
        """Publish *message*."""
        record = message.record
        if not is_own_logger(record["name"]):
            self._inlet.publish(lambda: _fields(record), lambda: _simple_fields(record))


def _fields(record: Mapping[str, Any]) -> Fields:
    extra = record["extra"]
    error = "" if record["exception"] is None else traceback_text(tuple(record["exception"]))
    fields = _assembled(record, extra)
    if not error:
        return fields
    given = extra.get("error_message")
    return {**fields, "error_message": error if given is None else f"{given}\n{error}"}


def _simple_fields(record: Mapping[str, Any]) -> Fields:
    return _assembled(record, plain(record["extra"]))


def _assembled(record: Mapping[str, Any], extra: Mapping[str, object]) -> Fields:
    level = record["level"]
    fields: Fields = {
        "level": level_of(level.no),
        "message": record["message"],
        "timestamp": record["time"],
    }
    origin: Fields = {
        "logger": record["name"],
        "file": record["file"].name,
        "line": record["line"],
        "thread": record["thread"].name,
        "process": record["process"].id,
    }
    if level.name not in _USUAL_LEVELS:
        origin["level_name"] = level.name
    return add_extra(fields, extra, origin)
