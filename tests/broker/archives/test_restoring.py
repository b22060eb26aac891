"""An engine that lost what it knew gets from the archive what lies there, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.broker.archives.test_archived_notes import pin
from tests.broker.archives.test_formats import LOG, V1, archived
from tests.broker.bucket import bucket
from tests.broker.executions import Execution
from tests.broker.record_formats import NAME
from tests.broker.shelf import Shelf, each, end, ended, messages, shelf_at, shelf_in
from tests.conftest import REAL_ENGINES

from runtail_broker.archives.archive import Archive
from runtail_broker.archives.archived import Part
from runtail_broker.archives.hashes import Hashes
from runtail_broker.archives.restoring import Found, History, Unreadable, histories, restore
from runtail_broker.archives.store import FolderStore
from runtail_broker.connections.client import Nodes
from runtail_broker.executions import Executions
from runtail_broker.notes import Notes
from runtail_broker.proof import Continues
from runtail_broker.script import delete_call

STEPS = {"load ü": "3 1 12 40"}
embedded = pytest.mark.parametrize("engine", ["embedded"], indirect=True)


@pytest.fixture
def shelf(nodes: Nodes, tmp_path: Path) -> Shelf:
    return shelf_in(nodes, tmp_path)


async def emptied(nodes: Nodes) -> None:
    for shard in await nodes.shards():
        await shard.node.flushall()


async def took_steps(execution: Execution) -> None:
    """Let it have had steps, as publish.lua counts them."""
    mapping: Any = STEPS
    await execution.nodes.at(
        execution.keys.steps, lambda node: node.hset(execution.keys.steps, mapping=mapping)
    )


async def steps_of(execution: Execution) -> dict[str, str]:
    key = execution.keys.steps
    stored: Any = await execution.nodes.at(key, lambda node: node.hgetall(key))
    return {name.decode(): value.decode() for name, value in stored.items()}


async def found_in(archive: Archive) -> list[Found]:
    return [found async for found in histories(archive)]


async def restored(shelf: Shelf) -> list[str]:
    """Restore all that is in the archive; say what became of each."""
    words = []
    for found in await found_in(shelf.archive):
        assert isinstance(found, History), found
        words.append(await restore(shelf.nodes, found))
    return words


@pytest.mark.parametrize("engine", REAL_ENGINES, indirect=True)
async def test_an_engine_that_lost_all_has_again_what_was_archived(
    nodes: Nodes, shelf: Shelf
) -> None:
    """State, log, cursors, steps, notes and the place in the list are what they were."""
    execution = await ended(nodes, "run")
    await pin(execution, "look", "a")
    await took_steps(execution)
    cursor = (await execution.entries())[7].end
    await shelf.put_away(execution)
    await shelf.archiving.archive_notes("run")
    before, told = await execution.state(), await messages(shelf, "run")
    await emptied(nodes)
    assert await restored(shelf) == ["restored"]
    after = await execution.state()
    assert after | {"sealed": before["sealed"]} == before
    assert await steps_of(execution) == STEPS
    assert await messages(shelf, "run") == told
    verdict, _ = await shelf.reader.after("run", cursor)
    assert isinstance(verdict, Continues)
    assert verdict.cursor == cursor
    board = await Notes(nodes).board("run")
    assert [note.fields["text"] for note in board.notes.values()] == ["look"]
    listed = await Executions(nodes).newest(5)
    assert [state.id for state in listed] == ["run"]
    (found,) = await found_in(shelf.archive)
    assert isinstance(found, History)
    assert found.state == listed[0]


@embedded
async def test_what_the_engine_knows_stays_as_it_is(nodes: Nodes, shelf: Shelf) -> None:
    await shelf.put_away(await ended(nodes, "same"))
    await shelf.put_away(await ended(nodes, "again"))
    again = Execution(nodes, "again")
    await nodes.run(delete_call("again", force=True, remembered_seconds=0.001))
    await again.open()
    await again.publish("new")
    before = await again.state()
    assert await restored(shelf) == ["other", "known"]
    assert await again.state() == before


@embedded
async def test_what_was_deleted_on_purpose_is_not_restored(nodes: Nodes, shelf: Shelf) -> None:
    """Not while that is remembered, nor as long as its archive is still to be erased."""
    execution = await ended(nodes, "run")
    epoch = int((await execution.state())["epoch"])
    await shelf.put_away(execution)
    await nodes.run(delete_call("run", force=True, remembered_seconds=60))
    assert await restored(shelf) == ["deleted"]
    await emptied(nodes)
    await shelf.archiving.erasing({"run": epoch})
    assert await restored(shelf) == ["deleted"]
    assert await Executions(nodes).state("run") is None


@embedded
async def test_late_records_go_on_behind_what_was_restored_and_none_is_stored_twice(
    nodes: Nodes, shelf: Shelf
) -> None:
    """Publishers are known again too: a batch of a spill file that was stored is a duplicate."""
    execution = await ended(nodes, "run", frames=3)
    again = execution._sent["p1"]
    await shelf.put_away(execution)
    told = await messages(shelf, "run")
    await emptied(nodes)
    await restored(shelf)
    execution._sent["p1"] = (0, 0)
    assert (await execution.publish("0.0")).word == "duplicate"
    execution._sent["p1"] = again
    assert (await execution.publish("late")).word == "stored"
    await end(execution)
    assert await messages(shelf, "run") == [*told, "late"]
    await shelf.put_away(execution)
    assert await messages(shelf, "run") == [*told, "late"]


@embedded
async def test_nobody_has_it_open_any_more(nodes: Nodes, shelf: Shelf) -> None:
    """A worker that came late, and went with the engine, is not waited for."""
    execution = await ended(nodes, "run")
    assert (await execution.open("late", role="participant")).word == "late"
    await shelf.put_away(execution)
    await emptied(nodes)
    await restored(shelf)
    state = await execution.state()
    assert (state["open"], state["records"]) == ("0", "0")
    assert [p.open for p in await Executions(nodes).publishers("run")] == [False, False]


@embedded
async def test_of_several_parts_those_that_chain_are_taken(
    nodes: Nodes, shelf: Shelf, tmp_path: Path
) -> None:
    """One that was written in vain is left out, as is a draft."""
    execution = await ended(nodes, "run", frames=3)
    await shelf.put_away(execution)
    for text in ("late", "later"):
        await execution.publish(text)
        await end(execution)
        await shelf.put_away(execution)
    told, held = await messages(shelf, "run"), await shelf.held(execution)
    assert len(held.parts) == 3
    last = tmp_path / held.name(held.parts[-1])
    place = held.parts[1].last
    vain = Part(1, place._replace(tag=(place.tag or 0) ^ 1))  # longer, and of another history
    (tmp_path / held.name(vain)).write_text("never read")
    last.with_name(f"{last.name}.0a0b.draft").touch()
    await emptied(nodes)
    assert await restored(shelf) == ["restored"]
    assert (await shelf.held(execution)).parts == held.parts
    assert await messages(shelf, "run") == told


@embedded
async def test_of_two_histories_of_an_id_the_newer_is_restored(nodes: Nodes, shelf: Shelf) -> None:
    await shelf.put_away(await ended(nodes, "run", frames=9))
    await emptied(nodes)
    newer = await ended(nodes, "run", frames=2)
    await shelf.put_away(newer)
    epoch, told = (await newer.state())["epoch"], await messages(shelf, "run")
    await emptied(nodes)
    await restored(shelf)
    assert (await newer.state())["epoch"] == epoch
    assert await messages(shelf, "run") == told


@embedded
async def test_what_is_damaged_is_named_and_the_rest_is_restored(
    nodes: Nodes, shelf: Shelf, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        await shelf.put_away(await ended(nodes, name, frames=2))
    (path,) = (tmp_path / "b").rglob("*.zst")
    path.write_bytes(path.read_bytes()[:-5])
    (tmp_path / "c" / "0000abcd").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "readme.txt").write_text("not runtail's")
    found = await found_in(shelf.archive)
    assert [type(each) for each in found] == [History, Unreadable, History]
    assert isinstance(found[1], Unreadable)
    assert "does not end as an archive does" in str(found[1].error)


@embedded
async def test_a_part_of_the_first_format_tells_enough(nodes: Nodes, tmp_path: Path) -> None:
    """Its index has no hashes: the state is made of its first record and its end."""
    _, part, epoch = archived(tmp_path)
    (found,) = await found_in(Archive(FolderStore(tmp_path), cache_bytes=0))
    assert isinstance(found, History)
    assert (found.held.epoch, found.held.parts) == (epoch, (part,))
    shelf = shelf_in(nodes, tmp_path)
    assert await restored(shelf) == ["restored"]
    state = await Executions(nodes).state(NAME)
    assert state is not None
    last = orjson.loads(LOG[-1])
    assert (state.status, state.ended, state.last_seq) == (last["status"], True, len(LOG))
    assert state.levels == last["totals"]["levels"]
    assert state.workflow_id == orjson.loads(LOG[0])["workflow_id"]
    execution = Execution(nodes, NAME)
    await execution.open("p9", role="participant")
    assert (await execution.publish("late", publisher="p9")).word == "stored"
    assert (await messages(shelf, NAME))[-1] == "late"


async def test_hashes_of_the_first_format_are_read(tmp_path: Path) -> None:
    """What version 1 wrote is read for ever."""
    (path,) = (V1 / "restorable").rglob("*.zst")
    archive = Archive(FolderStore(V1 / "restorable"), cache_bytes=0)
    (found,) = await found_in(archive)
    assert isinstance(found, History)
    assert (found.state.workflow_id, found.state.status) == ("wf", "completed")
    assert list(found.hashes.publishers) == ["p1"]
    assert found.hashes.steps == STEPS
    assert found.hashes == (await archive.index(f"{path.relative_to(V1 / 'restorable')}")).hashes


@pytest.mark.parametrize(
    "spelled",
    [[], "x", {"state": 3}, {"state": {"a": 1}}, {"state": {"a": None}}, {"steps": ["a"]}],
)
def test_what_are_no_hashes_is_refused(spelled: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        Hashes.read(spelled)  # type: ignore[arg-type]


@embedded
@pytest.mark.parametrize(
    ("field", "value", "told"),
    [("format", "2", "has version 2"), ("seq", "many", ""), ("p1", "1 2", "be read")],
)
async def test_a_state_that_cannot_be_read_does_not_reach_an_engine(
    nodes: Nodes, shelf: Shelf, field: str, value: str, told: str
) -> None:
    execution = await ended(nodes, "run", frames=2)
    hashes = await shelf.archiving._hashes("run")
    if field == "p1":
        broken = replace(hashes, publishers={field: value})
    else:
        broken = replace(hashes, state={**hashes.state, field: value})
    entries = await execution.entries()
    part = Part(1, entries[-1].end)
    epoch = int((await execution.state())["epoch"])
    await shelf.archive.write("run", epoch, part, each(entries), broken)
    (found,) = await found_in(shelf.archive)
    if field == "seq":  # it is not of this part then: its records tell
        assert isinstance(found, History)
    else:
        assert isinstance(found, Unreadable)
        assert told in str(found.error)


@pytest.mark.full
@embedded
async def test_a_bucket_gives_back_what_a_folder_does(nodes: Nodes) -> None:
    with bucket() as url:
        shelf = shelf_at(nodes, f"{url}/some/prefix")
        told = {}
        for number in range(60):  # more than one page of the bucket's list
            name = f"run-{number}"
            await shelf.put_away(await ended(nodes, name, frames=2))
            told[name] = await messages(shelf, name)
        await emptied(nodes)
        assert await restored(shelf) == ["restored"] * 60
        assert await _all(shelf, list(told)) == told


async def _all(shelf: Shelf, names: Sequence[str]) -> dict[str, list[object]]:
    return {name: await messages(shelf, name) for name in names}
