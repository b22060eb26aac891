"""Carry out a schedule on one server: links that fail, a clock, a memory, a file, older copies."""

from __future__ import annotations

import asyncio
import random

from tests.faults.engine import Engine
from tests.faults.line_worker import Link
from tests.faults.world import FLUSH_SECONDS, World
from tests.gateway.worker import Copy
from tests.proxy import Proxy

from runtail_broker.connections.client import Nodes


class LoneWorld(World):
    """One execution on one server."""

    def __init__(self, engine: Engine, nodes: Nodes, execution_id: str) -> None:
        super().__init__(engine, nodes, execution_id)
        self._engine = engine
        self.copies: list[Copy] = []

    async def _cut_worker(self, chance: random.Random) -> None:
        _proxy(chance.choice(self.workers).link).cut()

    async def _cut_gateway(self, chance: random.Random) -> None:
        _proxy(chance.choice(self.gateways).engine).cut()

    async def _lose_answers(self, chance: random.Random) -> None:
        """The engine does what is asked, and the worker hears nothing of it."""
        worker = chance.choice(self.workers)
        _proxy(worker.link).lose_answers(chance.choice([1, 1, 2]))
        worker.say(2, 9)
        await worker.flush(FLUSH_SECONDS)

    async def _half_open_worker(self, chance: random.Random) -> None:
        _proxy(chance.choice(self.workers).link).swallow()

    async def _half_open_gateway(self, chance: random.Random) -> None:
        _proxy(chance.choice(self.gateways).engine).swallow()

    async def _hold_worker(self, chance: random.Random) -> None:
        _proxy(chance.choice(self.workers).link).hold()

    async def _hold_gateway(self, chance: random.Random) -> None:
        _proxy(chance.choice(self.gateways).engine).hold()

    async def _refuse_worker(self, chance: random.Random) -> None:
        _proxy(chance.choice(self.workers).link).refuse()

    async def _refuse_gateway(self, chance: random.Random) -> None:
        _proxy(chance.choice(self.gateways).engine).refuse()

    async def _keep_copy(self, _: random.Random) -> None:
        if await self.raw.entries():
            self.copies = [*self.copies[-2:], await self.raw.copy()]

    async def _fail_over(self, chance: random.Random) -> None:
        """An older copy takes over: what was acknowledged since is lost with the old primary."""
        if self.copies:
            await self.raw.fail_over(chance.choice(self.copies))
            await asyncio.to_thread(self._engine.restart)  # another process, as everybody can see

    async def _trim(self, chance: random.Random) -> None:
        entries = len(await self.raw.entries())
        if entries > 3:
            await self.raw.trim(chance.randint(1, entries // 2))

    async def _clock(self, chance: random.Random) -> None:
        self._engine.set_clock(chance.choice([0, 1, -1, 3_600_000, -3_600_000]))

    async def _fill_memory(self, chance: random.Random) -> None:
        self._engine.fill()
        chance.choice(self.workers).say(5, 9)
        await chance.choice(self.workers).flush(FLUSH_SECONDS)
        self._engine.empty()

    async def _freeze_engine(self, _: random.Random) -> None:
        if not self._engine.frozen:
            self._engine.freeze()

    async def _kill_engine(self, _: random.Random) -> None:
        await asyncio.to_thread(self._engine.restart)

    async def _truncate_aof(self, chance: random.Random) -> None:
        cut = chance.randint(1, 2000)
        await asyncio.to_thread(lambda: self._engine.restart(cut_bytes=cut))

    async def _empty_engine(self, _: random.Random) -> None:
        self._engine.ask("FLUSHALL")
        self.copies = []

    async def _fill_disk(self, chance: random.Random) -> None:
        """The engine's file can grow no more for a while."""
        self._engine.fill_disk()
        worker = chance.choice(self.workers)
        for size in (9, 900):
            worker.say(5, size)
            await worker.flush(FLUSH_SECONDS)
        self._engine.empty_disk()


def _proxy(link: Link) -> Proxy:
    assert isinstance(link, Proxy), "a schedule for a cluster has no such operation"
    return link
