"""Random faults over two gateways: in the end every viewer has the stream, each record once.

What a viewer lacks was named in a gap, what it had to drop in a reset; nothing else is allowed.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import PULLED, PUSHED, Running, running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Copy, Worker

from runtail_broker.connections.client import Nodes

Log = dict[int, dict[str, Any]]


class Chaos:
    """One execution, two gateways, some viewers, and what the stream has held since its epoch."""

    def __init__(self, seed: int, nodes: Nodes, worker: Worker, gateways: list[Running]) -> None:
        self.chance = random.Random(seed)
        self.nodes, self.worker, self.gateways = nodes, worker, gateways
        self.log: Log = {}
        self.copies: list[tuple[Copy, Log]] = []
        self.here: list[Watcher] = []
        self.away: list[Watcher] = []
        self.said = 0

    async def run(self, steps: int) -> None:
        await self.worker.open()
        await self.note()
        weighted = [
            (self.publish, 50),
            (self.join, 8),
            (self.leave, 8),
            (self.come_back, 10),
            (self.stall, 4),
            (self.trim, 4),
            (self.keep_copy, 6),
            (self.fail_over, 5),
            (self.cut_live, 1),
            (self.empty, 1),
        ]
        acts, weights = zip(*weighted, strict=True)
        for _ in range(steps):
            await self.chance.choices(acts, weights)[0]()
            await asyncio.sleep(self.chance.choice([0, 0, 0, 0.01]))

    async def publish(self) -> None:
        self.worker.unheard = self.chance.random() < 0.15
        for _ in range(self.chance.choice([1, 1, 5, 20])):
            self.said += 1
            size = self.chance.choice([10, 10, 10, 3000])
            count = self.chance.randint(1, 8)
            await self.worker.log(*(f"{self.said}.{i} ".ljust(size, "x") for i in range(count)))
        await self.note()

    async def note(self) -> None:
        """Take over what the stream holds now; what was trimmed stays in the log."""
        stored = {record["seq"]: record for record in await self.worker.stored()}
        kept = {seq: record for seq, record in self.log.items() if seq < min(stored)}
        self.log = kept | stored

    async def join(self) -> None:
        if len(self.here) + len(self.away) < 8:
            query = self.chance.choice(["", "", "tail=5", "after=$"])
            watcher = self.gateway().watch(self.worker.execution_id, query)
            await watcher.connect(query)
            self.here.append(watcher)

    async def leave(self) -> None:
        if self.here:
            watcher = self.here.pop(self.chance.randrange(len(self.here)))
            await watcher.leave()
            if watcher.of("hello"):
                self.away.append(watcher)

    async def come_back(self) -> None:
        if self.away:
            watcher = self.away.pop(self.chance.randrange(len(self.away)))
            await watcher.come_back(self.gateway().sockets)
            self.here.append(watcher)

    async def stall(self) -> None:
        """One viewer stops to read, or reads on."""
        if self.here:
            reading = self.chance.choice(self.here).reading
            (reading.clear if reading.is_set() else reading.set)()

    async def trim(self) -> None:
        entries = len(await self.worker.entries())
        if entries > 3:
            await self.worker.trim(self.chance.randint(1, entries // 2))

    async def keep_copy(self) -> None:
        self.copies = [*self.copies[-3:], (await self.worker.copy(), dict(self.log))]

    async def fail_over(self) -> None:
        if self.copies:
            number = self.chance.randrange(len(self.copies))
            copy, self.log = self.copies[number][0], dict(self.copies[number][1])
            await self.worker.fail_over(copy)

    async def cut_live(self) -> None:
        (shard,) = await self.nodes.shards()
        await shard.node.execute_command("CLIENT", "KILL", "TYPE", "pubsub")

    async def empty(self) -> None:
        """The engine is emptied and the worker opens again: another epoch."""
        if self.chance.random() < 0.3:
            await self.nodes.at(
                self.worker.keys.stream, lambda node: node.delete(*self.worker.keys.for_scripts)
            )
            self.worker.forget()
            self.log, self.copies = {}, []
            await self.worker.open()
            await self.note()

    def gateway(self) -> Running:
        return self.chance.choice(self.gateways)

    async def settle(self) -> None:
        """Let everybody read to the end, and check what they have."""
        while self.away:
            await self.come_back()
        self.worker.unheard = False
        await self.worker.log("the last line")
        await self.note()
        last = self.log[max(self.log)]
        for watcher in self.here:
            watcher.reading.set()
        for watcher in self.here:
            await watcher.until(lambda w=watcher: w.records[-1:] == [last], "it has the last line")  # type: ignore[misc]
            self.check(watcher)
            await watcher.leave()

    def check(self, watcher: Watcher) -> None:
        """Compare, but not what lies before a gap that the gateway itself called unproved."""
        unproved = max([gap["after_seq"] for gap in watcher.gaps if not gap["proved"]], default=0)
        sure = [record for record in watcher.records if record["seq"] > unproved]
        assert sure == [self.log[record["seq"]] for record in sure]
        told = {
            seq for gap in watcher.gaps for seq in range(gap["after_seq"] + 1, gap["before_seq"])
        }
        lacks = set(range(watcher.begun + 1, max(self.log) + 1)) - set(watcher.seqs)
        assert lacks <= told


async def chaos(seed: int, nodes: Nodes, url: str, worker: Worker, steps: int) -> None:
    async with running(QUICK, url, PUSHED) as one, running(QUICK, url, PULLED) as two:
        world = Chaos(seed, nodes, worker, [one, two])
        await world.run(steps)
        await world.settle()


@pytest.mark.parametrize("seed", [0])
async def test_whatever_happens_viewers_end_with_the_stream(
    seed: int, engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    await chaos(seed, engine_nodes, engine_url, worker, steps=200)


@pytest.mark.full
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(100, 132))
async def test_whatever_happens_for_longer_viewers_end_with_the_stream(
    seed: int, engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    await chaos(seed, engine_nodes, engine_url, worker, steps=600)
