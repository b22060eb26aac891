"""A gateway whose link to the engine is cut: its viewers wait, and miss nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.e2e.processes import gateways, status_of
from tests.e2e.rows import objections, read_stream
from tests.e2e.watcher import Watcher
from tests.e2e.watching import watching
from tests.proxy import proxy_to

from runtail import Publisher
from runtail_broker.engines.engine import Engine

# A beat repairs as well, after 15 s at the earliest: what must not wait for one comes sooner.
SOON_SECONDS = 8.0


async def test_what_was_published_while_a_gateway_was_cut_off_arrives_as_soon_as_it_is_back(
    place: Path, own_engine: Engine, execution_id: str
) -> None:
    watcher = Watcher(execution_id)
    with (
        proxy_to(own_engine.url) as proxy,
        gateways(proxy.url, place, 1) as (gateway,),
        Publisher(own_engine.url) as publisher,
    ):
        async with watching([gateway], watcher):
            with publisher.execution(execution_id) as run:
                run.info("before")
                await watcher.until_it_holds(2)
                await watcher.until(lambda: bool(watcher.beats))  # the next one is far away
                proxy.refuse()
                run.info("meanwhile")
                assert await asyncio.to_thread(publisher.flush)
                proxy.forward()
                await watcher.until_it_holds(3, SOON_SECONDS)
                run.info("after")
            await watcher.until_it_ended()
        assert status_of(f"{gateway.http}/readyz") == 200
    assert objections(watcher.rows, read_stream(own_engine.url, execution_id)) == []
    assert (watcher.connections, watcher.resets, watcher.faults) == (1, [], [])
