"""Hold what a publisher was given and has not stored yet, within bounds. Pure but for its lock.

What is over the bounds is dropped: the oldest first, debug and info before warnings, errors last.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from runtail.delivery.held import Sealed
from runtail.delivery.journal import Journal
from runtail.delivery.pending import Bundle, Item, Logged, Pending, Progress, size_of, weight_of
from runtail.settings import DEFAULTS, PublisherSettings
from runtail_broker.records.record import LEVELS, Record

Failing = Literal["callback", "engine", "spill"]
_EXPENDABLE, _USEFUL, _PRECIOUS = range(3)
_RANK_OF = {"debug": _EXPENDABLE, "info": _EXPENDABLE, "warning": _USEFUL, "error": _PRECIOUS}
_RANKS = tuple(_RANK_OF[level] for level in LEVELS)
_NEARLY_FULL = 0.75
_STALE_AT_LEAST = 1024  # references to records that are gone, before they are swept


@dataclass(frozen=True, slots=True)
class Counters:
    """What became of a publisher's records: accepted = stored + dropped + pending + spilled."""

    accepted: int = 0
    """Records taken from the worker, and from spill files that dead processes left."""
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
    spilled: int = 0
    """Of those accepted, waiting in a spill file, for this process or the next."""
    callback_errors: int = 0
    """Callbacks of the worker's own that raised."""
    engine_errors: int = 0
    """Times that the engine could not be reached, did not answer or refused."""
    spill_errors: int = 0
    """Times that a spill file was full, or could not be written or read."""


