"""Two gateways, two workers, viewers that are torn off and come back to the other gateway."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.processes import Gateway, gateways, say, told, worker
from tests.e2e.rows import Row, objections, read_stream, total_objections
from tests.e2e.watcher import Watcher

from runtail_broker.engines.engine import Engine

MANY = 100_000
VIEWERS = 8
SLOW = 2  # of them


def cuts(chance: random.Random, mean: int) -> Iterator[int]:
    """Draw after how many records a connection is torn; the last ones are left alone."""
    return (chance.randint(1, 2 * mean) for _ in range(6))


def crowd(execution_id: str, records: int, seed: int) -> list[Watcher]:
    chance = random.Random(seed)
    return [
        Watcher(execution_id, cuts(chance, records // 12), pause_seconds=0.02 if i < SLOW else 0.0)
        for i in range(VIEWERS)
    ]


async def kill_twice(gateway: Gateway, watcher: Watcher, records: int) -> None:
    """Kill a gateway at a quarter and at half of the records, as *watcher* counts them."""
    for held in (records // 4, records // 2):
        await watcher.until_it_holds(held, 60)
        await asyncio.to_thread(gateway.kill)
        await asyncio.to_thread(gateway.start)


def published(stream: list[Row], name: str) -> list[int]:
    return [int(row.text.split(" ")[1]) for row in stream if row.text.startswith(f"{name} ")]


async def run(
    place: Path, engine: Engine, execution_id: str, records: int, seed: int
) -> list[Watcher]:
    """Run it all to its end."""
    watchers = crowd(execution_id, records, seed)
    half = records // 2
    with (
        gateways(engine.url, place, 2) as (first, second),
        worker("owner", engine.url, execution_id, half) as owner,
        worker("participant", engine.url, execution_id, half) as participant,
    ):
        async with asyncio.timeout(80), asyncio.TaskGroup() as tasks:
            for i, watcher in enumerate(watchers):
                order = [first.ws, second.ws] if i % 2 else [second.ws, first.ws]
                tasks.create_task(watcher.watch(order))
            tasks.create_task(kill_twice(second, watchers[-1], records))
            assert await asyncio.to_thread(told, participant) == "True 0"
            assert await asyncio.to_thread(told, owner) == "True 0"
            say(owner)
    return watchers


async def everything_arrives(
    place: Path, engine: Engine, execution_id: str, records: int, seed: int
) -> None:
    watchers = await run(place, engine, execution_id, records, seed)
    stream = read_stream(engine.url, execution_id)
    assert [row.seq for row in stream] == list(range(1, len(stream) + 1))
    for name in ("owner", "participant"):
        assert published(stream, name) == list(range(records // 2))
    assert Counter(row.level for row in stream)[""] == 3  # running, completed, end
    for watcher in watchers:
        assert objections(watcher.rows, stream) == []
        assert (watcher.faults, watcher.gaps, watcher.resets) == ([], [], [])
        assert watcher.close_code == 1000
        assert watcher.connections > 1
        assert watcher.end is not None
        assert total_objections(watcher.end["totals"], stream) == []


async def test_every_viewer_gets_every_record_once_and_in_order_whichever_gateway_dies(
    place: Path, own_engine: Engine, execution_id: str
) -> None:
    await everything_arrives(place, own_engine, execution_id, records=15_000, seed=0)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(1, 8))
async def test_the_same_with_many_records(
    place: Path, own_engine: Engine, execution_id: str, seed: int
) -> None:
    await everything_arrives(place, own_engine, execution_id, MANY, seed)
