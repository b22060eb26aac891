"""Read what a viewer asks for, and refuse what makes no sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtail_broker.cursor import Cursor
from runtail_broker.errors import InvalidCursor, InvalidExecutionId
from runtail_broker.keys import checked
from runtail_gateway.protocol.problem import BadRequest
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.viewers.sieve import EVERYTHING, Sieve


def deleted(execution_id: str) -> Refused:
    """Make what a viewer of an execution is told that somebody deleted."""
    return Refused(4410, "deleted", f"execution {execution_id!r} was deleted", 410)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a viewer asked for: its cursors newest first, or only what is new, or the last N.

    *sieve* chooses among the records; *notes* says that it wants to be told of notes too.
    """

    after: tuple[Cursor, ...]
    new_only: bool
    tail: int | None
    wait: bool
    sieve: Sieve = EVERYTHING
    notes: bool = False

    @property
    def resumes(self) -> bool:
        """Whether it comes back with a cursor, one that is no beginning."""
        return bool(self.after) and not self.after[0].is_start

    @classmethod
    def read(cls, query: Sequence[tuple[str, str]], after_limit: int) -> Wish:
        """Read the query parameters; raise Refused for those that say nothing."""
        after = [value for name, value in query if name == "after"]
        if len(after) > after_limit:
            raise Refused(
                4400, "bad_request", f"{len(after)} after, expected at most {after_limit}"
            )
        options = dict(query)
        new_only = after == ["$"]
        try:
            cursors = () if new_only else tuple(Cursor.parse(text) for text in after)
        except InvalidCursor as error:
            raise Refused(4400, "bad_cursor", str(error)) from error
        tail, wait = _count(options.get("tail")), _flag(options, "wait")
        return cls(cursors, new_only, tail, wait, _sieve(query), _flag(options, "notes"))


def checked_id(text: str) -> str:
    """Return *text* if it can be an execution's id; raise Refused if not."""
    try:
        return checked(text)
    except InvalidExecutionId as error:
        raise Refused(4400, "bad_execution_id", str(error)) from error


def _sieve(query: Sequence[tuple[str, str]]) -> Sieve:
    levels = [value for name, value in query if name == "level"]
    steps = [value for name, value in query if name == "step"]
    if not levels and not steps:
        return EVERYTHING  # the same for all, who wait with it
    try:
        return Sieve.parse(levels, steps)
    except BadRequest as error:
        raise Refused(4400, "bad_request", str(error)) from error


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refused(4400, "bad_request", f"tail is {text[:40]!r}, expected a whole number")
    return int(text)


def _flag(options: Mapping[str, str], name: str) -> bool:
    text = options.get(name)
    if text in (None, "false", "0"):
        return False
    if text in ("true", "1"):
        return True
    raise Refused(4400, "bad_request", f"{name} is {text[:40]!r}, expected true or false")
