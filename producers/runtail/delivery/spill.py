"""Keep on disk what cannot be stored now, and take over what dead processes left there.

One file a publisher, `<publisher id>.spill`, locked by flock as long as its process lives: a file
whose lock is free belongs to whoever takes it. Outlives the process, not the machine (no fsync).
"""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from runtail import debugging
from runtail.delivery.ask import Leave, Opening
from runtail.delivery.backoff import Backoff, RareWarnings
from runtail.delivery.buffer import Buffer
from runtail.delivery.held import Held, Place, Sealed
from runtail.delivery.journal import Journal
from runtail.delivery.locked_file import LockedFile
from runtail.delivery.spill_file import MAGIC, CorruptSpill, Written, entries, packed, unpacked
from runtail.settings import PublisherSettings

SUFFIX: Final = ".spill"
_MOST_TAKEN_OVER = 8  # files at a time, so that what is known of them stays small
_RESERVE_BYTES = 64 * 1024  # for losses and leavings, when no batch fits any more


class SpillFull(Exception):
    """An entry does not fit into the spill file's bound."""


class Spill:
    """The spill files that one publisher has: its own, and those it took over.

    Used from one thread. Nothing raises: what the disk refuses stays in memory, within the
    buffer's bounds, and is warned of.
    """

    def __init__(
        self,
        publisher: str,
        folder: Path,
        settings: PublisherSettings,
        buffer: Buffer,
        held: Held,
        warnings: RareWarnings,
    ) -> None:
        self._path = folder / f"{publisher}{SUFFIX}"
        self._settings, self._buffer, self._held = settings, buffer, held
        self._warnings = warnings
        self._refused = Backoff(settings.retry_min_seconds, settings.retry_max_seconds)
        self._files: dict[str, LockedFile] = {}
        self._numbers: dict[Journal, int] = {}  # of the journals in the own file
        self._left: set[Journal] = set()  # of these, whose leaving is in it
        self._taken: dict[str, list[Journal]] = {}

    # ---- writing

    def spill(self, journal: Journal, *, at_exit: bool = False) -> None:
        """Write down all that *journal* has to say, as far as there is room.

        *at_exit*, what found no room is dropped and counted in place.
        """
        if time.monotonic() < self._refused.until and not at_exit:
            return
        try:
            try:
                self._spill(journal)
            except SpillFull:
                self._failed("the spill file %s is full", self._path)
                if at_exit:
                    self._spill_the_loss(journal)
            self._spill_leaving(journal, at_exit)
            self._refused.succeeded()
        except SpillFull:
            self._failed("the spill file %s has no room for an ending", self._path)
        except OSError as error:
            self._refused.failed(time.monotonic())
            self._failed("the spill file %s cannot be written: %s", self._path, error)

    def _spill(self, journal: Journal) -> None:
        for sealed in journal.held_in_memory:
            journal.put_away_held(sealed, self._write(journal, sealed))
        self._spill_sealed(journal)
        while len(journal.pending):
            self._require_room(self._settings.max_frame_bytes)
            journal.seal(self._buffer.take(journal))
            self._spill_sealed(journal)

    def _spill_sealed(self, journal: Journal, reserve: int = _RESERVE_BYTES) -> None:
        for sealed in journal.unspilled:
            place = self._write(journal, sealed, reserve)
            if journal.put_away(sealed, place):
                self._buffer.spill(sealed)
                debugging.say("spilled", execution=journal.execution_id, records=sealed.records)

    def _spill_the_loss(self, journal: Journal) -> None:
        """Say what is lost: what was sealed in vain by the next number, the rest by a record."""
        self._buffer.drop_pending(journal)
        if len(journal.pending):
            journal.is_full = "spill file"
            journal.seal(self._buffer.take(journal))
            loss = journal.unspilled[-1]
            journal.put_away(loss, self._write(journal, loss, reserve=0))

    def _spill_leaving(self, journal: Journal, at_exit: bool) -> None:
        leave = journal.leaving
        if leave is not None and (journal not in self._left or at_exit):
            self._write(journal, journal.opening, reserve=0)  # with the numbers as they are now
            self._write(journal, leave, reserve=0)
            self._left.add(journal)

    def _write(self, journal: Journal, written: Written, reserve: int = _RESERVE_BYTES) -> Place:
        if journal not in self._numbers:
            number = len(self._numbers) + 1
            self._append(packed(number, journal.opening), reserve)
            self._numbers[journal] = number
        return self._append(packed(self._numbers[journal], written), reserve)

    def _append(self, data: bytes, reserve: int) -> Place:
        self._require_room(len(data), reserve)
        name = self._path.name
        if name not in self._files:
            self._files[name] = LockedFile.create(self._path, MAGIC)
        return Place(name, self._files[name].append(data), len(data))

    def _require_room(self, size: int, reserve: int = _RESERVE_BYTES) -> None:
        file, most = self._files.get(self._path.name), self._settings.max_spill_bytes
        if (file.size if file else 0) + size > most - min(reserve, most // 8):
            raise SpillFull

    def _failed(self, message: str, *values: object) -> None:
        self._buffer.count_error("spill")
        self._warnings.warn(message, *values)

    # ---- reading

    def bring_in(self, journal: Journal) -> None:
        """Read what *journal* is about to send; what cannot be read is lost, counted and told."""
        for sealed in journal.wanted:
            assert sealed.place is not None
            try:
                journal.bring_in(sealed, self._read(sealed.place).batch)
            except (OSError, CorruptSpill) as error:
                self._failed("a spilled batch is lost: %s", error)
                if journal.lose(sealed):
                    self._buffer.lose(sealed)

    def _read(self, place: Place) -> Sealed:
        data = self._files[place.file].read(place.offset, place.length)
        written = unpacked(data, place.offset).written
        if not isinstance(written, Sealed):
            raise CorruptSpill(f"the entry at {place.offset} is no batch")
        return written

    def take_over(self) -> list[Journal]:
        """Lock the files whose owners are dead; return what is to be sent from them."""
        found: list[Journal] = []
        try:
            for path in sorted(self._path.parent.glob(f"*{SUFFIX}")):
                if len(self._taken) < _MOST_TAKEN_OVER and path.name not in self._files:
                    found += self._take(path)
        except OSError as error:
            self._failed("spill files cannot be taken over: %s", error)
        return found

    def _take(self, path: Path) -> list[Journal]:
        file = LockedFile.take_over(path)
        if file is None:
            return []
        self._files[path.name] = file
        self._taken[path.name] = self._journals_in(file)
        return self._taken[path.name]

    def _journals_in(self, file: LockedFile) -> list[Journal]:
        openings: dict[int, Opening] = {}
        leaves: dict[int, Leave] = {}
        batches: dict[int, dict[int, Sealed]] = {}
        end = len(MAGIC)
        for entry in entries(file.read):
            end = entry.offset + entry.length
            match entry.written:
                case Opening():
                    openings[entry.journal] = entry.written
                case Leave():
                    leaves[entry.journal] = entry.written
                case Sealed() as sealed:
                    away = sealed.put_away(Place(file.path.name, entry.offset, entry.length))
                    batches.setdefault(entry.journal, {})[sealed.batch.number] = away
        if end < file.size:
            self._warnings.warn("the spill file %s ends in the middle of a write", file.path)
        return [
            self._journal(opening, batches.get(number, {}), leaves.get(number, Leave()))
            for number, opening in openings.items()
        ]

    def _journal(self, opening: Opening, batches: dict[int, Sealed], leave: Leave) -> Journal:
        in_order = [batches[number] for number in sorted(batches)]
        for sealed in in_order:
            self._buffer.take_over(sealed)
        return Journal.taken_over_from(
            opening, in_order, leave, held=self._held, settings=self._settings
        )

    # ---- letting go

    def sweep(self, journals: Collection[Journal]) -> None:
        """Delete the files of which nothing may be needed any more."""
        for name in list(self._files):
            if not self._is_needed(name, journals):
                self._drop(name)

    def release(self) -> None:
        """Delete the files of which everything is stored, and unlock the others."""
        for name in list(self._files):
            # without waiting for the held window: processes that are short must not pile them up
            if all(map(_is_done, self._taken.get(name, list(self._numbers)))):
                self._drop(name)
        self.abandon()

    def abandon(self) -> None:
        """Forget the files; in a forked child they are its parent's."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _is_needed(self, name: str, journals: Collection[Journal]) -> bool:
        if name in self._taken:
            return any(journal in journals for journal in self._taken[name])
        return (
            self._held.uses(name)
            or any(journal.uses(name) for journal in self._numbers)
            or not all(journal.has_left for journal in self._left)
        )

    def _drop(self, name: str) -> None:
        file = self._files.pop(name)
        self._taken.pop(name, None)
        if name == self._path.name:
            self._numbers.clear()
            self._left.clear()
        try:
            file.delete()
        except OSError as error:
            self._failed("the spill file %s cannot be deleted: %s", file.path, error)


def _is_done(journal: Journal) -> bool:
    return journal.has_left and journal.settled == journal.pending.added
