"""Failovers of real sets: publishers and gateways find the new primary, prove, and go on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from redis.crc import key_slot
from tests.engine_sets import Cluster, SentinelSet, engine_cluster, sentinel_set
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker
from tests.polling import a_moment, soon
from tests.server_process import Program, Server

from runtail import Publisher, PublisherSettings
from runtail_broker.connections.client import Nodes
from runtail_broker.keys import ExecutionKeys, index_of

pytestmark = [pytest.mark.redis_server, pytest.mark.full, pytest.mark.timeout(120)]
ENDING = replace(QUICK, sweep_seconds=0.2, settle_seconds=2.0)
QUICK_TO_RETRY = PublisherSettings(retry_max_seconds=0.5, engine_timeout_seconds=1, beat_seconds=1)


@dataclass
class Working:
    """A worker that publishes line after line to an execution until it is told to stop."""

    url: str
    execution_id: str
    settings: PublisherSettings = QUICK_TO_RETRY
    lines: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    all_stored: bool = False

    def run(self) -> None:
        """Do it, in a thread; slow enough that many rounds are sent."""
        with Publisher(self.url, settings=self.settings) as publisher:
            run = publisher.execution(self.execution_id)
            while not self.stop.wait(0.002):
                run.info(f"line {self.lines}")
                self.lines += 1
            run.finish()
            self.all_stored = publisher.flush(40)

    async def has_published(self, lines: int) -> None:
        """Wait for so many lines more."""
        goal = self.lines + lines
        await soon(lambda: self.lines > goal, f"{lines} more lines are published", 30)


@asynccontextmanager
async def working(url: str, execution_id: str) -> AsyncIterator[Working]:
    """Publish until the block ends, and until all of it is stored."""
    worker = Working(url, execution_id)
    task = asyncio.create_task(asyncio.to_thread(worker.run))
    try:
        yield worker
    finally:
        worker.stop.set()
        await task


async def seen_through(
    engine: Cluster | SentinelSet, gateway: Running, fault: Callable[[str], None]
) -> None:
    """Let *fault* happen amid publishing and watching: nothing may be missing, nothing twice."""
    nodes, name = Nodes.connect(engine.url), "run-through"
    async with gateway.watch(name, "wait=true") as watcher:
        async with working(engine.url_as("runtail-worker"), name) as worker:
            await watcher.until(lambda: len(watcher.texts) > 50, "it is under way")
            await asyncio.to_thread(fault, name)
            await worker.has_published(300)
            seen = len(watcher.texts)
            await watcher.until(lambda: len(watcher.texts) > seen + 50, "it is live again", 40)
        await watcher.until(lambda: watcher.close_code is not None, "it ended", 40)
    assert worker.all_stored
    assert watcher.close_code == 1000
    assert watcher.records == await Worker(nodes, name).stored()
    assert watcher.texts == [f"line {n}" for n in range(worker.lines)]
    await nodes.close()


@pytest.fixture(params=["redis", "valkey"])
def program(request: pytest.FixtureRequest) -> Program:
    found: Program = request.param
    return found


@pytest.fixture
def cluster(program: Program) -> Iterator[Cluster]:
    with engine_cluster(program) as cluster:
        yield cluster


@pytest.fixture
def watched(program: Program) -> Iterator[SentinelSet]:
    with sentinel_set(program) as watched:
        yield watched


def server_of(cluster: Cluster, execution_id: str) -> Server:
    return cluster.primary_of(key_slot(ExecutionKeys.of(execution_id).state.encode()))


async def test_a_cluster_fails_over_by_command(cluster: Cluster) -> None:
    def fault(name: str) -> None:
        (replica,) = cluster.replicas_of(server_of(cluster, name))
        replica.ask("CLUSTER", "FAILOVER")

    async with running(ENDING, cluster.url) as gateway:
        await seen_through(cluster, gateway, fault)


async def test_a_primary_of_a_cluster_is_killed(cluster: Cluster) -> None:
    async with running(ENDING, cluster.url) as gateway:
        await seen_through(cluster, gateway, lambda name: server_of(cluster, name).kill())


async def test_sentinels_fail_over_by_command(watched: SentinelSet) -> None:
    async with running(ENDING, watched.url) as gateway:
        await seen_through(watched, gateway, lambda _: watched.fail_over())


async def test_a_primary_that_sentinels_watch_is_killed(watched: SentinelSet) -> None:
    async with running(ENDING, watched.url) as gateway:
        await seen_through(watched, gateway, lambda _: watched.servers[0].kill())


async def test_a_frozen_primary_that_comes_back_hurts_nobody(watched: SentinelSet) -> None:
    """It thinks for a moment that it is primary still; Sentinels make a replica of it."""

    def fault(_: str) -> None:
        watched.servers[0].freeze()
        while watched.primary() is watched.servers[0]:
            pass
        watched.servers[0].thaw()

    async with running(ENDING, watched.url) as gateway:
        await seen_through(watched, gateway, fault)


@pytest.mark.parametrize("away", ["kill", "freeze"])
@pytest.mark.parametrize("program", ["valkey"])
async def test_with_one_shard_away_the_others_serve(program: Program, away: str) -> None:
    """Without a replica that could take its place; only its own executions wait."""
    with engine_cluster(program, replicas=0) as cluster:
        nodes = Nodes.connect(cluster.url)
        names = [f"run-{n}" for n in range(40)]
        gone = cluster.primary_of(0)
        dead = next(name for name in names if server_of(cluster, name) is gone)
        living = next(name for name in names if server_of(cluster, name) is not gone)
        async with running(ENDING, cluster.url) as gateway:
            async with (
                gateway.watch(dead, "wait=true") as dark,
                gateway.watch(living, "wait=true") as watcher,
                working(cluster.url_as("runtail-worker"), dead) as stalled,
                working(cluster.url_as("runtail-worker"), living) as worker,
            ):
                await watcher.until(lambda: len(watcher.texts) > 20, "it is under way")
                await dark.until(lambda: len(dark.texts) > 20, "it is under way")
                getattr(gone, away)()
                seen = len(watcher.texts)
                await watcher.until(lambda: len(watcher.texts) > seen + 300, "it goes on", 10)
                async with gateway.http.get(f"{gateway.address}/readyz") as answer:
                    assert answer.status == 200
                gone.restart() if away == "kill" else gone.thaw()
                await dark.until(lambda: len(dark.texts) > 500, "the other is back", 40)
                worker.stop.set()
                stalled.stop.set()
                await watcher.until(lambda: watcher.close_code is not None, "it ended", 40)
                await dark.until(lambda: dark.close_code is not None, "it ended", 40)
            assert watcher.texts == [f"line {n}" for n in range(worker.lines)]
            assert dark.texts == [f"line {n}" for n in range(stalled.lines)]
        await nodes.close()


async def test_a_primary_that_is_cut_off_from_its_replicas_is_noticed() -> None:
    """It refuses to write (`min-replicas-to-write`): the gateway is not ready, publishers wait."""
    with sentinel_set("valkey") as watched:
        async with running(ENDING, watched.url) as gateway:
            for replica in watched.servers[1:]:
                replica.freeze()

            async def ready() -> int:
                async with gateway.http.get(f"{gateway.address}/readyz") as answer:
                    return answer.status

            async with asyncio.timeout(20):
                while await ready() == 200:
                    await a_moment()
            for replica in watched.servers[1:]:
                replica.thaw()
            async with asyncio.timeout(20):
                while await ready() != 200:
                    await a_moment()


@pytest.mark.parametrize("way", ["engine", "gateway"])
async def test_one_worker_goes_on_with_what_the_shards_that_are_there_serve(way: str) -> None:
    """One publisher, one execution on each side; and it opens another one meanwhile."""
    with engine_cluster("valkey", replicas=0) as cluster:
        # not where the limits are: who never read them cannot open
        gone = next(
            each
            for each in cluster.servers
            if each is not cluster.primary_of(key_slot(b"runtail:settings"))
        )
        names = [f"run-{n}" for n in range(200)]
        dead = next(name for name in names if server_of(cluster, name) is gone)
        living = [name for name in names if gone not in servers_of(cluster, name)]
        async with running(ENDING, cluster.url) as gateway:
            url = gateway.address if way == "gateway" else cluster.url_as("runtail-worker")
            settings = replace(QUICK_TO_RETRY, engine_timeout_seconds=3)
            with Publisher(url, settings=settings) as publisher:
                stalled, going = publisher.execution(dead), publisher.execution(living[0])
                for run in (stalled, going):
                    run.info("before")
                assert await asyncio.to_thread(publisher.flush, 10)
                gone.freeze()
                async with (
                    gateway.watch(living[0]) as watcher,
                    gateway.watch(living[1], "wait=true") as late,
                ):
                    stalled.info("amid")
                    for number in range(20):
                        going.info(f"line {number}")
                        await seen(watcher, number + 2)
                    publisher.execution(living[1]).info("late")
                    await late.until(lambda: late.texts == ["late"], "another one opens", 15)
                    gone.thaw()
                    assert await asyncio.to_thread(publisher.flush, 30)
                nodes = Nodes.connect(cluster.url)
                texts = [r.get("message") for r in await Worker(nodes, dead).stored()]
                assert [text for text in texts if text] == ["before", "amid"]
                await nodes.close()


async def seen(watcher: Watcher, lines: int) -> None:
    await watcher.until(lambda: len(watcher.texts) == lines, f"{lines} lines are seen", 8)


def servers_of(cluster: Cluster, execution_id: str) -> tuple[Server, Server]:
    """The one that serves it, and the one that lists it."""
    listing = cluster.primary_of(key_slot(index_of(execution_id).encode()))
    return server_of(cluster, execution_id), listing
