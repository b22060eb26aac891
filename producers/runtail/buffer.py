"""Hold what a publisher was given and has not stored yet, within bounds. Pure but for its lock.

What is over the bounds is dropped: the oldest first, debug and info before warnings, errors last.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from runtail.held import Sealed
from runtail.journal import Journal
from runtail.pending import Bundle, Item, Logged, Pending, Progress, size_of, weight_of
from runtail.settings import DEFAULTS, PublisherSettings
from runtail_broker.record import LEVELS

_EXPENDABLE, _USEFUL, _PRECIOUS = range(3)
_WARNING, _ERROR = LEVELS.index("warning"), LEVELS.index("error")
_STALE_AT_LEAST = 1024  # references to records that are gone, before they are swept


@dataclass(frozen=True, slots=True)
class Counters:
    """What became of the records of a publisher: accepted = stored + dropped + pending."""

    accepted: int = 0
    """Records taken from the worker."""
    stored: int = 0
    """Of these, acknowledged by the engine."""
    dropped: int = 0
    """Of these, dropped because the buffer was full or the publisher closed."""
    pending: int = 0
    """Of these, waiting or in flight."""
    retried: int = 0
    """Batches that were sent more than once."""
    malformed: int = 0
    """Records that could not be encoded as they were, and were published with a note instead."""


class Buffer:
    """The records of all executions of one publisher. Safe from any thread; never blocks for I/O.

    Sealed batches count against the bounds until they are stored, and are never dropped.
    """

    def __init__(self, settings: PublisherSettings = DEFAULTS) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._by_rank: tuple[deque[tuple[Pending, int]], ...] = (deque(), deque(), deque())
        self._ready: set[Journal] = set()
        self._records = self._bytes = 0
        self._accepted = self._stored = self._dropped = self._malformed = 0
        self._closed = False

    def add(self, journal: Journal, logged: Logged) -> bool:
        """Queue *logged* for *journal*; False if it was dropped. Never blocks, never raises."""
        rank, weight, size = _rank(logged), weight_of(logged), size_of(logged)
        pending = journal.pending
        with self._lock:
            self._accepted += weight
            if self._closed:
                self._dropped += weight
                return False
            serial = pending.add(logged)
            by_rank = self._by_rank[rank]
            by_rank.append((pending, serial))
            self._records += weight
            self._bytes += size
            self._ready.add(journal)
            if self._is_over():
                self._evict()
                return pending.holds(serial)
            if len(by_rank) > 2 * self._records + _STALE_AT_LEAST:
                self._sweep(by_rank)
        return True

    def take(self, journal: Journal) -> list[Item]:
        """Remove what fits in a frame from the head of *journal*'s records, to be sealed."""
        with self._lock:
            settings = self._settings
            return journal.pending.take(settings.max_frame_records, settings.max_frame_bytes)

    def ready(self) -> set[Journal]:
        """Take the journals that got records since this was last asked."""
        with self._lock:
            ready, self._ready = self._ready, set()
        return ready

    def has_ready(self, wanted: Callable[[Journal], bool]) -> bool:
        """Whether `ready` would name any that is *wanted*."""
        with self._lock:
            return any(map(wanted, self._ready))

    def settle(self, sealed: Sealed) -> None:
        """Note that the records in *sealed* are stored."""
        with self._lock:
            self._stored += sealed.records
            self._records -= sealed.records
            self._bytes -= sealed.buffered_bytes

    def count_malformed(self) -> None:
        """Count a record that could not be encoded as it was."""
        with self._lock:
            self._malformed += 1

    def close(self) -> None:
        """Drop, and count, whatever is added from now on."""
        with self._lock:
            self._closed = True

    def counters(self, retried: int) -> Counters:
        """Count what became of the records."""
        with self._lock:
            return Counters(
                self._accepted, self._stored, self._dropped, self._records, retried, self._malformed
            )

    def _is_over(self) -> bool:
        settings = self._settings
        return self._records > settings.max_buffer_records or self._bytes > (
            settings.max_buffer_bytes
        )

    def _evict(self) -> None:
        for by_rank in self._by_rank:
            while by_rank and self._is_over():
                pending, serial = by_rank.popleft()
                logged = pending.drop(serial)
                if logged is not None:
                    self._dropped += weight_of(logged)
                    self._records -= weight_of(logged)
                    self._bytes -= size_of(logged)

    def _sweep(self, by_rank: deque[tuple[Pending, int]]) -> None:
        """Forget the places of records that were sealed; costs nothing on average."""
        waiting = [place for place in by_rank if place[0].holds(place[1])]
        by_rank.clear()
        by_rank.extend(waiting)


def _rank(logged: Logged) -> int:
    if isinstance(logged, Bundle):
        # as precious as the most precious among them
        level: int | None = max(number for number, count in enumerate(logged.levels) if count)
    else:
        level = logged.level
    if level is None:
        # an older progress is worth nothing beside a newer one
        return _EXPENDABLE if isinstance(logged, Progress) else _USEFUL
    return _EXPENDABLE if level < _WARNING else _USEFUL if level < _ERROR else _PRECIOUS