class Buffer:
    """The records of all executions of one publisher. Safe from any thread; never blocks for I/O.

    Sealed batches count against the bounds until they are stored, and are never dropped.
    """

    def __init__(
        self,
        settings: PublisherSettings = DEFAULTS,
        may_block: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings = settings
        self._most_records, self._most_bytes = (
            settings.max_buffer_records,
            settings.max_buffer_bytes,
        )
        self._blocks, self._may_block = settings.when_full == "block", may_block
        self._closed = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everything, as a forked process must: what is here is its parent's."""
        # anew: a thread that the child does not have may hold the old one
        self._lock = threading.RLock()
        self._room = threading.Condition(self._lock)
        self._nested: deque[tuple[Journal, Logged]] = deque()  # added in the middle of something
        self._by_rank: tuple[deque[tuple[Pending, int]], ...] = (deque(), deque(), deque())
        self._ready: set[Journal] = set()
        self._records = self._bytes = 0
        self._accepted = self._stored = self._dropped = self._malformed = 0
        self._spilled = 0
        self._errors: dict[Failing, int] = dict.fromkeys(get_args(Failing), 0)

    def add(self, journal: Journal, logged: Logged) -> bool:
        """Queue *logged* for *journal*; False if it was dropped. Never raises.

        Waits for room only if the settings ask for it, and this thread may wait. May be called from
        a signal handler or a finalizer, whatever it interrupts: the record follows right behind.
        """
        if self._lock._is_owned():  # type: ignore[attr-defined]  # as Condition asks it
            self._nested.append((journal, logged))
            return True
        with self._lock:
            if self._blocks:
                self._wait_for_room(weight_of(logged), size_of(logged))
            kept = self._add(journal, logged)
            if self._nested:
                self._add_nested()
            return kept

    def _add(self, journal: Journal, logged: Logged) -> bool:
        if type(logged) is Record and logged.level is not None:  # most are: see to these in line
            rank, weight, size = _RANKS[logged.level], 1, len(logged.json)
        else:
            rank, weight, size = _rank(logged), weight_of(logged), size_of(logged)
        self._accepted += weight
        if self._closed:
            self._dropped += weight
            return False
        pending = journal.pending
        serial = pending.add(logged)
        by_rank = self._by_rank[rank]
        by_rank.append((pending, serial))
        self._records += weight
        self._bytes += size
        self._ready.add(journal)
        if self._records > self._most_records or self._bytes > self._most_bytes:
            self._evict()
            return pending.holds(serial)
        if len(by_rank) > 2 * self._records + _STALE_AT_LEAST:
            self._sweep(by_rank)
        return True

    def _add_nested(self) -> None:
        while self._nested:
            self._add(*self._nested.popleft())

    def take(self, journal: Journal) -> list[Item]:
        """Remove what fits in a frame from the head of *journal*'s records, to be sealed."""
        with self._lock:
            settings = self._settings
            taken = journal.pending.take(settings.max_frame_records, settings.max_frame_bytes)
            self._add_nested()
            return taken

    def shrink(self, size: int) -> None:
        """Note that records were cut by *size* bytes of JSON after they were taken."""
        with self._lock:
            self._bytes -= size

    def ready(self) -> set[Journal]:
        """Take the journals that got records since this was last asked."""
        with self._lock:
            self._add_nested()
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
            self._leaves(sealed)

    def spill(self, sealed: Sealed) -> None:
        """Note that the records in *sealed* wait in a spill file, and take no memory any more."""
        with self._lock:
            self._leaves(sealed)
            self._spilled += sealed.records

    def take_over(self, sealed: Sealed) -> None:
        """Note that the records in *sealed* were found in a spill file that somebody left."""
        with self._lock:
            self._accepted += sealed.records
            self._spilled += sealed.records

    def lose(self, sealed: Sealed) -> None:
        """Note that the records in *sealed* are gone: their spill file cannot be read."""
        with self._lock:
            self._dropped += sealed.records
            self._leaves(sealed)

    def drop_pending(self, journal: Journal) -> None:
        """Drop, and count in place, all records of *journal* that are not sealed."""
        with self._lock:
            for logged in journal.pending.drop_all():
                self._drop(logged)

    @property
    def is_nearly_full(self) -> bool:
        """Whether three quarters of what may wait in memory are taken."""
        return self._records > self._most_records * _NEARLY_FULL or (
            self._bytes > self._most_bytes * _NEARLY_FULL
        )

    def count_malformed(self) -> None:
        """Count a record that could not be encoded as it was."""
        with self._lock:
            self._malformed += 1

    def count_error(self, failing: Failing) -> None:
        """Count something that raised, and hurt nobody."""
        with self._lock:
            self._errors[failing] += 1

    def close(self) -> None:
        """Drop, and count, whatever is added from now on."""
        with self._lock:
            self._closed = True
            self._room.notify_all()

    def counters(self, retried: int) -> Counters:
        """Count what became of the records."""
        with self._lock:
            return Counters(
                accepted=self._accepted,
                stored=self._stored,
                dropped=self._dropped,
                pending=self._records,
                retried=retried,
                malformed=self._malformed,
                spilled=self._spilled,
                callback_errors=self._errors["callback"],
                engine_errors=self._errors["engine"],
                spill_errors=self._errors["spill"],
            )

    def _leaves(self, sealed: Sealed) -> None:
        """Take *sealed* out of where it waited."""
        if sealed.place is not None:
            self._spilled -= sealed.records
            return
        self._records -= sealed.records
        self._bytes -= sealed.buffered_bytes
        self._room.notify_all()

    def _has_room(self, weight: int, size: int) -> bool:
        return self._records == 0 or (
            self._records + weight <= self._most_records and self._bytes + size <= self._most_bytes
        )

    def _wait_for_room(self, weight: int, size: int) -> None:
        if not self._has_room(weight, size) and self._may_block():
            self._room.wait_for(
                lambda: self._closed or self._has_room(weight, size), self._settings.block_seconds
            )

    def _drop(self, logged: Logged) -> None:
        self._dropped += weight_of(logged)
        self._records -= weight_of(logged)
        self._bytes -= size_of(logged)

    def _is_over(self) -> bool:
        return self._records > self._most_records or self._bytes > self._most_bytes

    def _evict(self) -> None:
        for by_rank in self._by_rank:
            while by_rank and self._is_over():
                pending, serial = by_rank.popleft()
                logged = pending.drop(serial)
                if logged is not None:
                    self._drop(logged)

    def _sweep(self, by_rank: deque[tuple[Pending, int]]) -> None:
        """Forget the places of records that were sealed; costs nothing on average."""
        waiting = [(p, serial) for p, serial in by_rank if serial > p.taken and p.holds(serial)]
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
    return _RANKS[level]
