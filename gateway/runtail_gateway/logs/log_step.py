"""What one read of a log yields, a bounded number of bytes. Pure: no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from runtail_broker.cursor import Cursor
from runtail_broker.records.entry import Entry
from runtail_broker.records.rendering import render
from runtail_broker.records.splice import records_of

MOST_BYTES: Final = 8 * 1024 * 1024
"""After so many bytes of records a step ends with the frame that it is at."""


@dataclass(slots=True)
class Step:
    """Some records after a cursor, the frames they came in, and the cursor after them."""

    cursor: Cursor
    first_seq: int
    lines: list[bytes]
    entries: list[Entry]
    bytes: int = 0
    notices: list[dict[str, object]] = field(default_factory=list)

    def cursor_at(self, count: int) -> Cursor:
        """Name the place behind the first *count* lines, at least one."""
        seq = self.first_seq + count - 1
        return next(entry for entry in self.entries if entry.last_seq >= seq).cursor_at(seq)

    @classmethod
    def of(cls, cursor: Cursor, entries: list[Entry], skip: int, limit: int) -> Step:
        """Take at most *limit* records of *entries* but the first *skip*."""
        step = cls(cursor, entries[0].seq + skip if entries else cursor.number + 1, [], [])
        for entry in entries:
            step._add(entry, skip, limit - len(step.lines))
            if len(step.lines) >= limit or step.bytes >= MOST_BYTES:
                break
            skip = 0
        return step

    def _add(self, entry: Entry, skip: int, limit: int) -> None:
        text = render(entry)
        found = records_of(text)[skip:][:limit]
        self.lines += found
        self.entries.append(entry)
        self.bytes += len(text)
        if found:
            self.cursor = entry.cursor_at(entry.seq + skip + len(found) - 1)
