"""Reads of history that viewers share, and what becomes of them when one viewer leaves."""

from __future__ import annotations

import asyncio

from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START
from runtail_broker.stream import StreamReader
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.history import History
from runtail_gateway.viewers.pages import PageCache

SMALL = GatewaySettings(message_bytes=4096, page_entries=4)


def history_of(
    nodes: Nodes,
    worker: Worker,
    metrics: Metrics,
    settings: GatewaySettings | None = None,
    cache_bytes: int = 100_000,
) -> History:
    def doubted() -> None:
        return

    reader, pages = StreamReader(nodes), PageCache(cache_bytes)
    return History(
        worker.execution_id, reader, pages, settings or GatewaySettings(), metrics, doubted
    )


def reading_ahead() -> bool:
    return any("read ahead" in task.get_name() for task in asyncio.all_tasks())


async def walk(history: History) -> list[int]:
    """Read everything from the start; list how many records each page had."""
    counts: list[int] = []
    cursor = START
    while True:
        page = history.known(cursor) or await history.read([cursor])
        if page.message is None:
            return counts
        assert page.message.cursor is not None
        counts.append(page.message.count)
        cursor = page.message.cursor
        await asyncio.sleep(0)


def reads(metrics: Metrics) -> float:
    found = metrics.registry.get_sample_value("runtail_stream_reads_total")
    assert found is not None
    return found


async def test_viewers_that_ask_for_one_page_together_share_one_read(
    engine_nodes: Nodes, worker: Worker
) -> None:
    await worker.open()
    metrics = Metrics()
    history = history_of(engine_nodes, worker, metrics)
    pages = await asyncio.gather(*(history.read([START]) for _ in range(10)))
    assert len({id(page.message) for page in pages}) == 1
    assert reads(metrics) == 1


async def test_a_viewer_that_leaves_during_a_shared_read_costs_the_others_nothing(
    engine_nodes: Nodes, worker: Worker
) -> None:
    await worker.open()
    metrics = Metrics()
    history = history_of(engine_nodes, worker, metrics)
    first, *others = [asyncio.create_task(history.read([START])) for _ in range(4)]
    await asyncio.sleep(0)
    while not first.done():
        first.cancel()
        await asyncio.sleep(0)
    assert first.cancelled()
    pages = await asyncio.gather(*others)
    assert {page.message.count for page in pages if page.message} == {1}
    assert reads(metrics) == 2


async def test_what_follows_is_read_while_a_page_is_taken(
    engine_nodes: Nodes, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=11, records=10)
    metrics = Metrics()
    history = history_of(engine_nodes, worker, metrics, SMALL)
    first = await history.read([START])
    await soon(lambda: reads(metrics) == 2, "the second read has begun")
    place = (await worker.entries())[1].end
    await soon(lambda: history.known(place), "what follows the first two frames is here")
    assert first.message is not None
    assert first.message.cursor == place


async def test_every_record_is_read_once_however_the_pages_fall(
    engine_nodes: Nodes, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=30, records=17)
    for settings, cache_bytes in ((SMALL, 100_000), (SMALL, 1), (GatewaySettings(), 100_000)):
        history = history_of(engine_nodes, worker, Metrics(), settings, cache_bytes)
        assert sum(await walk(history)) == 511


async def test_what_the_only_viewer_has_read_is_not_kept_and_nothing_is_read_twice(
    engine_nodes: Nodes, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=11, records=10)
    shared, alone = Metrics(), Metrics()
    assert sum(await walk(history_of(engine_nodes, worker, shared, SMALL))) == 111
    history = history_of(engine_nodes, worker, alone, SMALL)
    history.is_shared = False
    assert sum(await walk(history)) == 111
    assert reads(alone) == reads(shared)
    assert not any(history.known(entry.end) for entry in await worker.entries())


async def test_what_was_read_ahead_before_a_doubt_is_not_kept(
    engine_nodes: Nodes, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=11, records=10)
    metrics = Metrics()
    history = history_of(engine_nodes, worker, metrics, SMALL)
    await history.read([START])
    await asyncio.sleep(0)
    assert reads(metrics) == 2, "the second read is under way"
    history.forget()
    await soon(lambda: not reading_ahead(), "it is done")
    assert history.known((await worker.entries())[1].end) is None


async def test_no_read_ahead_outlives_its_history(engine_nodes: Nodes, worker: Worker) -> None:
    await worker.open()
    await worker.log_many(batches=11, records=10)
    history = history_of(engine_nodes, worker, Metrics(), SMALL)
    await history.read([START])
    assert reading_ahead()
    history.close()
    await soon(lambda: not reading_ahead(), "it has been cancelled")
