"""A viewer that does not read costs its write mark and one message, and hurts nobody else."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import replace

import psutil
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import PULLED, PUSHED, Running, running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.connections.client import Nodes

WRITE_MARK, MESSAGE = 160 * 1024, 32 * 1024  # not what a transport has by itself
SLOW = replace(QUICK, write_mark_bytes=WRITE_MARK, message_bytes=MESSAGE, page_cache_bytes=2**20)
FRAME_BYTES = 256 * 1024  # of records in one frame
SOCKET_BYTES = 24 * 2**20  # what the kernel may hold for one viewer, both ends, at the very most


async def stalled(gateway: Running, worker: Worker) -> Watcher:
    """A viewer that has shaken hands and caught up, and reads no more."""
    watcher = gateway.watch(worker.execution_id)
    await watcher.connect("")
    await watcher.caught_up()
    watcher.reading.clear()
    return watcher


async def publish(worker: Worker, total_bytes: int) -> None:
    await worker.log_many(total_bytes // FRAME_BYTES, records=64, size=FRAME_BYTES // 64)


def at(moment: float) -> Callable[[], bool]:
    return lambda: time.monotonic() >= moment


def resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


async def watched_waiting(gateway: Running, publishing: asyncio.Task[None]) -> int:
    """Find the most bytes that ever waited for one viewer while *publishing* went on."""
    most = 0
    while not publishing.done():
        most = max(most, *gateway.waiting_bytes(), 0)
        await asyncio.sleep(0.001)
    await publishing
    return most


async def slow_viewers_cost_their_bound(
    gateway: Running, worker: Worker, slow: int, total_bytes: int
) -> None:
    await worker.open()
    stopped = [await stalled(gateway, worker) for _ in range(slow)]
    async with gateway.watch(worker.execution_id) as quick:
        await quick.caught_up()
        most = await watched_waiting(gateway, asyncio.create_task(publish(worker, total_bytes)))
        assert WRITE_MARK <= most <= WRITE_MARK + MESSAGE + 4096
        await quick.has((total_bytes // FRAME_BYTES) * 64 + 1)
        await worker.log("the last line")
        begun = time.monotonic()
        await quick.until(lambda: quick.texts[-1] == "the last line", "it has the last line")
        assert time.monotonic() - begun < 2
    stored = await worker.stored()
    for watcher in stopped:
        assert len(watcher.records) < len(stored)
        watcher.reading.set()
    for watcher in stopped:
        await watcher.has_all(stored)
        await watcher.leave()


async def test_a_viewer_that_stops_reading_costs_its_mark_and_a_message_and_gets_the_rest(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    async with running(SLOW, engine_url, PUSHED) as gateway:
        await slow_viewers_cost_their_bound(gateway, worker, slow=1, total_bytes=32 * 2**20)


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_twenty_viewers_that_stop_reading_cost_twenty_times_that(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    async with running(SLOW, engine_url, PUSHED) as gateway:
        await slow_viewers_cost_their_bound(gateway, worker, slow=20, total_bytes=32 * 2**20)


async def test_without_a_transport_to_write_to_a_slow_viewer_still_gets_the_rest(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    async with running(SLOW, engine_url, PULLED) as gateway:
        await worker.open()
        slow = await stalled(gateway, worker)
        publishing = asyncio.create_task(publish(worker, 32 * 2**20))
        assert await watched_waiting(gateway, publishing) <= 2 * WRITE_MARK + MESSAGE
        slow.reading.set()
        await slow.has_all(await worker.stored())
        await slow.leave()


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_a_viewer_that_stops_for_a_minute_of_publishing_does_not_make_the_process_grow(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    async with running(SLOW, engine_url, PUSHED) as gateway:
        await worker.open()
        slow = await stalled(gateway, worker)
        await publish(worker, 16 * 2**20)
        before, begun = resident(), time.monotonic()
        published = 0
        for second in range(1, 61):  # at one pace, or a quick machine would publish for ever
            await publish(worker, 2 * 2**20)
            published += 2 * 2**20
            await soon(at(begun + second), "the second is over")
        assert published > 100 * 2**20
        assert resident() - before < SOCKET_BYTES
        slow.reading.set()
        await slow.until(lambda: len(slow.records) == published // 4096 + 4097, "the rest", 120)
        await slow.leave()


async def test_a_viewer_that_answers_no_ping_is_let_go_however_much_waits_for_it(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    async with running(SLOW, engine_url, PUSHED) as gateway:
        gateway.server.config.ws_ping_interval = 0.2
        gateway.server.config.ws_ping_timeout = 0.5
        await worker.open()
        slow = await stalled(gateway, worker)
        await publish(worker, 16 * 2**20)
        await soon(lambda: gateway.hub.tails == 0, "the viewer and the tail are gone")
        await slow.leave()
        await slow.come_back()
        await slow.has_all(await worker.stored())
        await slow.leave()
