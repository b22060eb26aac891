"""Name a place in an execution's log, and chain frames so that a place can be proved.

A *record id* is `<ms>-<n>`, a valid Redis stream id. A *cursor* is `<record id>:<seq>:<tag>`, where
*tag* (8 hex digits) is the tag of the frame that holds the record. Pure: no I/O.
"""

from __future__ import annotations

import re
import secrets
from typing import NamedTuple

from runtail_broker.errors import InvalidCursor

TAG_MODULUS = 4_294_967_291  # the largest prime below 2**32
TAG_FACTOR = 1_000_003  # factor × tag + the rest stays below 2**53: exact in Lua's doubles

_CURSOR = re.compile(r"(\d{1,15})-(\d{1,15})(?::(\d{1,15}):([0-9a-f]{8}|-))?", re.ASCII)


class RecordId(NamedTuple):
    """A record's place in its stream; compares in stream order."""

    ms: int
    n: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.n}"

    @classmethod
    def parse(cls, text: str | bytes) -> RecordId:
        """Read a stream id as Redis writes it."""
        ms, _, n = (text.decode() if isinstance(text, bytes) else text).partition("-")
        return cls(int(ms), int(n))


ZERO = RecordId(0, 0)


class Cursor(NamedTuple):  # made and compared several times for each record
    """Where a viewer is: after the record *id*, which is number *seq* of the execution.

    *tag* None with seq 0 is the start of whatever history there will be (`0-0:0:-`); seq None is a
    bare record id, which proves less.
    """

    id: RecordId
    seq: int | None
    tag: int | None

    def __str__(self) -> str:
        ms, n = self.id
        if self.seq is None:
            return f"{ms}-{n}"
        return f"{ms}-{n}:{self.seq}:{'-' if self.tag is None else format(self.tag, '08x')}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read what `str()` wrote; raise InvalidCursor for anything else."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise InvalidCursor(text)
        ms, n, seq, tag = match.groups()
        if tag == "-" and (int(ms), int(n), int(seq)) != (0, 0, 0):
            raise InvalidCursor(text)  # only the start may leave its history open
        place = RecordId(int(ms), int(n))
        if seq is None:
            return START if place == ZERO else cls(place, None, None)
        return cls(place, int(seq), None if tag == "-" else int(tag, 16))

    @property
    def number(self) -> int:
        """The seq; 0 for a bare record id, whose seq is not known."""
        return self.seq or 0

    @property
    def is_start(self) -> bool:
        """Whether nothing lies before this cursor."""
        return self.seq == 0


START = Cursor(ZERO, 0, None)


def start_of(epoch: int) -> Cursor:
    """Name the place before the first record of the history that *epoch* began."""
    return Cursor(ZERO, 0, epoch)


def chain(before: int, random: int, last: RecordId) -> int:
    """Compute the tag of the frame whose last record is *last*, as the scripts do (append.lua)."""
    timed = (before * TAG_FACTOR + random + last.ms) % TAG_MODULUS
    return (timed * TAG_FACTOR + last.n) % TAG_MODULUS


def new_random() -> int:
    """Draw a number for a batch or an epoch, 0 … TAG_MODULUS - 1."""
    return secrets.randbelow(TAG_MODULUS)


class CursorMemory:
    """Remember a few of the cursors that were passed: the newest, and older ones sparser.

    Holds at most *size* cursors. `newest_first()` is what a reader sends to resume, so that after a
    failover it starts over as late as can be proved. Only cursors that the reader still stands
    behind are kept: `rewind` forgets those beyond a reset. Not safe from several threads.
    """

    __slots__ = ("_cursors", "_size")

    def __init__(self, start: Cursor | None = None, *, size: int = 8) -> None:
        if size < 2:
            raise ValueError(f"size is {size}, expected at least 2")
        self._size = size
        self._cursors: list[Cursor] = [] if start is None else [start]

    def add(self, cursor: Cursor) -> None:
        """Remember *cursor*, which lies at or beyond all that were added since the last rewind."""
        kept = self._cursors
        if kept and kept[-1].number >= cursor.number:
            kept.pop()
        kept.append(cursor)
        if len(kept) > self._size:
            del kept[self._dullest()]

    def extend(self, cursors: list[Cursor]) -> None:
        """Remember *cursors*, given newest first, as far as they lie beyond what is known."""
        for cursor in reversed(cursors):
            if not self._cursors or cursor.number > self._cursors[-1].number:
                self.add(cursor)

    def rewind(self, cursor: Cursor) -> None:
        """Forget everything beyond *cursor*, and stand there."""
        self._cursors = [c for c in self._cursors if c.number < cursor.number] + [cursor]

    def newest_first(self) -> list[Cursor]:
        """List what is remembered."""
        return self._cursors[::-1]

    def _dullest(self) -> int:
        """Find the cursor whose loss widens the gaps least, in proportion to its age."""
        numbers = [cursor.number for cursor in self._cursors]
        newest = numbers[-1]
        widened = [
            (after - before) / (newest - before + 1)
            for before, after in zip(numbers, numbers[2:], strict=False)
        ]
        return 1 + widened.index(min(widened))
