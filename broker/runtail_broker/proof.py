"""Decide where a cursor stands in a stream: proved, trimmed away, or of another history.

Resuming is proved, not assumed, and so is every page after it: two histories with the same ids and
seqs cannot be taken for one, because their tags differ. Pure: no I/O; `stream.py` does the reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtail_broker.cursor import START, Cursor, RecordId, start_of
from runtail_broker.errors import NewerFormat
from runtail_broker.records.entry import Entry

BOUNDS = ("epoch", "first", "ms", "n", "seq", "tag", "end", "archive", "format")
FORMAT = 1
"""The newest version of state and stream that is known here; append.lua writes it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the state says of the stream, read in one step with the entries.

    *epoch* None: the execution does not exist. *first_seq* is the seq of the first record kept (0:
    none yet), *last* the cursor after the last record; *end* is the JSON of the `end` record while
    that is the last record. *archive* lists the parts of the archive (see `archived`).
    """

    epoch: int | None
    first_seq: int
    last: Cursor
    end: bytes = b""
    archive: str = ""

    @classmethod
    def read(cls, values: Sequence[bytes | None]) -> Bounds:
        """Read the fields BOUNDS of a state hash, None for one that is not there.

        Raises NewerFormat for what a newer runtail wrote.
        """
        epoch, first, ms, n, seq, tag, end, archive, form = values
        if epoch is None:
            return NOTHING
        require_known(form)
        place = RecordId(int(ms or 0), int(n or 0))
        last = Cursor(place, int(seq or 0), int(tag or 0))
        return cls(int(epoch), int(first or 0), last, end or b"", (archive or b"").decode())


NOTHING = Bounds(None, 0, START)


def require_known(form: bytes | None) -> None:
    """Raise NewerFormat for a state whose field `format` is newer than what is known here."""
    version = int(form or 1)
    if version > FORMAT:
        raise NewerFormat("the state of the execution", version, FORMAT)


@dataclass(frozen=True, slots=True)
class Continues:
    """The cursor is in the stream: the records after it follow, from *skip* records into the first
    of *entries*."""

    cursor: Cursor
    entries: Sequence[Entry]
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Records between the cursor and the first one kept are gone.

    *lost* is how many (None: unknown). *proved* says whether the cursor's own history is known to
    be this one. *entries* follow.
    """

    cursor: Cursor
    entries: Sequence[Entry]
    after_seq: int | None
    before_seq: int
    lost: int | None
    proved: bool
    reason: str = "trimmed"


@dataclass(frozen=True, slots=True)
class Diverged:
    """The stream does not hold the cursor: what lies before it is not what the stream holds."""

    reason: str


Verdict = Continues | Gap | Diverged


def prove(cursor: Cursor, entries: Sequence[Entry], bounds: Bounds) -> Verdict:
    """Place *cursor*, given *entries*: what the stream holds after the cursor's id, unbroken.

    *entries* may be cut short at its end, but is empty only if nothing lies after the cursor's id.
    """
    if bounds.epoch is None:
        return Continues(START, ()) if cursor == START else Diverged("unknown execution")
    if cursor.is_start:
        return _from_start(cursor, entries, bounds)
    if not entries:
        return _at_the_end(cursor, bounds)
    first = entries[0]
    if first.before == cursor.tag and first.seq == cursor.number + 1:
        return Continues(cursor, entries)
    if first.holds(cursor):
        return Continues(cursor, entries, cursor.number - first.seq + 1)
    trimmed = first.seq == bounds.first_seq and first.seq > cursor.number + 1
    if trimmed and first.first_id > cursor.id:  # ids rise, so else the cursor is of another history
        return Gap(
            cursor, entries, cursor.number, first.seq, first.seq - cursor.number - 1, proved=False
        )
    return Diverged("another history")


def worth_a_reset(cursor: Cursor, verdict: Verdict) -> bool:
    """Whether a viewer whose newest cursor has failed goes back to this older *cursor*.

    A trimmed one proves nothing of what the viewer has; the start needs no proof, so there a gap is
    the truth.
    """
    return isinstance(verdict, Continues) or (cursor.is_start and isinstance(verdict, Gap))


def prove_id(cursor: Cursor, entries: Sequence[Entry], bounds: Bounds) -> Verdict:
    """Place a bare record id, given *entries*: what the stream holds from that id on, unbroken."""
    if bounds.epoch is None:
        return Diverged("unknown execution")
    if not entries:
        return Diverged("beyond the end")
    first = entries[0]
    if first.first_id <= cursor.id:
        if first.id == cursor.id:
            return Continues(first.end, entries[1:])
        seq = first.last_seq - (first.id.n - cursor.id.n)
        return Continues(first.cursor_at(seq), entries, seq - first.seq + 1)
    if first.seq == bounds.first_seq and first.seq > 1:
        return Gap(cursor, entries, None, first.seq, None, proved=False)
    return Diverged("no such record")


def _from_start(cursor: Cursor, entries: Sequence[Entry], bounds: Bounds) -> Verdict:
    if cursor.tag not in (None, bounds.epoch):
        return Diverged("another epoch")
    start = start_of(bounds.epoch or 0)
    if entries and entries[0].seq > 1:
        return Gap(start, entries, 0, entries[0].seq, entries[0].seq - 1, proved=True)
    if not entries and bounds.last.number > 0:
        return _all_gone(start, bounds, proved=True)
    return Continues(start, entries)


def _at_the_end(cursor: Cursor, bounds: Bounds) -> Verdict:
    """Nothing lies after the cursor's id: that counts only if the state says the same."""
    last = bounds.last
    if cursor == last:
        return Continues(cursor, ())
    if last.number > cursor.number and last.id > cursor.id:
        return _all_gone(cursor, bounds, proved=False)
    return Diverged("beyond the end" if cursor.number > last.number else "another history")


def _all_gone(cursor: Cursor, bounds: Bounds, *, proved: bool) -> Gap:
    """The state counts records that the stream no longer holds, its last one included."""
    last = bounds.last.number
    lost = last - cursor.number
    return Gap(cursor, (), cursor.number, last + 1, lost, proved, reason="removed")
