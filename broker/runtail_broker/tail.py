"""Hold a gateway's shared, bounded view of the end of one stream. Pure: no I/O.

`feed` takes what the live channel carries; whatever does not chain to what is held is doubted, and
the owner then proves the tail's own cursors against the stream, exactly as a viewer would, and
tells it by `extend`, `rewind` or `jump`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from runtail_broker.cursor import Cursor, CursorMemory
from runtail_broker.records.entry import Entry


class Fed(Enum):
    """What became of an entry that was fed."""

    APPENDED = "appended"
    KNOWN = "known"  # held already: history and live overlap on purpose, an overlap beats a hole
    DOUBTED = "doubted"  # does not chain: prove and re-read


class Rendered(NamedTuple):
    """An entry with its text: its records in the form in which viewers read them."""

    entry: Entry
    text: bytes


class Tail:
    """Keep the newest entries of one stream within *max_bytes* of rendered records.

    *render* turns an entry into its text (see `splice`). `cursor` is None until the tail was placed
    (by `jump`). Guarantee: the entries held are consecutive, each names the tag of the one before,
    and the last one ends at `cursor`.
    """

    def __init__(self, render: Callable[[Entry], bytes], *, max_bytes: int) -> None:
        self.cursor: Cursor | None = None
        self._render = render
        self._max_bytes = max_bytes
        self._held: list[Rendered] = []  # an empty deque is 700 B, in each tail that only waits
        self._bytes = 0
        self._memory = CursorMemory()  # of what is not held any more

    def feed(self, entry: Entry) -> Fed:
        """Append *entry* if it chains to the tail by seq and by tag."""
        if self.cursor is None:
            return Fed.DOUBTED
        if entry.before == self.cursor.tag and entry.seq == self.cursor.number + 1:
            self._append(entry)
            return Fed.APPENDED
        return Fed.KNOWN if self._knows(entry) else Fed.DOUBTED

    def extend(self, entries: list[Entry]) -> None:
        """Append *entries* that a proof of the tail's own cursor found after it."""
        for entry in entries:
            self._append(entry)

    def jump(self, cursor: Cursor) -> None:
        """Stand at *cursor*, the end of the stream, with nothing held."""
        self._held.clear()
        self._bytes = 0
        self._memory = CursorMemory(cursor)
        self.cursor = cursor

    def rewind(self, cursor: Cursor) -> None:
        """Drop what lies beyond *cursor*, one of `cursors()`: the stream holds something else."""
        while self._held and self._held[-1].entry.last_seq > cursor.number:
            self._bytes -= len(self._held.pop().text)
        if self._held and self._held[-1].entry.end != cursor:
            self._held.clear()
            self._bytes = 0
        if not self._held:
            self._memory.rewind(cursor)
        self.cursor = cursor

    def cursors(self) -> list[Cursor]:
        """List the tail's own cursors, newest first, older ones sparser, to prove it with."""
        held, back, found = self._held, 1, list[Cursor]()
        while back <= len(held):
            found.append(held[-back].entry.end)
            back *= 2
        return found + self._memory.newest_first()

    def cursors_since(self, seq: int) -> list[Cursor]:
        """List those of `cursors()` that a viewer at the head since *seq* has passed too."""
        return [cursor for cursor in self.cursors() if cursor.number >= seq]

    def after(self, cursor: Cursor) -> list[tuple[Rendered, int]] | None:
        """List what is held after *cursor*, each with how many of its records to skip.

        None if the cursor is not in what is held; an empty list at the head.
        """
        if cursor == self.cursor:
            return []
        if not self._held or cursor.number + 1 < self._held[0].entry.seq:
            return None
        found = self._beyond(cursor.number)
        if not found:
            return None
        first = found[0].entry
        if first.before == cursor.tag and first.seq == cursor.number + 1:
            skip = 0
        elif first.holds(cursor):
            skip = cursor.number - first.seq + 1
        else:
            return None
        return [(held, 0 if i else skip) for i, held in enumerate(found)]

    def newest(self) -> Rendered | None:
        """The last entry that is held."""
        return self._held[-1] if self._held else None

    def _beyond(self, seq: int) -> list[Rendered]:
        """List what is held beyond *seq*; looks from the end, where viewers are."""
        found: list[Rendered] = []
        for held in reversed(self._held):
            if held.entry.last_seq <= seq:
                break
            found.append(held)
        return found[::-1]

    def _append(self, entry: Entry) -> None:
        rendered = Rendered(entry, self._render(entry))
        self._held.append(rendered)
        self._bytes += len(rendered.text)
        self.cursor = entry.end
        while self._bytes > self._max_bytes and len(self._held) > 1:
            oldest = self._held.pop(0)
            self._bytes -= len(oldest.text)
            self._memory.add(oldest.entry.end)

    def _knows(self, entry: Entry) -> bool:
        if entry.end in self._memory.newest_first():
            return True
        return any(
            held.entry.tag == entry.tag and held.entry.id == entry.id
            for held in reversed(self._held)
        )
