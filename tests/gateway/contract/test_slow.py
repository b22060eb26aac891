"""A viewer that does not read: what it costs says test_slow_viewer.py, here is what it gets."""

from __future__ import annotations

from tests.gateway.running import Running
from tests.gateway.worker import Worker


async def test_a_viewer_that_stops_reading_gets_the_rest_later_and_holds_nobody_up(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    async with (
        gateway.watch(worker.execution_id) as slow,
        gateway.watch(worker.execution_id) as quick,
    ):
        await slow.caught_up()
        await quick.caught_up()
        slow.reading.clear()
        await worker.log_noise(batches=40, records=64, size=4096)
        await quick.has(40 * 64 + 1)
        assert slow.cursor.number < quick.cursor.number
        slow.reading.set()
        stored = await worker.stored()
        for watcher in (slow, quick):
            await watcher.has_all(stored)
            assert watcher.gaps == []
