"""Keys that somebody or something removed: what viewers are told, and how it is mended."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from tests.gateway.conftest import QUICK
from tests.gateway.logs.test_rest import refused
from tests.gateway.named_tests import TESTS, missing
from tests.gateway.running import Running, running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker

from runtail import Publisher
from runtail_broker.connections.client import Nodes

pytestmark = pytest.mark.timeout(40)


@pytest.fixture
async def worker(engine_nodes: Nodes, execution_id: str) -> Worker:
    worker = Worker(engine_nodes, execution_id)
    await worker.open()
    await worker.log("a", "b")
    return worker


@pytest.fixture
async def watcher(pushing: Running, worker: Worker) -> AsyncIterator[Watcher]:
    """Somebody who has all there is, at the head."""
    async with pushing.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        await watcher.has(3)
        yield watcher


async def removed(worker: Worker, act: Callable[[Redis], Awaitable[object]]) -> None:
    await worker._nodes.at(worker.keys.stream, act)


@pytest.fixture
async def other(engine_url: str) -> AsyncIterator[Running]:
    """A gateway that has nothing of it in its memory."""
    async with running(QUICK, engine_url) as gateway:
        yield gateway


@pytest.mark.parametrize("trimmed", [True, False])
async def test_a_stream_without_records_goes_on_behind_them_and_newcomers_are_told_how_many(
    other: Running, worker: Worker, watcher: Watcher, trimmed: bool
) -> None:
    """Who had them keeps them: the state says what the last one was, and the tags chain."""
    key = worker.keys.stream
    if trimmed:
        await removed(worker, lambda node: node.xtrim(key, maxlen=0, approximate=False))
    else:
        await removed(worker, lambda node: node.delete(key))
    async with other.watch(worker.execution_id) as newcomer:
        await newcomer.until(lambda: newcomer.gaps, "it is told")
        gap = newcomer.gaps[0]
        assert (gap["lost"], gap["after_seq"], gap["before_seq"]) == (3, 0, 4)
        await worker.log("c")
        for each in (watcher, newcomer):
            await each.has(4)
    assert watcher.texts == ["a", "b", "c"]
    assert newcomer.texts == ["c"]
    assert not watcher.of("reset")


async def test_a_stream_without_its_state_is_unknown_until_its_worker_opens_it_again(
    pushing: Running, engine_nodes: Nodes, engine_url: str, execution_id: str
) -> None:
    """The SDK does that by itself; numbers, ids and tags go on behind the last entry."""
    worker = Worker(engine_nodes, execution_id)
    with Publisher(engine_url) as publisher:
        run = publisher.execution(execution_id)
        run.info("a")
        assert await asyncio.to_thread(publisher.flush)
        async with pushing.watch(execution_id) as watcher:
            await watcher.caught_up()
            await removed(worker, lambda node: node.delete(worker.keys.state))
            await watcher.until(lambda: watcher.of("reset"), "it is told to drop what it has")
            assert (await refused(pushing, f"/executions/{execution_id}"))[0] == 404
            run.info("b")
            assert await asyncio.to_thread(publisher.flush)
            await watcher.until(lambda: watcher.texts == ["a", "b"], "it has all again")
            assert watcher.records == await worker.stored()
            assert [record["seq"] for record in watcher.records] == [1, 2, 3, 4]


async def test_a_stream_whose_head_somebody_cut_off_is_a_gap_to_newcomers(
    other: Running, worker: Worker, watcher: Watcher
) -> None:
    """By hand, so that the state does not know: the count is that of the first frame there is."""
    await worker.log("c")
    await watcher.has(4)
    await removed(worker, lambda node: node.xtrim(worker.keys.stream, maxlen=1, approximate=False))
    async with other.watch(worker.execution_id) as newcomer:
        await newcomer.has(4)
        assert [gap["lost"] for gap in newcomer.gaps] == [3]
    await worker.log("d")
    await watcher.has(5)
    assert watcher.texts == ["a", "b", "c", "d"]


async def test_an_engine_that_starts_again_without_data_is_another_epoch(
    pushing: Running, engine_nodes: Nodes, engine_url: str, execution_id: str
) -> None:
    worker = Worker(engine_nodes, execution_id)
    with Publisher(engine_url) as publisher:
        run = publisher.execution(execution_id)
        run.info("a")
        assert await asyncio.to_thread(publisher.flush)
        async with pushing.watch(execution_id) as watcher:
            await watcher.caught_up()
            epoch = watcher.hello["epoch"]
            await removed(worker, lambda node: node.flushall())
            run.info("b")
            assert await asyncio.to_thread(publisher.flush)
            await watcher.until(lambda: watcher.texts == ["a", "b"], "it has all again")
            assert watcher.of("reset")
        async with pushing.watch(execution_id) as newcomer:
            await newcomer.caught_up()
            assert newcomer.hello["epoch"] != epoch


def test_every_row_of_the_table_of_what_is_gone_names_a_test_that_there_is() -> None:
    told = (TESTS.parent / "broker" / "README.md").read_text()
    table = told.partition("## When something is gone")[2].partition("\n## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ")][2:]
    places = [re.findall(r"`([\w/]+\.py::\w+)`", row) for row in rows]
    assert len(rows) == 7
    assert all(places)
    assert missing(place for row in places for place in row) == []
