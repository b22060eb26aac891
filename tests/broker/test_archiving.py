"""Executions move into the archive, and out of the engine, only as they were seen."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.broker.archives import Shelf, end, ended, shelf_in
from tests.broker.executions import Execution
from tests.conftest import REAL_ENGINES

from runtail_broker.archiving import Archiving, Changed
from runtail_broker.client import Nodes
from runtail_broker.cursor import START
from runtail_broker.errors import ArchiveDamaged, ArchiveUnavailable
from runtail_broker.inventory import Inventory
from runtail_broker.keys import ERASURES
from runtail_broker.proof import Continues
from runtail_broker.rendering import render
from runtail_broker.script import delete_call, release_call
from runtail_broker.splice import records_of
from runtail_broker.store import FolderStore

embedded = pytest.mark.parametrize("engine", ["embedded"], indirect=True)


@pytest.fixture
def shelf(nodes: Nodes, tmp_path: Path) -> Shelf:
    return shelf_in(nodes, tmp_path)


async def messages(shelf: Shelf, name: str) -> list[object]:
    """Read the messages of all logs, from wherever they lie; every page must be proved."""
    found: list[dict[str, Any]] = []
    cursor = START
    while True:
        verdict, _ = await shelf.reader.after(name, cursor, 7)
        assert isinstance(verdict, Continues), verdict
        if not verdict.entries:
            break
        found += [
            orjson.loads(line) for entry in verdict.entries for line in records_of(render(entry))
        ]
        cursor = verdict.entries[-1].end
    assert [record["seq"] for record in found] == list(range(1, len(found) + 1))
    return [record["message"] for record in found if "message" in record]


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


# --- in any order --------------------------------------------------------------------------------


class Sleepy(Nodes):
    """Nodes of a sweeper that falls asleep before each step, until it is woken for one."""

    def __init__(self, nodes: Nodes) -> None:
        super().__init__(nodes._clients.first)
        self._asleep, self._awake = asyncio.Event(), asyncio.Event()

    async def _sleep(self) -> None:
        self._asleep.set()
        await self._awake.wait()
        self._awake.clear()

    async def at(self, key: str, act: Any) -> Any:
        await self._sleep()
        return await super().at(key, act)

    async def run_all(self, calls: Any, **how: Any) -> Any:
        await self._sleep()
        return await super().run_all(calls, **how)

    async def step(self, task: asyncio.Task[None]) -> None:
        """Let *task*, which is asleep or has ended, go on until it is again."""
        self._asleep.clear()
        self._awake.set()
        asleep = asyncio.create_task(self._asleep.wait())
        await asyncio.wait([task, asleep], return_when=asyncio.FIRST_COMPLETED)
        asleep.cancel()


class Schedule:
    """Workers, sweepers that sleep, and deletions of one execution, in an order of chance."""

    def __init__(self, shelf: Shelf, seed: int) -> None:
        self.shelf, self.chance = shelf, random.Random(seed)
        self.execution = Execution(shelf.nodes, f"run-{seed}")
        self.said: list[str] = []
        self.sweepers: list[tuple[Sleepy, asyncio.Task[None]]] = []
        self.moves = 0

    async def run(self, steps: int) -> None:
        await self.execution.open()
        for step in range(steps):
            await self._one(step)
            assert await messages(self.shelf, self.execution.id) == self.said
        for nodes, task in self.sweepers:
            while not task.done():
                await nodes.step(task)
        await end(self.execution)
        assert await messages(self.shelf, self.execution.id) == self.said

    async def _one(self, step: int) -> None:
        match self.chance.choices("pewsd", (30, 40, 120, 30, 2))[0]:
            case "p":
                texts = [f"{step}.{i}" for i in range(self.chance.randint(1, 4))]
                assert (await self.execution.publish(*texts)).word == "stored"
                self.said += texts
            case "e":
                await end(self.execution)
            case "d":
                await self._begin_anew()
            case "w" if self.sweepers:
                nodes, task = self.chance.choice(self.sweepers)
                await nodes.step(task)
                self.sweepers = [(n, t) for n, t in self.sweepers if not t.done()]
            case _:
                nodes = Sleepy(self.shelf.nodes)
                archiving = Archiving(nodes, self.shelf.archive)
                self.sweepers.append((nodes, asyncio.create_task(self._sweep(archiving))))

    async def _begin_anew(self) -> None:
        """Delete it, archive and all; whoever sleeps saw another history of the same id."""
        epoch = int((await self.execution.state())["epoch"])
        call = delete_call(self.execution.id, force=True, remembered_seconds=60)
        assert (await self.shelf.nodes.run(call)).word == "deleted"
        await self.shelf.archive.erase(self.execution.id, epoch)
        self.execution = Execution(self.shelf.nodes, self.execution.id)
        await self.execution.open()
        self.said = []

    async def _sweep(self, archiving: Archiving) -> None:
        try:
            if self.chance.random() < 0.5:
                await archiving.archive(self.execution.id)
            else:
                await archiving.release(self.execution.id, 0)
            self.moves += 1
        except Changed:
            pass


@embedded
@pytest.mark.parametrize("seeds", [range(12), pytest.param(range(12, 200), marks=pytest.mark.full)])
@pytest.mark.timeout(600)
async def test_in_any_order_no_record_is_lost_and_none_is_there_twice(
    nodes: Nodes, shelf: Shelf, seeds: range
) -> None:
    """Appends, ends, deletions, and sweepers that sleep between any two of their steps."""
    moves = 0
    for seed in seeds:
        schedule = Schedule(shelf, seed)
        await schedule.run(40)
        moves += schedule.moves
    assert moves > len(seeds)
