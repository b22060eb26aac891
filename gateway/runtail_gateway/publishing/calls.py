"""Check what a worker says, and make the scripts' calls of it. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from runtail_broker.keys import checked
from runtail_broker.records.record import TERMINAL
from runtail_broker.records.spoken import Beat, Bounds, Close, Finish, Open, Publish, Spoken
from runtail_broker.script import (
    Batch,
    Call,
    Limits,
    beat_call,
    close_call,
    finish_call,
    open_call,
    publish_call,
)
from runtail_gateway.protocol.problem import BadRequest
from runtail_gateway.publishing.batch import is_time, sealed
from runtail_gateway.publishing.publisher_name import checked_name

Naming = Callable[[str], str]
REPLICATED: Final = (Open, Close, Finish)
"""What no failover may undo once somebody was told of it."""
_MOST_NUMBER: Final = 2**50  # numbers stay exact in Lua's doubles, their sums too
_MOST_RANDOM: Final = 2**32  # as the tag's arithmetic wants it
_MOST_TEXT: Final = 4096  # characters of a workflow's id, or of a reason


def call_of(said: Spoken, bounds: Bounds, limits: Limits, named: Naming) -> Call:
    """Make the call that *said* asks for; raise a RuntailError for what makes no sense.

    *named* tells publishers of different people apart.
    """
    name = checked(said.execution_id)
    match said:
        case Open(_, publisher, role, workflow_id, begun, listens):
            _require_one_of("role", role, ("owner", "participant"))
            _require_short("workflow_id", workflow_id)
            if begun and not is_time(begun):
                raise BadRequest(f"begun is {begun[:40]!r}, expected RFC 3339")
            by = named(checked_name(publisher))
            return open_call(name, by, role, workflow_id, limits, begun or None, listens=listens)
        case Publish():
            return published(said, sealed(said, bounds), named)
        case Beat(_, publisher, last_batch, beat, listens):
            _require_numbers(last_batch=last_batch, beat=beat)
            by = named(checked_name(publisher))
            return beat_call(name, by, last_batch, beat, listens=listens)
        case Close(_, publisher, last_batch, status, reason, explicit):
            _require_numbers(last_batch=last_batch)
            _require_one_of("status", status, ("", *TERMINAL))
            by, why = named(checked_name(publisher)), reason[:_MOST_TEXT]
            return close_call(name, by, last_batch, status, why, explicit=explicit)
        case Finish():
            return finish_call(name)
    raise BadRequest(f"{type(said).__name__} is no call of a script")


def published(said: Publish, batch: Batch, named: Naming) -> Call:
    """Make the call that appends *batch*."""
    hole_after = said.hole_after or 0
    _require_numbers(batch=said.number, before=said.before, hole_after=hole_after, marks=said.marks)
    if said.number < 1:
        raise BadRequest("batch is 0, expected 1 or more")
    if not 0 <= said.random < _MOST_RANDOM:
        raise BadRequest(f"random is {said.random}, expected less than {_MOST_RANDOM}")
    by = named(checked_name(said.publisher))
    name = checked(said.execution_id)
    return publish_call(name, by, batch, said.hole_after, said.hole_reason[:_MOST_TEXT])


def _require_numbers(**numbers: int) -> None:
    for name, number in numbers.items():
        if not 0 <= number < _MOST_NUMBER:
            raise BadRequest(f"{name} is {number}, expected 0 to {_MOST_NUMBER}")


def _require_one_of(name: str, value: str, expected: tuple[str, ...]) -> None:
    if value not in expected:
        said = ", ".join(filter(None, expected))
        raise BadRequest(f"{name} is {value[:40]!r}, expected one of {said}")


def _require_short(name: str, value: str) -> None:
    if len(value) > _MOST_TEXT:
        raise BadRequest(f"{name} has {len(value)} characters, expected at most {_MOST_TEXT}")
