"""A gateway on a cluster: published to over HTTP, watched, kept in order, on whatever node."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import orjson
import pytest
from redis.crc import key_slot
from tests.engines import redis_cluster
from tests.gateway.conftest import QUICK
from tests.gateway.keeping.test_housekeeper import ended, exists, gone, place_of
from tests.gateway.logs.test_rest import get, refused
from tests.gateway.publishing.test_http import Caller
from tests.gateway.running import Running, running
from tests.gateway.talking import talking
from tests.gateway.worker import Worker
from tests.polling import a_moment, soon

from runtail import Publisher
from runtail_broker.connections.client import Nodes
from runtail_broker.keys import ExecutionKeys

pytestmark = [pytest.mark.redis_server, pytest.mark.timeout(60)]
RUNS = [f"run-{number}" for number in range(12)]  # on all three nodes


@pytest.fixture(scope="module")
def wide_url() -> Iterator[str]:
    """The URL of a cluster of three."""
    with redis_cluster(3) as url:
        yield url


@pytest.fixture(params=["cluster_url", pytest.param("wide_url", marks=pytest.mark.full)])
def url(request: pytest.FixtureRequest) -> str:
    """A cluster of one, and of three."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def nodes(url: str) -> AsyncIterator[Nodes]:
    """A client of an empty cluster."""
    nodes = Nodes.connect(url)
    for shard in await nodes.shards():
        await shard.node.flushall()
    yield nodes
    await nodes.close()


@pytest.fixture
async def gateway(url: str, nodes: Nodes) -> AsyncIterator[Running]:
    async with running(replace(QUICK, sweep_seconds=0.1, settle_seconds=0.5), url) as gateway:
        yield gateway


async def test_curl_publishes_and_a_retry_is_stored_once(gateway: Running, nodes: Nodes) -> None:
    for name in RUNS[:4]:
        caller = Caller(gateway, name)
        assert (await caller.open())["word"] == "created"
        for number, before, word in ((1, 0, "stored"), (1, 0, "duplicate"), (2, 2, "stored")):
            body = orjson.dumps([{"message": f"{number} a"}, {"message": f"{number} b"}])
            status, said = await caller.batch(number, before, body)
            assert (status, said["word"]) == (200, word)
        status, said = await caller.post("logs", b'{"message": "by hand"}')
        assert (status, said["word"]) == (200, "stored")
        beat = orjson.dumps({"publisher": "ci-7", "last_batch": 2})
        assert (await caller.post("beat", beat))[1]["word"] == "alive"
        done = orjson.dumps({"publisher": "ci-7", "last_batch": 2, "status": "completed"})
        status, said = await caller.post("finish", done)
        assert (status, said["word"]) == (200, "closed")
        stored = await Worker(nodes, name).stored()
        texts = [record["message"] for record in stored if "message" in record]
        assert texts == ["1 a", "1 b", "2 a", "2 b", "by hand"]
    listed = await get(gateway, "/executions")
    assert {state["id"] for state in listed["executions"]} == set(RUNS[:4])


def publish(address: str, lines: int) -> None:
    """Publish to all runs at once, as a worker's process does."""
    with Publisher(url=address) as publisher:
        runs = [publisher.execution(name, workflow_id="wf") for name in RUNS]
        for number in range(lines):
            for run in runs:
                run.info(f"line {number}")
        for run in runs:
            run.finish()
        assert publisher.flush(20)
        assert publisher.counters.engine_errors == 0
        assert publisher.counters.accepted == publisher.counters.stored


async def test_the_sdk_publishes_to_executions_of_every_node_and_viewers_get_all(
    gateway: Running, nodes: Nodes
) -> None:
    watchers = [gateway.watch(name, "wait=true") for name in RUNS[:3]]
    for watcher in watchers:
        await watcher.connect("wait=true")
    await asyncio.to_thread(publish, gateway.address, 300)
    for name in RUNS:
        stored = await Worker(nodes, name).stored()
        texts = [record["message"] for record in stored if "message" in record]
        assert texts == [f"line {number}" for number in range(300)]
        state = await get(gateway, f"/executions/{name}")
        assert (state["status"], state["last_seq"]) == ("completed", len(stored))
    for name, watcher in zip(RUNS, watchers, strict=False):
        await watcher.closed()
        assert watcher.records == await Worker(nodes, name).stored()
        assert watcher.close_code == 1000
        await watcher.leave()
    page = await get(gateway, f"/executions/{RUNS[0]}/logs?around=150&limit=4")
    assert [record["seq"] for record in page["records"]] == [148, 149, 150, 151]


