"""Records are read alike from the stream and from the archive, by the same cursors, at any line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.broker.executions import Execution
from tests.broker.shelf import Shelf, end, ended, shelf_in, texts

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START, Cursor
from runtail_broker.errors import ArchiveDamaged, ArchiveMissing, ArchiveUnavailable
from runtail_broker.log_reader import LogReader
from runtail_broker.proof import Continues, Diverged, Gap
from runtail_broker.records.entry import Entry
from runtail_broker.script import Limits

pytestmark = pytest.mark.parametrize("engine", ["embedded"], indirect=True)


@pytest.fixture
def shelf(nodes: Nodes, tmp_path: Path) -> Shelf:
    return shelf_in(nodes, tmp_path)


async def read_all(reader: LogReader, name: str, cursor: Cursor = START) -> list[Entry]:
    """Read all that follows *cursor*, two frames at a time; every page must be proved."""
    found: list[Entry] = []
    while True:
        verdict, bounds = await reader.after(name, cursor, 2)
        assert isinstance(verdict, Continues), verdict
        if not verdict.entries:
            assert cursor in (bounds.last, START)
            return found
        found += verdict.entries
        cursor = verdict.entries[-1].end


async def test_all_of_it_is_the_same_once_its_stream_is_gone(nodes: Nodes, shelf: Shelf) -> None:
    execution = await ended(nodes, "run")
    before = await execution.entries()
    await shelf.archiving.archive("run")
    assert texts(await read_all(shelf.reader, "run")) == texts(before)
    await shelf.archiving.release("run", 0)
    assert await execution.entries() == []
    assert texts(await read_all(shelf.reader, "run")) == texts(before)


async def test_every_cursor_is_proved_at_any_line(nodes: Nodes, shelf: Shelf) -> None:
    """Also inside a frame, and bare ids; what another history made is not."""
    execution = await ended(nodes, "run")
    entries = await execution.entries()
    cursors = [e.cursor_at(seq) for e in entries for seq in range(e.seq, e.last_seq + 1)]
    told = [await shelf.reader.after("run", cursor, 3) for cursor in cursors]
    await shelf.put_away(execution)
    for cursor, (verdict, _) in zip(cursors, told, strict=True):
        for asked in (cursor, Cursor(cursor.id, None, None)):
            again, _ = await shelf.reader.after("run", asked, 3)
            assert isinstance(verdict, Continues)
            assert isinstance(again, Continues)
            assert again.cursor == cursor
            following = again.entries[again.skip > 0 :] if asked.seq is None else again.entries
            if asked.seq is not None:
                assert (texts(following), again.skip) == (texts(verdict.entries), verdict.skip)
        other = Cursor(cursor.id, cursor.seq, (cursor.tag or 0) ^ 1)
        assert isinstance((await shelf.reader.after("run", other, 3))[0], Diverged)


async def test_it_is_found_by_seq_and_read_backwards(nodes: Nodes, shelf: Shelf) -> None:
    execution = await ended(nodes, "run")
    entries = await execution.entries()
    await shelf.put_away(execution)
    last = entries[-1].last_seq
    for seq in range(1, last + 1):
        (holder,) = [e for e in entries if e.seq <= seq <= e.last_seq]
        found = await shelf.reader.find("run", seq)
        assert found is not None
        assert texts([found]) == texts([holder])
        assert await shelf.reader.cursor_at("run", seq) == holder.cursor_at(seq)
        at = entries.index(holder)
        ending = await shelf.reader.ending("run", holder, 4)
        assert texts(ending) == texts(entries[max(at - 3, 0) : at + 1])
        before = await shelf.reader.before("run", holder, 4)
        assert texts(before) == texts(entries[max(at - 4, 0) : at])
    assert await shelf.reader.find("run", last + 1) is None


async def test_late_records_follow_what_is_archived_and_become_a_further_part(
    nodes: Nodes, shelf: Shelf
) -> None:
    """They go on with the next seq; a reader walks from the archive into the stream and back."""
    execution = await ended(nodes, "run", frames=10)
    first = await execution.entries()
    await shelf.put_away(execution)
    assert (await execution.publish("late")).word == "stored"
    late = await execution.entries()
    assert late[0].seq == first[-1].last_seq + 1
    both = texts([*first, *late])
    assert texts(await read_all(shelf.reader, "run")) == both
    assert texts(await shelf.reader.before("run", late[0], 2)) == both[-3:-1]
    await end(execution)
    late = await execution.entries()
    await shelf.put_away(execution)
    assert len((await shelf.held(execution)).parts) == 2
    assert texts(await read_all(shelf.reader, "run")) == texts([*first, *late])
    assert texts(await shelf.reader.before("run", late[0], 2)) == both[-3:-1]


async def test_what_was_trimmed_before_it_was_archived_is_the_same_gap(
    nodes: Nodes, shelf: Shelf
) -> None:
    execution = Execution(nodes, "run")
    await execution.open(limits=Limits(max_records=20))
    for number in range(30):
        await execution.publish(f"{number}", "…")
    await end(execution)
    old = Cursor((await execution.entries())[0].start.id, 3, 7)
    told = [(await shelf.reader.after("run", cursor, 2))[0] for cursor in (START, old)]
    await shelf.put_away(execution)
    for cursor, gap in zip((START, old), told, strict=True):
        again, _ = await shelf.reader.after("run", cursor, 2)
        assert isinstance(again, Gap)
        assert isinstance(gap, Gap)
        assert (again.after_seq, again.before_seq, again.lost, again.proved) == (
            gap.after_seq,
            gap.before_seq,
            gap.lost,
            gap.proved,
        )


async def test_trimming_drops_what_is_archived_without_a_gap(nodes: Nodes, shelf: Shelf) -> None:
    """An execution that was archived goes on and outgrows its limit while its stream is there."""
    execution = Execution(nodes, "run")
    await execution.open(limits=Limits(max_records=20))
    await execution.publish(*"abcdefghij")
    await end(execution)
    kept = await execution.entries()
    await shelf.archiving.archive("run")
    for _ in range(4):
        await execution.publish(*"abcd")
    stream = await execution.entries()
    assert stream[0].seq > 1
    assert (await execution.state())["first"] == "1"
    found = await read_all(shelf.reader, "run")
    assert [e.seq for e in found][:4] == [e.seq for e in kept]
    await execution.publish(*"abcdefghijklmno")
    assert (await execution.state())["first"] != "1"  # now something is gone
    verdict, bounds = await shelf.reader.after("run", START, 2)
    assert isinstance(verdict, Gap)
    assert verdict.lost == bounds.first_seq - 1


async def test_without_the_archive_there_is_an_error_and_no_false_gap(
    nodes: Nodes, shelf: Shelf, tmp_path: Path
) -> None:
    execution = await ended(nodes, "run")
    entries = await execution.entries()
    await shelf.put_away(execution)
    for reader in (LogReader(nodes, None), _gone(nodes, tmp_path)):
        with pytest.raises(ArchiveUnavailable):
            await reader.after("run", START, 2)
        with pytest.raises(ArchiveUnavailable):
            await reader.find("run", 3)
        with pytest.raises(ArchiveUnavailable):
            await reader.before("run", entries[3], 2)
        with pytest.raises(ArchiveUnavailable):
            await reader.ending("run", entries[3], 2)
        last = entries[-1].end
        assert isinstance((await reader.after("run", last, 2))[0], Continues)  # needs no archive


def the_file(folder: Path) -> Path:
    (path,) = folder.rglob("*.zst")
    return path


def _gone(nodes: Nodes, folder: Path) -> LogReader:
    shelf = shelf_in(nodes, folder)
    folder.rename(folder.with_name("elsewhere"))
    return shelf.reader


async def test_a_missing_or_damaged_part_is_an_error(
    nodes: Nodes, shelf: Shelf, tmp_path: Path
) -> None:
    execution = await ended(nodes, "run")
    await shelf.put_away(execution)
    path = the_file(tmp_path)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:40] + b"\0\0" + whole[42:], b""):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveDamaged):
            await read_all(shelf_in(nodes, tmp_path).reader, "run")
    path.unlink()
    with pytest.raises(ArchiveMissing):
        await read_all(shelf_in(nodes, tmp_path).reader, "run")


async def test_a_part_that_moved_meanwhile_is_found(
    nodes: Nodes, shelf: Shelf, tmp_path: Path
) -> None:
    """A reader that saw the state before all parts became one reads the new one."""
    execution = await ended(nodes, "run", frames=3)
    await shelf.put_away(execution)
    for number in range(15):
        await execution.publish(f"late {number}")
        await end(execution)
        await shelf.put_away(execution)
    assert len((await shelf.held(execution)).parts) == 16
    seen = await shelf.reader.bounds("run")
    await execution.publish("one too many")
    await end(execution)
    await shelf.put_away(execution)
    assert len((await shelf.held(execution)).parts) == 1

    class Late(LogReader):
        async def bounds(self, execution_id: str):  # type: ignore[no-untyped-def]
            nonlocal seen
            now, seen = seen, await super().bounds(execution_id)
            return now

    late = Late(nodes, shelf_in(nodes, tmp_path).archive)  # which remembers nothing
    found = await late.before("run", (await whole(shelf))[5], 2)
    assert texts(found) == texts((await whole(shelf))[3:5])


async def whole(shelf: Shelf) -> list[Entry]:
    return await read_all(shelf.reader, "run")
