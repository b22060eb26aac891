"""Read archived frames by id and by seq, a block at a time, and write new parts.

A part is never read whole: its index first, which stays in memory as blocks do, within a bound.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Generic, TypeVar

from runtail_broker.archives.archive_format import (
    TAIL_BYTES,
    Index,
    PartWriter,
    check_block,
    index_bytes,
    read_block,
    read_index,
)
from runtail_broker.archives.archived import Part, folder_of, name_of, parts_of
from runtail_broker.archives.archived_notes import (
    MOST_BYTES,
    ArchivedNotes,
    notes_name,
    read_notes,
    write_notes,
)
from runtail_broker.archives.hashes import UNKNOWN, Hashes
from runtail_broker.archives.store import Store
from runtail_broker.cursor import RecordId
from runtail_broker.errors import ArchiveDamaged
from runtail_broker.records.entry import Entry

T = TypeVar("T")
_ENTRY_BYTES: Final = 300  # what one costs in memory beside its frame
_ROW_BYTES: Final = 300  # and one block in an index
_READS_AT_ONCE: Final = 8  # each holds a block


@dataclass(frozen=True, slots=True)
class Archived:
    """What of one execution's history lies in the archive, as its state lists it."""

    execution_id: str
    epoch: int
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, execution_id: str, epoch: int, listed: str) -> Archived:
        """Read the parts that a state lists."""
        return cls(execution_id, epoch, parts_of(listed))

    def name(self, part: Part) -> str:
        """Name the object of *part*."""
        return name_of(self.execution_id, self.epoch, part)


