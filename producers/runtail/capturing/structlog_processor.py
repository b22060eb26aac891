"""Publish what a program logs by structlog, which need not be installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping
from datetime import datetime
from typing import Any, Final

from runtail.capturing.inlet import (
    ExceptionInfo,
    Fields,
    Inlet,
    Target,
    add_extra,
    formatted,
    moment,
    plain,
    shown,
    simply_formatted,
    traceback_text,
)
from runtail_broker.records.record import LEVELS

_LEVELS: Final = {level: level for level in LEVELS} | {
    "trace": "debug",
    "notset": "debug",
    "warn": "warning",
    "exception": "error",
    "critical": "error",
    "fatal": "error",
}
_STRUCTLOG_OWN: Final = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "positional_args",
        "exc_info",
        "exception",
        "stack_info",
        "stack",
        "_record",
        "_from_structlog",
        "error_message",
    }
)


class RunProcessor:
    """A structlog processor that publishes into *run*, by default into the current execution.

    Passes every event on as it is; belongs before the renderer. Safe from any thread; never
    raises, never waits.
    """

    def __init__(self, run: Target | None = None) -> None:
        self._inlet = Inlet(run)

    @property
    def failed(self) -> int:
        """Events that had to be simplified or dropped, because handling them raised."""
        return self._inlet.failed

    def __call__(
        self,
        logger: Any,
        method_name: str,
        event_dict: MutableMapping[str, Any],
    ) -> MutableMapping[str, Any]:
        """Publish the event; return it unchanged."""
        self._inlet.publish(
            lambda: _fields(method_name, event_dict),
            lambda: _simple_fields(method_name, event_dict),
        )
        return event_dict


def _fields(method: str, event: Mapping[str, Any]) -> Fields:
    message, note = formatted(event.get("event"), event.get("positional_args"))
    extra = {name: value for name, value in event.items() if name not in _STRUCTLOG_OWN}
    fields = _assembled(method, event, message, note, extra)
    error = _error(event)
    return {**fields, "error_message": error} if error else fields


def _simple_fields(method: str, event: Mapping[str, Any]) -> Fields:
    message, note = simply_formatted(event.get("event"), event.get("positional_args"))
    extra = {name: value for name, value in event.items() if name not in _STRUCTLOG_OWN}
    return _assembled(method, event, message, note, plain(extra))


def _assembled(
    method: str, event: Mapping[str, Any], message: str, note: str | None, extra: Fields
) -> Fields:
    name = event.get("level", method)
    fields: Fields = {
        "level": _LEVELS.get(name.lower(), "info") if type(name) is str else "info",
        "message": message,
    }
    given = event.get("timestamp")
    when = _moment(given)
    if when is not None:
        fields["timestamp"] = when
    elif given is not None:
        extra = {**extra, "timestamp": given}  # in a form of somebody's own: kept beside ours
    return add_extra(fields, extra, {} if note is None else {"note": note})


def _moment(given: object) -> datetime | str | None:
    """Understand the time that structlog's TimeStamper wrote, if it says in which zone."""
    try:
        if type(given) is str:
            when = datetime.fromisoformat(given)
            return when if when.tzinfo is not None else None
        return moment(given) if type(given) is float else None
    except (ValueError, OverflowError, OSError):
        return None  # it is published as it is, as a field


def _error(event: Mapping[str, Any]) -> str:
    texts = [event.get("error_message"), _exception(event), _stack(event)]
    return "\n".join(shown(text) for text in texts if text)


def _exception(event: Mapping[str, Any]) -> object:
    if event.get("exception"):
        return event["exception"]  # rendered by a processor before this one
    info = _exception_info(event.get("exc_info"))
    return traceback_text(info) if info is not None else ""


def _exception_info(given: object) -> BaseException | ExceptionInfo | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple) and len(given) == 3:
        return given
    return sys.exc_info() if given else None


def _stack(event: Mapping[str, Any]) -> object:
    given = event.get("stack") or event.get("stack_info")
    return given if isinstance(given, str) else ""
