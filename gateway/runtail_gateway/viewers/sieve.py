"""Leave out of a live viewer's messages what it did not ask for, and count it. Pure: no I/O.

Unlike the filter of a page, which finds single records, this one serves a viewer that goes on: what
tells how the execution stands (status, lost, end) always passes, so that its promises hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson

from runtail_broker.cursor import Cursor
from runtail_broker.records.splice import SEPARATOR, records_of
from runtail_gateway.logs.log_filter import LogFilter
from runtail_gateway.protocol.message import RECORDS_HEAD, Message

_ALWAYS: Final = ("status", "lost", "end")


@dataclass(frozen=True, slots=True)
class Sieve:
    """What a viewer wants to see; a record must satisfy all that is set.

    *levels*: of logs only those of these levels; records of other kinds have none, and pass.
    *steps*: logs of these steps; of other kinds what names another step is left out, and what names
    none passes. Status, lost and end pass always.
    """

    levels: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, levels: Iterable[str], steps: Iterable[str]) -> Sieve:
        """Read parameters; raise BadRequest with the value that is none."""
        chosen = LogFilter.parse(levels, steps, "")
        return cls(chosen.levels, chosen.steps)

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.levels or self.steps)

    def passes(self, record: Mapping[str, Any]) -> bool:
        """Whether *record* is wanted."""
        kind, step = record.get("kind", "log"), record.get("step_name")
        if kind in _ALWAYS:
            return True
        if kind == "log":
            if self.levels and not _is_of(record.get("level"), self.levels):
                return False
            return not self.steps or _is_of(step, self.steps)
        return not self.steps or step is None or _is_of(step, self.steps)


EVERYTHING: Final = Sieve()


class Loose:
    """A `records` message taken apart, once for all sieves."""

    def __init__(self, message: Message) -> None:
        self.message = message

    @cached_property
    def lines(self) -> list[tuple[bytes, Mapping[str, Any]]]:
        """Its records: the JSON of each, and what is in it."""
        lines = records_of(b"".join(self.message.parts[1:-1]))
        return [(line, _read(line)) for line in lines]

    def through(self, sieve: Sieve) -> list[bytes]:
        """List the JSON of those that pass *sieve*."""
        return [line for line, record in self.lines if sieve.passes(record)]


class Sifted(Message):
    """What a viewer with a sieve gets instead of a `records` message; it leads as far.

    *text* holds *count* records; *omitted* others were left out on purpose.
    """

    __slots__ = ("omitted",)

    def __init__(
        self, text: bytes, count: int, omitted: int, before: Cursor, cursor: Cursor
    ) -> None:
        tail = b'],"cursor":"%b","omitted":%d}' % (str(cursor).encode(), omitted)
        super().__init__((RECORDS_HEAD, text, tail), before, cursor, count)
        self.omitted = omitted

    @classmethod
    def of(cls, loose: Loose, sieve: Sieve) -> Sifted:
        """Sift one message."""
        message, lines = loose.message, loose.through(sieve)
        assert message.before is not None
        assert message.cursor is not None
        left_out = message.count - len(lines)
        return cls(SEPARATOR.join(lines), len(lines), left_out, message.before, message.cursor)

    def behind(self, empty: Sifted) -> Sifted:
        """Begin where *empty* does, in which nothing passed, and count that too."""
        assert empty.before is not None
        assert self.cursor is not None
        omitted = empty.omitted + self.omitted
        return Sifted(self.parts[1], self.count, omitted, empty.before, self.cursor)


def _is_of(value: object, chosen: frozenset[str]) -> bool:
    return isinstance(value, str) and value in chosen  # a list could not be looked up


def _read(line: bytes) -> Mapping[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        record = None
    # what cannot be read is hidden from nobody
    return record if isinstance(record, dict) else {"kind": _ALWAYS[0]}
