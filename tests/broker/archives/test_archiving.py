"""Executions move into the archive, and out of the engine, only as they were seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.broker.executions import Execution
from tests.broker.shelf import Shelf, end, ended, messages, shelf_in
from tests.conftest import REAL_ENGINES

from runtail_broker.archives.archiving import Changed
from runtail_broker.archives.store import FolderStore
from runtail_broker.connections.client import Nodes
from runtail_broker.errors import ArchiveDamaged, ArchiveUnavailable
from runtail_broker.inventory import Inventory
from runtail_broker.keys import ERASURES
from runtail_broker.proof import Gap
from runtail_broker.script import delete_call, release_call

embedded = pytest.mark.parametrize("engine", ["embedded"], indirect=True)


@pytest.fixture
def shelf(nodes: Nodes, tmp_path: Path) -> Shelf:
    return shelf_in(nodes, tmp_path)


@pytest.mark.parametrize("engine", REAL_ENGINES, indirect=True)
async def test_an_execution_goes_into_the_archive_and_its_state_stays(
    nodes: Nodes, shelf: Shelf
) -> None:
    execution = await ended(nodes, "run")
    told = await messages(shelf, "run")
    before = await execution.state()
    assert await shelf.archiving.archive("run") > 0
    sealed = await execution.state()
    assert (sealed["archived"], sealed["seq"]) == (before["seq"], before["seq"])
    await shelf.archiving.release("run", 0)
    after = await execution.state()
    assert await execution.entries() == []
    assert (after["records"], after["bytes"]) == ("0", "0")
    same = {"epoch", "seq", "tag", "status", "end", "first", "info", "created", "ended_at"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert await messages(shelf, "run") == told


@embedded
async def test_what_runs_is_not_archived(nodes: Nodes, shelf: Shelf, tmp_path: Path) -> None:
    execution = Execution(nodes, "run")
    await execution.open()
    await execution.publish("a")
    with pytest.raises(Changed):
        await shelf.archiving.archive("run")
    assert files(tmp_path) == []


@embedded
async def test_what_was_sealed_is_not_released_before_its_grace_is_over(
    nodes: Nodes, shelf: Shelf
) -> None:
    execution = await ended(nodes, "run")
    await shelf.archiving.archive("run")
    with pytest.raises(Changed, match="early"):
        await shelf.archiving.release("run", 60)
    assert await execution.entries()


@embedded
async def test_nothing_is_released_that_is_not_archived(nodes: Nodes, shelf: Shelf) -> None:
    execution = await ended(nodes, "run")
    with pytest.raises(Changed):
        await shelf.archiving.release("run", 0)
    await shelf.archiving.archive("run")
    await execution.publish("late")
    with pytest.raises(Changed):
        await shelf.archiving.release("run", 0)
    assert (await messages(shelf, "run"))[-1] == "late"


@embedded
async def test_the_script_releases_only_what_is_archived_up_to_its_last_record(
    nodes: Nodes, shelf: Shelf
) -> None:
    """Whatever who calls it believes to know."""
    execution = await ended(nodes, "run")
    await shelf.archiving.archive("run")
    await execution.publish("late")
    (kept,) = await Inventory(nodes).kept(["run"])
    seen = kept.standing
    assert seen is not None
    call = release_call("run", seen.seen, seen.tag, seen.archive, 0)
    assert (await nodes.run(call)).word == "changed"
    assert await execution.entries()


@embedded
async def test_one_whose_stream_was_evicted_is_sealed_with_what_is_archived_already(
    nodes: Nodes, shelf: Shelf, tmp_path: Path
) -> None:
    """It must not be tried for ever; whoever reads it is told what is gone."""
    execution = await ended(nodes, "run", frames=3)
    archived = await execution.state()
    await shelf.put_away(execution)
    await execution.publish("late")
    await end(execution)
    await nodes.at(execution.keys.stream, lambda node: node.delete(execution.keys.stream))
    assert await shelf.archiving.archive("run") == 0
    await shelf.archiving.release("run", 0)
    state = await execution.state()
    assert (state["archived"], state["records"]) == (state["seq"], "0")
    assert len(files(tmp_path)) == 1
    (part,) = (await shelf.held(execution)).parts
    verdict, bounds = await shelf.reader.after("run", part.last)
    assert isinstance(verdict, Gap)
    assert verdict.lost == bounds.last.number - int(archived["seq"])


@embedded
async def test_an_archive_that_is_damaged_keeps_the_stream(
    nodes: Nodes, shelf: Shelf, tmp_path: Path
) -> None:
    execution = await ended(nodes, "run")
    await shelf.archiving.archive("run")
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-1000] + bytes(1000))
    with pytest.raises(ArchiveDamaged):
        await shelf.archiving.release("run", 0)
    assert await execution.entries()


class Failing(FolderStore):
    """A store that breaks off in the middle of an upload, or keeps something else."""

    def __init__(self, root: Path, *, spoils: bool) -> None:
        super().__init__(root)
        self._spoils = spoils

    async def put(self, name: str, parts: AsyncIterator[bytes]) -> None:
        async def some() -> AsyncIterator[bytes]:
            async for number, part in _numbered(parts):
                if number == 2 and not self._spoils:
                    raise ArchiveUnavailable("the store broke off")
                yield part[:-1] + b"!" if number == 2 else part

        await super().put(name, some())


async def _numbered(parts: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes]]:
    number = 0
    async for part in parts:
        number += 1
        yield number, part


@embedded
@pytest.mark.parametrize(("spoils", "error"), [(False, ArchiveUnavailable), (True, ArchiveDamaged)])
async def test_an_upload_that_fails_changes_nothing_and_is_made_again(
    nodes: Nodes, tmp_path: Path, spoils: bool, error: type[Exception]
) -> None:
    """Whether it broke off, or what was read back is not what was written."""
    execution = await ended(nodes, "run")
    before = await execution.state()
    shelf = Shelf(nodes, Failing(tmp_path, spoils=spoils))
    with pytest.raises(error):
        await shelf.archiving.archive("run")
    assert await execution.state() == before
    assert files(tmp_path) == ([] if not spoils else files(tmp_path))
    again = shelf_in(nodes, tmp_path)
    await again.put_away(execution)
    assert len(await messages(again, "run")) == 60


@embedded
async def test_deleting_leaves_nothing_in_the_archive_whoever_dies_meanwhile(
    nodes: Nodes, shelf: Shelf, tmp_path: Path
) -> None:
    execution = await ended(nodes, "run")
    kept = await ended(nodes, "kept")
    for each in (execution, kept):
        await shelf.put_away(each)
    epochs = {each.id: int((await each.state())["epoch"]) for each in (execution, kept)}
    await shelf.archiving.erasing(epochs)
    await nodes.run(delete_call("run", force=False, remembered_seconds=60))
    await shelf.archiving.erase_left(60, 10)
    assert len(files(tmp_path)) == 2  # whoever deletes may be about to
    await shelf.archiving.erase_left(0, 10)
    (left,) = files(tmp_path)
    assert left.parts[-3] == "kept"
    assert await nodes.at(ERASURES, lambda node: node.zcard(ERASURES)) == 0


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
