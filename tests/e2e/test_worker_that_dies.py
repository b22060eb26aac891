"""A worker that is killed: what it was told is stored stays, and viewers hear of its silence."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.e2e.processes import gateways, told, worker
from tests.e2e.rows import objections, read_stream
from tests.e2e.watcher import Watcher
from tests.e2e.watching import watching

from runtail_broker.engines.engine import Engine

QUICK = {"beat_seconds": 2.5, "lease_seconds": 1.0}


async def test_everything_acknowledged_stays_and_a_beat_names_the_silent_worker(
    place: Path, own_engine: Engine, execution_id: str
) -> None:
    watcher = Watcher(execution_id)
    with (
        gateways(own_engine.url, place, 1, **QUICK) as both,
        worker("endless", own_engine.url, execution_id, 0) as process,
    ):
        async with watching(both, watcher):
            for number in range(50):
                assert await asyncio.to_thread(told, process) == str(number)
            process.kill()
            await asyncio.to_thread(process.wait, 5)
            await watcher.until(
                lambda: any(beat["workers"] == {"open": 1, "silent": 1} for beat in watcher.beats)
            )
            stream = read_stream(own_engine.url, execution_id)
            await watcher.until_it_holds(len(stream))
    assert [row.text for row in stream if row.level][:50] == [f"line {i}" for i in range(50)]
    assert objections(watcher.rows, stream) == []
    assert (watcher.end, watcher.close_code, watcher.connections) == (None, None, 1)
