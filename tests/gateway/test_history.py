"""Reads of history that viewers share, and what becomes of them when one viewer leaves."""

from __future__ import annotations

import asyncio

from tests.gateway.worker import Worker

from runtail_broker.client import Nodes
from runtail_broker.cursor import START
from runtail_broker.stream import StreamReader
from runtail_gateway.history import History
from runtail_gateway.metrics import Metrics
from runtail_gateway.pages import PageCache
from runtail_gateway.settings import GatewaySettings


def history_of(nodes: Nodes, worker: Worker, metrics: Metrics) -> History:
    def doubted() -> None:
        return

    reader, pages = StreamReader(nodes), PageCache(100_000)
    return History(worker.execution_id, reader, pages, GatewaySettings(), metrics, doubted)


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