@pytest.mark.full
@pytest.mark.parametrize("url", ["wide_url"], indirect=True)
async def test_executions_of_every_node_are_deleted_put_back_on_the_list_and_removed(
    url: str, nodes: Nodes
) -> None:
    for name in RUNS:
        await ended(nodes, name, "a word")
    await Worker(nodes, "running").open()
    settings = replace(QUICK, housekeeping_seconds=0.02, housekeeping_batch=5)
    async with running(settings, url) as gateway:
        async with asyncio.timeout(20):
            while None in [await place_of(nodes, name) for name in (*RUNS, "running")]:
                await a_moment()
        listed = await get(gateway, "/executions")
        assert {state["id"] for state in listed["executions"]} == {*RUNS, "running"}
        address = f"{gateway.address}/executions/{RUNS[0]}"
        async with gateway.http.delete(address) as answer:
            assert answer.status == 200
        assert (await refused(gateway, f"/executions/{RUNS[0]}"))[0] == 410
    short = replace(settings, keep_finished_seconds=0.001)
    async with running(short, url):
        for name in RUNS:
            await gone(nodes, name)
    assert await exists(nodes, "running")


async def test_the_watch_of_the_list_hears_of_executions_of_every_node(
    gateway: Running, nodes: Nodes
) -> None:
    async with talking(gateway, "/ws/executions") as talk:
        await talk.say(type="watch")
        await talk.until("watching")
        await asyncio.to_thread(publish, gateway.address, 1)

        def statuses() -> dict[str, str]:
            rows = [row for message in talk.of("executions") for row in message["executions"]]
            return {row["id"]: row["status"] for row in rows}

        await soon(lambda: statuses() == dict.fromkeys(RUNS, "completed"), "all of them are told")


@asynccontextmanager
async def moving(nodes: Nodes, execution_id: str) -> AsyncIterator[None]:
    """Move an execution to another node; within the block it is there, but not officially."""
    key = ExecutionKeys.of(execution_id).state
    slot, here = key_slot(key.encode()), await nodes.node_of(execution_id)
    there = next(shard.node for shard in await nodes.shards() if shard.node is not here)
    names = {node: await node.execute_command("CLUSTER MYID") for node in (here, there)}
    address = there.connection_pool.connection_kwargs
    await there.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", names[here])
    await here.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", names[there])
    keys = await here.execute_command("CLUSTER GETKEYSINSLOT", slot, 100)
    moved = ("MIGRATE", address["host"], address["port"], "", 0, 5000, "KEYS", *keys)
    await here.execute_command(*moved)
    yield
    for shard in await nodes.shards():
        await shard.node.execute_command("CLUSTER SETSLOT", slot, "NODE", names[there])


@pytest.mark.full
@pytest.mark.parametrize("url", ["wide_url"], indirect=True)
async def test_nothing_is_lost_when_an_execution_moves_to_another_node_amid_publishing(
    gateway: Running, nodes: Nodes
) -> None:
    """Neither the SDK nor curl notices; a viewer gets everything."""
    caller, lines, done = Caller(gateway, "run-1"), 600, threading.Event()

    def work() -> None:
        with Publisher(url=gateway.address) as publisher, publisher.execution("run-1") as run:
            for number in range(lines):
                run.info(f"line {number}")
                done.wait(0.002)
            assert publisher.flush(20)

    working = asyncio.create_task(asyncio.to_thread(work))
    async with gateway.watch("run-1", "wait=true") as watcher:
        await watcher.until(lambda: len(watcher.texts) > 20, "it is under way")
        async with moving(nodes, "run-1"):
            assert (await caller.post("logs", b'{"message": "by hand"}'))[0] == 200
        assert (await caller.post("logs", b'{"message": "by hand"}'))[0] == 200
        await working
        await watcher.until(lambda: watcher.close_code is not None, "it ended", 40)
        assert watcher.close_code == 1000
        assert watcher.records == await Worker(nodes, "run-1").stored()
        texts = watcher.texts
        assert texts.count("by hand") == 2
        assert [t for t in texts if t != "by hand"] == [f"line {n}" for n in range(lines)]
