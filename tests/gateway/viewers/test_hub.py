"""One tail for each execution that is watched, one link to each node, beats, and ends."""

from __future__ import annotations

import asyncio

import pytest
from tests.gateway.running import PULLED, PUSHED, Running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker
from tests.polling import a_moment, soon

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.ending import end


@pytest.fixture(params=[PUSHED, pytest.param(PULLED, marks=pytest.mark.full)])
def mode(request: pytest.FixtureRequest) -> str:
    """How viewers are served, which the hub does not see."""
    return str(request.param)


async def channels(nodes: Nodes) -> set[bytes]:
    """List the live channels that somebody listens to."""
    (shard,) = await nodes.shards()
    found = await shard.node.execute_command("PUBSUB", "SHARDCHANNELS", "*:live")
    return set(found)


async def until_channels(nodes: Nodes, wanted: set[bytes]) -> None:
    async with asyncio.timeout(5):
        while await channels(nodes) != wanted:
            await a_moment()


async def _keep_beating(worker: Worker) -> None:
    while True:
        await worker.beat()
        await asyncio.sleep(0.05)


def _workers_of(watcher: Watcher) -> list[dict[str, int]]:
    return [beat["workers"] for beat in watcher.of("beat")]


async def another_beat(watcher: Watcher) -> None:
    beats = len(watcher.of("beat"))
    await watcher.until(lambda: len(watcher.of("beat")) > beats, "another beat comes")


async def test_the_tail_goes_with_its_last_viewer_and_comes_again_with_the_next(
    gateway: Running, worker: Worker, engine_nodes: Nodes
) -> None:
    await worker.open()
    live = {worker.keys.live.encode()}
    async with gateway.watch(worker.execution_id) as first:
        await first.caught_up()
        async with gateway.watch(worker.execution_id) as second:
            await second.caught_up()
        await soon(lambda: len(gateway.waiting_bytes()) < 3, "the second has left")
        assert gateway.hub.tails == 1
        assert await channels(engine_nodes) == live
    await soon(lambda: gateway.hub.tails == 0, "the tail is gone")
    await until_channels(engine_nodes, set())
    await worker.log("while nobody watched")
    async with gateway.watch(worker.execution_id) as third:
        await third.caught_up()
        await worker.log("live again")
        await third.has_all(await worker.stored())
        await until_channels(engine_nodes, live)


async def test_a_gateway_has_one_subscriber_however_many_it_serves(
    gateway: Running, engine_nodes: Nodes
) -> None:
    workers = [Worker(engine_nodes, f"run-{number}") for number in range(20)]
    watchers = [gateway.watch(worker.execution_id) for worker in workers for _ in range(2)]
    for worker in workers:
        await worker.open()
    for watcher in watchers:
        await watcher.connect("")
        await watcher.caught_up()
    (shard,) = await engine_nodes.shards()
    clients = await shard.node.execute_command("CLIENT", "LIST", "TYPE", "pubsub")
    rows = clients if isinstance(clients, list) else clients.splitlines()
    assert len(rows) == 1
    for watcher in watchers:
        await watcher.leave()


async def test_what_an_execution_should_not_hold_does_not_stop_the_beats_of_others(
    pushing: Running, engine_nodes: Nodes
) -> None:
    broken, healthy = (Worker(engine_nodes, name) for name in ("broken", "healthy"))
    for worker in (broken, healthy):
        await worker.open()
    async with pushing.watch("broken") as one, pushing.watch("healthy") as other:
        await one.caught_up()
        await other.caught_up()
        key = broken.keys.publishers
        await engine_nodes.at(key, lambda node: node.hset(key, "somebody", "no publisher"))
        for watcher in (one, other, one, other):
            await another_beat(watcher)


async def test_viewers_that_come_and_go_do_not_stop_the_beats_of_others(
    gateway: Running, engine_nodes: Nodes
) -> None:
    workers = [Worker(engine_nodes, f"run-{number}") for number in range(30)]
    for worker in workers:
        await worker.open()
    async with gateway.watch("run-0") as stays:
        await stays.caught_up()
        for _ in range(2):
            watchers = [gateway.watch(worker.execution_id) for worker in workers[1:]]
            for watcher in watchers:
                await watcher.connect("")
            await another_beat(stays)
            await asyncio.gather(*(watcher.leave() for watcher in watchers))
        await another_beat(stays)
        await another_beat(stays)


@pytest.mark.parametrize("gateway_settings", [{"lease_seconds": 0.5}], indirect=True)
async def test_a_beat_says_who_has_it_open_and_who_is_silent(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    helper = Worker(worker._nodes, worker.execution_id)
    await helper.open("participant")
    async with gateway.watch(worker.execution_id) as watcher:
        beating = [asyncio.create_task(_keep_beating(each)) for each in (worker, helper)]
        await watcher.until(
            lambda: {"open": 2, "silent": 0} in _workers_of(watcher), "both are heard"
        )
        assert watcher.of("beat")[0]["quiet_ms"] >= 0
        await end(beating[0])
        await watcher.until(
            lambda: {"open": 2, "silent": 1} in _workers_of(watcher), "one is silent"
        )
        await end(beating[1])
        await worker.close("")
        await watcher.until(lambda: watcher.of("beat")[-1]["workers"]["open"] == 1, "one has left")


@pytest.mark.parametrize(
    "gateway_settings", [{"settle_seconds": 0.2, "sweep_seconds": 0.1}], indirect=True
)
async def test_an_execution_whose_end_was_forgotten_gets_it_from_the_gateway(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.close()  # and the process is gone before it could append the end
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.closed()
        assert watcher.close_code == 1000
        assert watcher.of("end")[0]["totals"]["records"] == 3


@pytest.mark.parametrize(
    "gateway_settings", [{"settle_seconds": 60.0, "sweep_seconds": 0.1}], indirect=True
)
async def test_no_end_is_made_before_the_gateway_was_in_contact_long_enough(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.close()
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.until(lambda: len(watcher.of("beat")) > 1, "two beats have come")
        assert [record.get("kind") for record in await worker.stored()] == ["status", "status"]
        assert watcher.close_code is None


@pytest.mark.parametrize(
    "gateway_settings", [{"settle_seconds": 0.2, "sweep_seconds": 0.1}], indirect=True
)
async def test_no_end_is_made_while_somebody_has_it_open(gateway: Running, worker: Worker) -> None:
    await worker.open()
    await Worker(worker._nodes, worker.execution_id).open("participant")
    await worker.close()
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.until(lambda: len(watcher.of("beat")) > 1, "two beats have come")
        assert watcher.close_code is None
