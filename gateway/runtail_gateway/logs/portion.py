"""Decide how many frames to read at once, from how large they were so far. Pure: no I/O.

A frame holds one record or thousands. Asking for a fixed number would take thousands of reads of an
execution whose worker was idle, and hold far too much of one whose worker was busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtail_broker.records.entry import Entry

_FIRST: Final = 4  # frames, while nothing is known of them
_GROWTH: Final = 16  # what was small so far may be followed by what is large
_MOST_FRAMES: Final = 1024  # about 4 ms of the engine's time
_MOST_RECORDS: Final = 12_288  # then the event loop gets to others
_MOST_BYTES: Final = 4 * 1024 * 1024  # of frames
_MOST_RENDERED: Final = 8 * 1024 * 1024  # bytes of the records in them, which may be far more


class Portion:
    """How many frames one reader of one execution asks for next."""

    def __init__(self) -> None:
        self._asked = self._records = self._bytes = self._rendered = self._frames = 0

    def frames(self, records: int) -> int:
        """How many frames to ask for when so many *records* are wanted still; at least one."""
        if not self._frames:
            self._asked = _FIRST
            return _FIRST
        wanted = min(records, _MOST_RECORDS) * self._frames // self._records + 1
        room = _MOST_BYTES * self._frames // self._bytes
        most = _MOST_RENDERED * self._frames // self._rendered
        self._asked = max(1, min(wanted, room, most, self._asked * _GROWTH, _MOST_FRAMES))
        return self._asked

    def learn(self, entries: Sequence[Entry], rendered: int) -> None:
        """Take what was read, and how large its records were; none of it leaves what was known."""
        if entries:
            self._frames = len(entries)
            self._records = max(1, sum(entry.count for entry in entries))
            self._bytes = max(1, sum(len(entry.frame) for entry in entries))
            self._rendered = max(1, rendered)
