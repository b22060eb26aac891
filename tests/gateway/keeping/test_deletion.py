"""`DELETE /executions/{id}`: it is gone, and whoever watches or comes back is told so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.executions.test_list_watch import listed, watching
from tests.gateway.running import Running, running
from tests.gateway.worker import Worker
from tests.polling import a_moment

from runtail import Publisher, PublisherSettings
from runtail_broker.connections.client import Nodes
from runtail_broker.keys import index_of

never_compared = pytest.mark.parametrize(
    "gateway_settings", [{"beat_seconds": 600.0}], indirect=True
)


async def delete(gateway: Running, execution_id: str, query: str = "") -> tuple[int, Any]:
    url = f"{gateway.address}/executions/{execution_id}{query}"
    async with gateway.http.delete(url) as answer:
        return answer.status, await answer.json(content_type=None)


@never_compared
async def test_it_is_heard_at_once_and_the_close_code_says_not_to_come_again(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    async with pushing.watch(worker.execution_id) as watcher:
        await watcher.until(lambda: watcher.of("beat"), "the only comparison is over")
        await delete(pushing, worker.execution_id, "?force=1")
        await watcher.closed()
        assert watcher.close_code == 4410


async def test_a_gateway_that_does_not_hear_of_it_finds_out_by_comparing(
    pushing: Running, worker: Worker, engine_nodes: Nodes
) -> None:
    await worker.open()
    async with pushing.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        keys = worker.keys
        await engine_nodes.at(keys.deleted, lambda node: node.set(keys.deleted, "1"))
        await engine_nodes.at(keys.state, lambda node: node.delete(*keys.for_scripts))
        await watcher.closed()
        assert watcher.close_code == 4410


async def test_an_emptied_engine_is_no_deletion(pushing: Running, worker: Worker) -> None:
    await worker.open()
    async with pushing.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        for shard in await worker._nodes.shards():
            await shard.node.flushall()
        worker.forget()
        await watcher.until(lambda: watcher.of("reset"), "it is told that it has to begin anew")
        await worker.open()
        await worker.log("again")
        await watcher.has_all(await worker.stored())


async def test_viewers_of_another_gateway_are_told(
    pushing: Running, worker: Worker, engine_url: str
) -> None:
    await worker.open()
    async with running(QUICK, engine_url) as other, other.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        await delete(pushing, worker.execution_id, "?force=true")
        await watcher.closed()
        assert watcher.close_code == 4410


async def test_one_that_has_not_ended_is_refused_and_stays(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    status, problem = await delete(pushing, worker.execution_id)
    assert (status, problem["code"]) == (409, "conflict")
    assert "running" in problem["detail"]
    assert len(await worker.stored()) == 1
    await worker.end()
    assert (await delete(pushing, worker.execution_id))[0] == 200
    assert (await delete(pushing, worker.execution_id))[0] == 404


async def test_it_leaves_the_list_and_the_watchers_of_the_list(
    pushing: Running, engine_nodes: Nodes
) -> None:
    worker, _ = await listed(engine_nodes, "a", "b")
    await worker.end()
    async with watching(pushing) as client:
        await delete(pushing, "a")
        await client.shows({"b": "running"})
    key = index_of("a")
    assert await engine_nodes.at(key, lambda node: node.zscore(key, "a")) is None


async def test_what_makes_no_sense_or_comes_from_afar_is_refused(
    pushing: Running, worker: Worker
) -> None:
    assert (await delete(pushing, "-bad"))[0] == 400
    assert (await delete(pushing, worker.execution_id, "?force=maybe"))[0] == 400
    url = f"{pushing.address}/executions/{worker.execution_id}"
    headers = {"Origin": "https://evil.example"}
    async with pushing.http.delete(url, headers=headers) as answer:
        assert answer.status == 403


async def test_a_worker_that_lives_on_does_not_bring_back_what_was_deleted(
    pushing: Running, engine_nodes: Nodes, engine_url: str, execution_id: str
) -> None:
    async def calls() -> int:
        (shard,) = await engine_nodes.shards()
        stats = await shard.node.info("commandstats")
        return int(stats["cmdstat_evalsha"]["calls"])

    publisher = Publisher(engine_url, settings=PublisherSettings(beat_seconds=0.05))
    with publisher.execution(execution_id) as run:
        run.info("one")
    await asyncio.to_thread(publisher.flush)
    assert (await delete(pushing, execution_id))[0] == 200
    before = await calls()
    while await calls() < before + 10:  # it leaves again and again, in place of beats
        await a_moment()
    assert await pushing.hub.executions.state(execution_id) is None
    await asyncio.to_thread(publisher.close)
