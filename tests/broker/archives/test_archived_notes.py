"""Notes lie in the archive as they were when they were read, and anew when they have changed."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broker.executions import Execution
from tests.broker.shelf import Shelf, ended, shelf_in

from runtail_broker.archives.archive_format import compressed
from runtail_broker.archives.archived_notes import (
    ArchivedNotes,
    read_notes,
    write_notes,
)
from runtail_broker.archives.archiving import Changed
from runtail_broker.connections.client import Nodes
from runtail_broker.errors import ArchiveDamaged, ArchiveMissing, NewerFormat
from runtail_broker.notes import Note, Notes
from runtail_broker.script import delete_call, file_call, note_call

V1 = Path(__file__).parents[1] / "formats" / "v1" / "notes"
NOTE = Note("n1", "1700000000000-0", "key:1", {"id": "n1", "seq": 3, "text": "look ü"})
HELD = ArchivedNotes("run", 7, 12, (NOTE,))


async def pin(execution: Execution, text: str, note_id: str) -> None:
    json = orjson.dumps({"id": note_id, "seq": 1, "text": text})
    answer = await execution.nodes.run(note_call(execution.id, "", json, "key:1", 9))
    assert answer.word == "noted"


@pytest.fixture
def shelf(nodes: Nodes, tmp_path: Path) -> Shelf:
    return shelf_in(nodes, tmp_path)


async def held_of(shelf: Shelf, execution: Execution) -> list[str]:
    state = await execution.state()
    archived = await shelf.archive.notes(execution.id, int(state["epoch"]))
    assert archived.noted == int(state["filed"])
    return [note.fields["text"] for note in archived.notes]


@given(st.lists(st.text(max_size=50), max_size=5), st.integers(0, 2**53), st.text())
def test_what_is_written_is_read(texts: list[str], noted: int, mark: str) -> None:
    notes = tuple(
        Note(f"n{i}", f"{i}-0", mark, {"id": f"n{i}", "text": text}) for i, text in enumerate(texts)
    )
    held = ArchivedNotes("run", 7, noted, notes)
    assert read_notes("x", write_notes(held)) == held


def test_the_first_format_is_read() -> None:
    """What version 1 wrote is read for ever."""
    assert read_notes("x", V1.read_bytes()) == HELD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zstd",
        write_notes(HELD)[:-3],
        compressed(b"{}\n"),
        compressed(b"[]\n"),
        compressed(b'{"format":"other","version":1}\n'),
    ],
)
def test_what_is_no_notes_is_damaged(data: bytes) -> None:
    with pytest.raises(ArchiveDamaged, match="x"):
        read_notes("x", data)


def test_a_newer_format_is_named() -> None:
    head = {"format": "runtail.notes", "version": 2}
    with pytest.raises(NewerFormat, match="version 2"):
        read_notes("x", compressed(orjson.dumps(head) + b"\n"))


async def test_notes_are_archived_with_their_log_and_again_when_they_change(
    shelf: Shelf, nodes: Nodes
) -> None:
    execution = await ended(nodes, "noted")
    await pin(execution, "one", "a")
    await shelf.put_away(execution)
    await shelf.archiving.archive_notes(execution.id)
    assert await held_of(shelf, execution) == ["one"]
    await pin(execution, "two", "b")
    await shelf.archiving.archive_notes(execution.id)
    assert await held_of(shelf, execution) == ["one", "two"]
    board = await Notes(nodes).board(execution.id)
    assert [note.fields["text"] for note in board.notes.values()] == ["one", "two"]


async def test_notes_of_what_was_deleted_meanwhile_leave_nothing(
    shelf: Shelf, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = await ended(nodes, "noted")
    await pin(execution, "one", "a")
    epoch = int((await execution.state())["epoch"])
    write = shelf.archive.write_notes

    async def deleted_then(archived: ArchivedNotes) -> None:
        await nodes.run(delete_call(execution.id, force=True, remembered_seconds=1))
        await write(archived)

    monkeypatch.setattr(shelf.archive, "write_notes", deleted_then)
    with pytest.raises(Changed):
        await shelf.archiving.archive_notes(execution.id)
    with pytest.raises(ArchiveMissing):
        await shelf.archive.notes(execution.id, epoch)


async def test_an_earlier_change_does_not_hide_a_later_one(shelf: Shelf, nodes: Nodes) -> None:
    """A gateway that was asleep says what it read long ago: the state keeps the later one."""
    execution = await ended(nodes, "noted")
    await pin(execution, "one", "a")
    early = await Notes(nodes).board(execution.id)
    await pin(execution, "two", "b")
    await shelf.archiving.archive_notes(execution.id)
    filed = (await execution.state())["filed"]
    assert int(filed) > early.noted
    assert (await nodes.run(file_call(execution.id, early.epoch, early.noted))).word == "filed"
    assert (await execution.state())["filed"] == filed
