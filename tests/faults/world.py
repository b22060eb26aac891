"""Carry out a schedule on a real engine, two gateways, workers and viewers; return the witness."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp
from redis.exceptions import RedisError
from tests.faults.cluster import ClusterEngine
from tests.faults.crew import Crew
from tests.faults.engine import Engine
from tests.faults.follower import Follower
from tests.faults.gateway import SETTINGS, Gateway
from tests.faults.hired import AnyWorker
from tests.faults.line_worker import LineWorker, Link
from tests.faults.schedule import Op
from tests.faults.witness import Record, Witness
from tests.gateway.running import PULLED, PUSHED
from tests.gateway.worker import Worker
from tests.polling import POLL_SECONDS, eventually, soon
from tests.producers.faults import FAST

from runtail_broker.connections.client import Nodes
from runtail_broker.errors import RuntailError

TIGHT = replace(FAST, max_buffer_records=60, max_held_bytes=2000)  # it loses, and must tell
FLUSH_SECONDS = 0.3
MOST_VIEWERS = 5
_TRIES = 20
_SWEEPS = 4
_FORGETFUL = {  # after these the engine may hold an older history than before
    "fail_over",
    "fail_over_by_command",
    "fail_over_by_kill",
    "kill_engine",
    "truncate_aof",
    "empty_engine",
}
_SLACK_BYTES = 64 * 1024  # what the engine's own records and the frames of a message add


class World:
    """One execution under faults. `run` carries out a schedule, `settle` ends all faults."""

    def __init__(self, engine: Engine | ClusterEngine, nodes: Nodes, execution_id: str) -> None:
        self.engine, self.execution_id = engine, execution_id
        self.raw = Worker(nodes, execution_id)  # it reads, copies and trims; it never publishes
        self.gateways = [Gateway(engine.gateway_link(), mode) for mode in (PUSHED, PULLED)]
        self.workers: list[LineWorker] = []
        self.crew = Crew(engine.worker_link, execution_id)
        self.followers: list[Follower] = []
        self.most_waiting = 0

    async def begin(self) -> None:
        """Start two gateways and two workers; the first owns the execution."""
        for gateway in self.gateways:
            await gateway.start()
        for settings in (FAST, TIGHT):
            owner = not self.workers
            link = self.engine.worker_link()
            worker = LineWorker(link, self.execution_id, settings, owner=owner)
            self.workers.append(worker)
            worker.say(1, 0)
            await soon_flushed(worker)

    async def run(self, ops: Sequence[Op]) -> None:
        """Carry out *ops* one after the other."""
        for op in ops:
            if self.engine.frozen and op.kind not in ("say", "freeze_engine"):
                self.engine.thaw()
            with suppress(RedisError, RuntailError, OSError):  # the engine is away, or full
                if op.kind in _FORGETFUL:
                    await self._note_who_left()
                await getattr(self, f"_{op.kind}")(op.chance)
            self._weigh()
            await asyncio.sleep(0)

    async def settle(self, seconds: float) -> Witness:
        """End all faults, end the execution, and wait until everybody was told."""
        unsettled = ""
        try:
            await asyncio.wait_for(self._end_all(seconds), 3 * seconds)
        except (AssertionError, TimeoutError) as error:
            unsettled = str(error) or "the engine answers"
        for worker in self._everybody:
            await worker.close()
        stored = await self.raw.stored()
        for word in (each.word for each in self.followers):
            if word.left_with and word.left_with[-1] in stored:
                word.left_with = None  # that end was kept
        pages = (
            {}
            if unsettled
            else {g.front.http: await self._pages(g, len(stored)) for g in self.gateways}
        )
        for follower in self.followers:
            await follower.leave()
        return Witness(
            stored,
            [worker.word for worker in self._everybody],
            [follower.word for follower in self.followers],
            pages,
            self.most_waiting,
            SETTINGS.write_mark_bytes + SETTINGS.message_bytes + _SLACK_BYTES,
            unsettled,
        )

    async def close(self) -> None:
        """End what runs."""
        for hired in self.crew.all:
            hired.kill()
        for follower in self.followers:
            await follower.leave()
        for gateway in self.gateways:
            await gateway.close()

    # --- what happens --------------------------------------------------------------------------

    async def _say(self, chance: random.Random) -> None:
        chance.choice(self._everybody).say(chance.choice([1, 1, 3, 20]), chance.choice([9, 9, 900]))

    async def _flush(self, chance: random.Random) -> None:
        worker = chance.choice(self._everybody)
        worker.say(1, 9)  # after a failover nothing new is taken before what was lost
        if await worker.flush(FLUSH_SECONDS):
            worker.look_for_it(await self.raw.stored())

    async def _flood(self, _: random.Random) -> None:
        """More than a viewer that does not read can be sent."""
        for _batch in range(5):
            self.workers[0].say(400, 900)
            await self.workers[0].flush(FLUSH_SECONDS)
            self._weigh()

    async def _join(self, chance: random.Random) -> None:
        if len(self.followers) < MOST_VIEWERS:
            self._watch(chance.randrange(10))

    def _watch(self, turn: int) -> None:
        addresses = [gateway.front.http for gateway in self.gateways]
        name = f"viewer {len(self.followers)}"
        self.followers.append(Follower(name, addresses, self.execution_id, turn))

    async def _drop_viewer(self, chance: random.Random) -> None:
        if self.followers:
            chance.choice(self.followers).drop()

    async def _stall_viewer(self, chance: random.Random) -> None:
        if self.followers:
            chance.choice(self.followers).reading.clear()

    async def _read_on(self, _: random.Random) -> None:
        for follower in self.followers:
            follower.reading.set()

    async def _cut_viewers(self, chance: random.Random) -> None:
        chance.choice(self.gateways).front.cut()

    async def _heal(self, _: random.Random) -> None:
        self.crew.go_on()
        for link in self._links:
            link.forward()

    async def _flush_scripts(self, _: random.Random) -> None:
        self.engine.ask("SCRIPT", "FLUSH")

    async def _deaf(self, _: random.Random) -> None:
        """All subscriptions are cut; what is published meanwhile is heard by nobody."""
        self.engine.ask("CLIENT", "KILL", "TYPE", "pubsub")

    async def _kill_gateway(self, chance: random.Random) -> None:
        await chance.choice(self.gateways).replace()

    async def _kill_worker(self, chance: random.Random) -> None:
        """A process is killed in the midst of what it says."""
        worker = await self.crew.somebody()
        if worker is not None:
            worker.say(3, 9)
            if await worker.flush(FLUSH_SECONDS):
                worker.look_for_it(await self.raw.stored())
            worker.say(chance.choice([1, 20]), 900)
            worker.kill()

    async def _stop_worker(self, chance: random.Random) -> None:
        """A process is stopped in the midst of what it says; it goes on when all is healed."""
        worker = await self.crew.somebody()
        if worker is not None:
            worker.say(chance.choice([1, 20]), 900)
            worker.stop()

    async def _note_who_left(self) -> None:
        """Keep what is stored for who was told its end, and will be told nothing more."""
        gone = [each.word for each in self.followers if each.ended and each.word.left_with is None]
        stored = await self.raw.stored() if gone else []
        for word in gone:
            word.left_with = stored

    # --- the end -------------------------------------------------------------------------------

    async def _end_all(self, seconds: float) -> None:
        if self.engine.frozen:
            self.engine.thaw()
        self.engine.empty()
        self.engine.empty_disk()
        await self._heal(random.Random())
        await self._read_on(random.Random())
        self._watch(0)  # at least one sees all of it
        for worker in self._everybody:  # the owner first: the end must wait for the others
            if worker.word.killed:
                continue
            worker.say(1, 0)
            await soon_flushed(worker, seconds)
            worker.finish()
            await soon_flushed(worker, seconds)
            if worker is self.workers[0]:  # longer than a gateway waits that may end it
                await asyncio.sleep(SETTINGS.settle_seconds + _SWEEPS * SETTINGS.sweep_seconds)
        await eventually(self._has_ended, "the execution has ended", seconds)
        for follower in self.followers:
            await soon(lambda f=follower: f.ended, f"{follower.word.name} was told", seconds)  # type: ignore[misc]

    async def _has_ended(self) -> bool:
        with suppress(RuntailError):  # a connection to an engine that is gone
            entries = await self.raw.entries()
            return bool(entries) and entries[-1].is_end
        return False

    async def _pages(self, gateway: Gateway, due: int) -> list[Record]:
        """Read all records from one gateway, page by page; if more than are *due*, not for ever."""
        records: list[Record] = []
        where: dict[str, str] = {}
        async with aiohttp.ClientSession() as http:
            while len(records) <= due:
                url = f"{gateway.front.http}/executions/{self.execution_id}/logs"
                status, page = await self._page(http, url, {"limit": "500"} | where)
                if status != 200 or not page["records"]:
                    return records
                records += page["records"]
                where = {"after": page["cursor"]}
        return records

    async def _page(
        self, http: aiohttp.ClientSession, url: str, wanted: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """Ask as any client does: again, if it was cut off."""
        for _ in range(_TRIES):
            with suppress(aiohttp.ClientConnectionError):
                async with http.get(url, params=wanted) as answer:
                    return answer.status, await answer.json()
            await asyncio.sleep(POLL_SECONDS)
        return 0, {}

    @property
    def _everybody(self) -> list[AnyWorker]:
        return [*self.workers, *self.crew.all]

    @property
    def _links(self) -> list[Link]:
        links = [worker.link for worker in self._everybody]
        return [*links, *(link for g in self.gateways for link in (g.engine, g.front))]

    def _weigh(self) -> None:
        running = [gateway.running for gateway in self.gateways[:1]]  # the other has no transport
        waiting = [size for each in running if each is not None for size in each.waiting_bytes()]
        self.most_waiting = max([self.most_waiting, *waiting])


async def soon_flushed(worker: AnyWorker, seconds: float = 10.0) -> None:
    """Wait until all that *worker* said is stored."""

    async def flushed() -> bool:
        return await worker.flush(FLUSH_SECONDS)

    await eventually(flushed, f"{worker.word.name} has published all", seconds)
