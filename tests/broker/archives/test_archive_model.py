"""The archive's condition: appends, ends, deletions, and sweepers that sleep, in any order."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from tests.broker.executions import Execution
from tests.broker.shelf import Shelf, end, messages, shelf_in

from runtail_broker.archives.archiving import Archiving, Changed
from runtail_broker.connections.client import Nodes
from runtail_broker.script import delete_call


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


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize("seeds", [range(12), pytest.param(range(12, 200), marks=pytest.mark.full)])
@pytest.mark.timeout(600)
async def test_in_any_order_no_record_is_lost_and_none_is_there_twice(
    nodes: Nodes, tmp_path: Path, seeds: range
) -> None:
    """Appends, ends, deletions, and sweepers that sleep between any two of their steps."""
    moves, shelf = 0, shelf_in(nodes, tmp_path)
    for seed in seeds:
        schedule = Schedule(shelf, seed)
        await schedule.run(40)
        moves += schedule.moves
    assert moves > len(seeds)
