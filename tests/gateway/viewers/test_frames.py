"""Programs that read stored frames: what they are sent, and what they may not ask for."""

from __future__ import annotations

import asyncio

import pytest
from tests.gateway.frames_watcher import FramesWatcher
from tests.gateway.running import FRAMES, Running
from tests.gateway.worker import Worker

import runtail

frames_only = pytest.mark.parametrize("mode", [FRAMES], indirect=True)


@frames_only
async def test_a_run_is_replayed_resumed_inside_a_frame_and_ended(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(3, 100)
    async with gateway.watch(worker.execution_id, "tail=150") as watcher:
        await watcher.has_all((await worker.stored())[-150:])
        await worker.log("live")
        await worker.end()
        await watcher.closed()
        assert watcher.close_code == 1000
        assert watcher.records == (await worker.stored())[-153:]


@frames_only
async def test_a_filter_is_refused(gateway: Running, worker: Worker) -> None:
    await worker.open()
    async with gateway.watch(worker.execution_id, "level=error") as watcher:
        await watcher.closed()
        assert watcher.close_code == 4400
        assert "runtail.frames.v1" in watcher.of("error")[0]["message"]


async def test_the_reader_of_the_sdk_reads_them(pushing: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log_many(5, 100)
    await worker.end()
    reading = runtail.read(pushing.address, worker.execution_id)
    assert [record async for record in reading] == await worker.stored()
    assert reading.status == "completed"


async def test_one_execution_is_watched_both_ways_at_once(pushing: Running, worker: Worker) -> None:
    await worker.open()
    frames = FramesWatcher(pushing.sockets, worker.execution_id)
    async with pushing.watch(worker.execution_id) as watcher, frames:
        await asyncio.gather(watcher.caught_up(), frames.caught_up())
        for n in range(20):
            await worker.log(f"line {n}")
        for each in (watcher, frames):
            await each.has_all(await worker.stored())
