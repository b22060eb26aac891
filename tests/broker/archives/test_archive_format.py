"""An archived part: any zstd reads it as NDJSON, one line costs one block, and no damage passes."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broker.shelf import each, texts

from runtail_broker.archives.archive import Archive, Archived
from runtail_broker.archives.archive_format import PartWriter, read_block, read_index
from runtail_broker.archives.archived import Part, listed, name_of, parts_of
from runtail_broker.archives.store import FolderStore
from runtail_broker.cursor import Cursor, RecordId, chain
from runtail_broker.errors import ArchiveDamaged
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.rendering import render
from runtail_broker.records.splice import records_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

EPOCH, NAME = 77, "run"


def frames(counts: list[int], text: str = "x % ü") -> list[Entry]:
    """A chained history: one frame of so many records after another, some in one millisecond."""
    made: list[Entry] = []
    tag, seq, place = EPOCH, 1, RecordId(1000, -1)
    for number, count in enumerate(counts):
        ms = place.ms + (number % 3 > 0)
        place = RecordId(ms, count - 1 if ms > place.ms else place.n + count)
        records = [orjson.dumps({"message": f"{text} {seq + i}"}) for i in range(count)]
        after = chain(tag, number, place)
        made.append(Entry(place, seq, count, tag, after, number % 4, encode_frame(records)))
        tag, seq = after, seq + count
    return made


def written(entries: list[Entry], block_bytes: int = 500) -> bytes:
    writer = PartWriter(NAME, EPOCH, block_bytes)
    data = b"".join(writer.add(entry) for entry in entries)
    return data + writer.close()[0]


def read(data: bytes) -> list[Entry]:
    index = read_index("it", data)
    assert (index.execution_id, index.epoch) == (NAME, EPOCH)
    return [
        entry
        for block in index.blocks
        for entry in read_block("it", data[block.offset : block.offset + block.length], block)
    ]


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=40),
    st.text(max_size=30),
    st.integers(1, 5000),
)
def test_frames_come_back_as_they_were(counts: list[int], text: str, block_bytes: int) -> None:
    entries = frames(counts, text)
    assert texts(read(written(entries, block_bytes))) == texts(entries)


def test_any_zstd_reads_it_as_one_record_a_line() -> None:
    entries = frames([3, 1, 50, 2] * 5)
    lines = [line for entry in entries for line in records_of(render(entry))]
    data, plain = written(entries), b""
    while data:  # one frame after the other, as zstdcat does
        reader = zstd.ZstdDecompressor()
        plain += reader.decompress(data)
        data = reader.unused_data
    assert plain == b"".join(line + b"\n" for line in lines)
    assert [orjson.loads(line)["seq"] for line in plain.splitlines()] == list(range(1, 281))


def test_a_frame_that_does_not_chain_is_not_written() -> None:
    writer, entries = PartWriter(NAME, EPOCH, 500), frames([1, 2, 3])
    writer.add(entries[0])
    with pytest.raises(ValueError, match="seq 4 does not follow seq 1"):
        writer.add(entries[2])


def test_no_damage_of_any_byte_passes_for_something_else() -> None:
    """A byte that is another, a piece that is missing: an error, or else the very same frames."""
    entries = frames([3, 1, 20, 2] * 5)
    data, chance = written(entries), random.Random(3)
    expected = texts(entries)
    harmless = 0
    for place in range(len(data)):
        other = bytes([data[place] ^ (1 << chance.randrange(8))])
        harmless += survives(data[:place] + other + data[place + 1 :], expected)
    assert harmless <= 8  # the head of the index's frame, which is found from the end
    for _ in range(50):
        place = chance.randrange(len(data))
        assert not survives(data[:place], expected)


def survives(data: bytes, expected: list[tuple[object, ...]]) -> bool:
    try:
        found = texts(read(data))
    except ArchiveDamaged:
        return False
    assert found == expected
    return True


class Counting(FolderStore):
    """A store that counts what is read of it."""

    reads = 0
    read_bytes = 0

    async def read(self, name: str, offset: int, length: int) -> bytes:
        self.reads += 1
        self.read_bytes += length
        return await super().read(name, offset, length)


async def test_one_line_costs_the_index_and_one_block(tmp_path: Path) -> None:
    entries = frames([1, 5] * 600, "x" * 50)
    part = Part(1, entries[-1].end)
    archive = Archive(Counting(tmp_path), cache_bytes=100_000, block_bytes=4000)
    size = await archive.write(NAME, EPOCH, part, each(entries))
    for seq in (1, 1800, 3600):
        store = Counting(tmp_path)
        held = Archived(NAME, EPOCH, (part,))
        archive = Archive(store, cache_bytes=100_000)
        found = await archive.find(held, seq)
        assert found is not None
        assert found.seq <= seq <= found.last_seq
        assert (store.reads, store.read_bytes < size / 20) == (1, True)
        await archive.find(held, seq)
        await archive.up_to(held, seq, 1)
        assert store.reads == 1  # it is remembered


async def test_what_is_remembered_stays_within_its_bound(tmp_path: Path) -> None:
    entries = frames([1, 5] * 600, "x" * 50)
    part = Part(1, entries[-1].end)
    held = Archived(NAME, EPOCH, (part,))
    store = Counting(tmp_path)
    archive = Archive(store, cache_bytes=40_000, block_bytes=4000)
    await archive.write(NAME, EPOCH, part, each(entries))
    for seq in range(1, 3600, 100):
        await archive.find(held, seq)
    assert archive._blocks._bytes <= 30_000
    assert archive._indexes._bytes <= 40_000
    before = store.reads
    await archive.find(held, 1)
    assert store.reads == before + 1


@pytest.mark.parametrize("wrong", ["another first", "another end", "another execution"])
async def test_a_part_that_is_not_what_its_name_says_is_damaged(tmp_path: Path, wrong: str) -> None:
    entries = frames([2, 3, 4])
    part = Part(1, entries[-1].end)
    archive = Archive(FolderStore(tmp_path), cache_bytes=100_000)
    await archive.write(NAME, EPOCH, part, each(entries))
    other = {
        "another first": (NAME, EPOCH, Part(2, part.last)),
        "another end": (NAME, EPOCH, Part(1, Cursor(part.last.id, 9, 1))),
        "another execution": ("other", EPOCH, part),
    }[wrong]
    path = tmp_path / name_of(NAME, EPOCH, part)
    target = tmp_path / name_of(*other)
    copy(path, target)
    with pytest.raises(ArchiveDamaged):
        await archive.verify(*other)
    with pytest.raises(ArchiveDamaged):
        await archive.after(Archived(*other[:2], (other[2],)), RecordId(0, 0), 1)


def copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(path.read_bytes())


def test_parts_are_listed_as_they_are_read_and_nonsense_is_refused() -> None:
    parts = (Part(1, Cursor(RecordId(5, 0), 9, 255)), Part(10, Cursor(RecordId(6, 1), 11, 1)))
    assert listed(parts) == "1-9-5-0-000000ff 10-11-6-1-00000001"
    assert parts_of(listed(parts)) == parts
    assert parts_of("") == ()
    with pytest.raises(ValueError, match="expected <first seq>-<last seq>-<ms>-<n>-<tag>"):
        parts_of("1-9-5-0-ff")