class Archive:
    """The archive in *store*, of which at most *cache_bytes* are kept in memory.

    Raises ArchiveUnavailable while the store is away, ArchiveDamaged for what is not what was
    written (also for what is not there), NewerFormat for a part that a newer runtail wrote. Use
    within one event loop.
    """

    def __init__(self, store: Store, *, cache_bytes: int, block_bytes: int = 512 * 1024) -> None:
        self._store, self._block_bytes = store, block_bytes
        self._indexes: _Cache[Index] = _Cache(cache_bytes // 4)
        self._blocks: _Cache[list[Entry]] = _Cache(cache_bytes - cache_bytes // 4)
        self._reads = asyncio.Semaphore(_READS_AT_ONCE)

    # --- reading -------------------------------------------------------------------------------

    async def after(
        self, archived: Archived, place: RecordId, count: int, *, inclusive: bool = False
    ) -> list[Entry]:
        """Read at most *count* frames, unbroken, that end after *place* (or there)."""
        find = bisect_left if inclusive else bisect_right
        number = find(archived.parts, place, key=lambda part: part.last.id)
        if number == len(archived.parts):
            return []
        name, index = await self._open(archived, archived.parts[number])
        at = find(index.blocks, place, key=lambda block: block.last.id)
        found: list[Entry] = []
        while len(found) < count and at < len(index.blocks):
            entries = await self._block(name, index, at)
            found += entries[find(entries, place, key=lambda entry: entry.id) :]
            at += 1
        return found[:count]

    async def up_to(self, archived: Archived, seq: int, count: int) -> list[Entry]:
        """Read at most *count* frames, ascending and unbroken, that end with the record *seq*.

        Of the last frame more than that may come along. Empty when *seq* is not there.
        """
        part = _part_at(archived.parts, seq)
        if part is None or part.first_seq > seq:
            return []
        name, index = await self._open(archived, part)
        at = bisect_left(index.blocks, seq, key=lambda block: block.last.number)
        found: list[Entry] = []
        while len(found) < count and at >= 0:
            entries = await self._block(name, index, at)
            found = [entry for entry in entries if entry.seq <= seq] + found
            at -= 1
        return found[-count:]

    async def find(self, archived: Archived, seq: int) -> Entry | None:
        """Find the frame that holds the record *seq*, or the first after it; None if none does."""
        part = _part_at(archived.parts, seq)
        if part is None:
            return None
        name, index = await self._open(archived, part)
        at = bisect_left(index.blocks, seq, key=lambda block: block.last.number)
        entries = await self._block(name, index, at)
        return entries[bisect_left(entries, seq, key=lambda entry: entry.last_seq)]

    async def index(self, name: str) -> Index:
        """Read the index of the object *name*: what it holds."""
        tail = await self._store.tail(name, TAIL_BYTES)
        size = index_bytes(name, tail)
        if size > len(tail) == TAIL_BYTES:
            tail = await self._store.tail(name, size)
        return read_index(name, tail)

    def names(self) -> AsyncIterator[str]:
        """Name all objects, those of one folder together."""
        return self._store.names()

    # --- writing -------------------------------------------------------------------------------

    async def write(
        self,
        execution_id: str,
        epoch: int,
        part: Part,
        entries: AsyncIterable[Entry],
        hashes: Hashes = UNKNOWN,
    ) -> int:
        """Store *entries*, which must be exactly *part*, and read it back; return its bytes.

        *hashes* are kept with it. Raises ValueError if they are others; nothing is stored then.
        """
        writer = PartWriter(execution_id, epoch, self._block_bytes, hashes)
        name = name_of(execution_id, epoch, part)
        await self._store.put(name, _written(writer, part, entries))
        return await self.verify(execution_id, epoch, part)

    async def verify(self, execution_id: str, epoch: int, part: Part) -> int:
        """Read all of *part* and compare it with its index; return how many bytes it takes."""
        name = name_of(execution_id, epoch, part)
        index = await self.index(name)
        _require(name, index, execution_id, epoch, part)
        for block in index.blocks:
            async with self._reads:
                data = await self._store.read(name, block.offset, block.length)
            check_block(name, data, block)
        return sum(block.length for block in index.blocks)

    async def write_notes(self, archived: ArchivedNotes) -> None:
        """Store the notes of a history, in place of what was stored of them before."""
        name = notes_name(archived.execution_id, archived.epoch)
        await self._store.put(name, _whole(write_notes(archived)))

    async def notes(self, execution_id: str, epoch: int) -> ArchivedNotes:
        """Read the notes of a history; raises ArchiveMissing if none were stored."""
        name = notes_name(execution_id, epoch)
        return read_notes(name, await self._store.read(name, 0, MOST_BYTES))

    async def erase(self, execution_id: str, epoch: int) -> None:
        """Remove all that is archived of one history."""
        await self._store.clear(folder_of(execution_id, epoch))

    async def remove(self, execution_id: str, epoch: int, part: Part) -> None:
        """Remove one part, which no state lists any more."""
        await self._store.remove(name_of(execution_id, epoch, part))

    # --- inside --------------------------------------------------------------------------------

    async def _open(self, archived: Archived, part: Part) -> tuple[str, Index]:
        name = archived.name(part)
        index = self._indexes.get(name)
        if index is None:
            index = await self.index(name)
            _require(name, index, archived.execution_id, archived.epoch, part)
            self._indexes.put(name, index, _ROW_BYTES * len(index.blocks))
        return name, index

    async def _block(self, name: str, index: Index, number: int) -> list[Entry]:
        block = index.blocks[number]
        key = f"{name} {number} {block.checksum}"
        entries = self._blocks.get(key)
        if entries is None:
            async with self._reads:
                data = await self._store.read(name, block.offset, block.length)
            try:
                entries = read_block(name, data, block)
            except ArchiveDamaged:
                self._indexes.drop(name)  # it may have been written anew since the index was read
                raise
            self._blocks.put(key, entries, sum(map(_size, entries)))
        return entries


def _part_at(parts: Sequence[Part], seq: int) -> Part | None:
    """Find the part that holds *seq*, or the first after it."""
    at = bisect_left(parts, seq, key=lambda part: part.last.number)
    return parts[at] if at < len(parts) else None


async def _written(
    writer: PartWriter, part: Part, entries: AsyncIterable[Entry]
) -> AsyncIterator[bytes]:
    first: Entry | None = None
    async for entry in entries:
        first = first or entry
        if data := writer.add(entry):
            yield data
    if first is None or first.seq != part.first_seq or writer.last is None:
        raise ValueError(f"records begin with seq {first and first.seq}, expected {part.first_seq}")
    if writer.last.end != part.last:
        raise ValueError(f"records end at {writer.last.end}, expected {part.last}")
    rest, _ = writer.close()
    yield rest


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _require(name: str, index: Index, execution_id: str, epoch: int, part: Part) -> None:
    """Raise ArchiveDamaged unless *index* is that of *part*, from its first record to its last."""
    blocks = index.blocks
    if (index.execution_id, index.epoch) != (execution_id, epoch) or not blocks:
        raise ArchiveDamaged(name, f"it holds {index.execution_id!r}, epoch {index.epoch:08x}")
    if (blocks[0].first_seq, blocks[-1].last) != (part.first_seq, part.last):
        held = f"records {blocks[0].first_seq} to {blocks[-1].last}"
        raise ArchiveDamaged(name, f"it holds {held}, expected {part.first_seq} to {part.last}")
    for one, other in pairwise(blocks):
        if (one.last.number + 1, one.last.tag) != (other.first_seq, other.before):
            raise ArchiveDamaged(name, f"its blocks do not chain at seq {other.first_seq}")


def _size(entry: Entry) -> int:
    return len(entry.frame) + _ENTRY_BYTES


class _Cache(Generic[T]):
    """Remember values by name, within *max_bytes*; the one longest not asked for is dropped."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._values: OrderedDict[str, tuple[T, int]] = OrderedDict()

    def get(self, name: str) -> T | None:
        found = self._values.get(name)
        if found is None:
            return None
        self._values.move_to_end(name)
        return found[0]

    def put(self, name: str, value: T, size: int) -> None:
        self.drop(name)
        self._values[name] = (value, size)
        self._bytes += size
        while self._bytes > self._max_bytes:
            self.drop(next(iter(self._values)))

    def drop(self, name: str) -> None:
        _, size = self._values.pop(name, (None, 0))
        self._bytes -= size
