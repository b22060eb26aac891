"""A place in a very long log costs few calls of the engine, and a search says how far it looked."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.engines import redis_server
from tests.gateway.conftest import QUICK
from tests.gateway.logs.test_rest import get, refused
from tests.gateway.long_log import EngineCalls, write_long_log
from tests.gateway.running import Running, running
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_gateway.settings import GatewaySettings

MOST_CALLS = 30
NEEDLE = "a needle"
QUIET = replace(QUICK, beat_seconds=600.0, sweep_seconds=600.0)  # so that nobody else asks
# frames of so many records in turn, and pauses of so many ms between every 50 of them
SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "short": ((1, 9, 30, 2), (0, 5000)),
    "single": ((1,), (1, 3_600_000)),
    "long": ((1000, 1, 2000, 300, 10, 1700), (0, 20, 5000, 0, 3_600_000, 1, 250_000_000)),
}


@dataclass(frozen=True, slots=True)
class Long:
    """A gateway over a log of *records* records, and the calls that its engine is asked for."""

    gateway: Running
    name: str
    records: int
    engine: EngineCalls

    async def page(self, query: str, most: int = MOST_CALLS) -> Any:
        """Ask for a page; it must take at most so many calls, MULTI and EXEC included."""
        await self.engine.begin()
        begun = time.perf_counter()
        page = await get(self.gateway, f"/executions/{self.name}/logs?{query}")
        self._told(query, (time.perf_counter() - begun) * 1000, calls := await self.engine.calls())
        assert 0 < sum(calls.values()) <= most, calls
        return page

    async def seqs(self, query: str) -> list[int]:
        """List the seqs of a page."""
        return [record["seq"] for record in (await self.page(query))["records"]]

    async def watch_tail(self, count: int) -> None:
        """Watch from the last *count* records on; they must come, at no more calls than a page."""
        await self.engine.begin()
        begun = time.perf_counter()
        async with self.gateway.watch(self.name, f"tail={count}") as watcher:
            await watcher.until(
                lambda: any(m["type"] == "caught_up" for m in watcher.messages), "it caught up"
            )
            assert [r["seq"] for r in watcher.records] == list(self.last(count))
        calls = await self.engine.calls()
        self._told(f"WebSocket tail={count}", (time.perf_counter() - begun) * 1000, calls)
        assert 0 < sum(calls.values()) <= MOST_CALLS, calls

    def last(self, count: int) -> range:
        """The last *count* seqs."""
        return range(self.records - count + 1, self.records + 1)

    @staticmethod
    def _told(what: str, ms: float, calls: dict[str, int]) -> None:
        print(f"{what:40} {sum(calls.values()):4} calls {ms:8.1f} ms  {calls}")  # noqa: T201


@asynccontextmanager
async def long_log(
    url: str, name: str, records: int, texts: dict[int, str], shape: str, settings: GatewaySettings
) -> AsyncIterator[Long]:
    nodes = Nodes.connect(url)
    try:
        begun = time.monotonic()
        sizes, pauses = SHAPES[shape]
        await write_long_log(nodes, Worker(nodes, name), records, sizes, texts, pauses)
        print(f"{records} records written in {time.monotonic() - begun:.1f} s")  # noqa: T201
        async with running(settings, url) as gateway:
            yield Long(gateway, name, records, EngineCalls(nodes))
    finally:
        await nodes.close()


async def assert_places_cost_little(long: Long, limit: int) -> None:
    """Ask for pages around the ends, the middle and beyond, backwards, and for the last ones."""
    last, middle, half = long.records, long.records // 2, limit // 2
    assert await long.seqs(f"around=1&limit={limit}") == list(range(1, limit + 1))
    around = list(range(middle - half, middle + half))
    assert await long.seqs(f"around={middle}&limit={limit}") == around
    at_the_end = list(range(last - 1 - half, last + 1))
    assert await long.seqs(f"around={last - 1}&limit={limit}") == at_the_end[:limit]
    for beyond in (last + 1, 10 * last, 2**53):
        assert await long.seqs(f"around={beyond}&limit={limit}") == at_the_end[1:]
    assert await long.seqs(f"tail={limit}") == list(long.last(limit))
    for before in (middle, last, last + 1, 2):
        expected = list(range(max(1, before - limit), before))
        assert await long.seqs(f"before={before}&limit={limit}") == expected
    status, problem = await refused(long.gateway, f"/executions/{long.name}/logs?around={10**30}")
    assert (status, problem["code"]) == (400, "bad_request")


async def search(long: Long, looked: int, after: str = "0-0:0:-") -> tuple[list[int], int]:
    """Search forwards until it is found; each page must say truly how far it looked."""
    seen, pages = 0, 0
    while True:
        page = await long.page(f"q={NEEDLE}&limit=1&after={after}")
        pages += 1
        assert page["looked"]["first_seq"] == seen + 1
        seen = page["looked"]["last_seq"]
        if page["matches"]:
            return page["matches"], pages
        assert page["looked"]["last_seq"] - page["looked"]["first_seq"] + 1 == looked
        after = page["cursor"]


async def search_back(long: Long, looked: int) -> tuple[list[int], int]:
    """Search backwards likewise."""
    page = await long.page(f"q={NEEDLE}&tail=1")
    seen, pages = long.records, 1
    while True:
        assert page["looked"]["last_seq"] == seen
        if page["matches"]:
            return page["matches"], pages
        first = page["looked"]["first_seq"]
        assert seen - first + 1 == looked
        assert page["before"] == first
        seen, pages = first - 1, pages + 1
        page = await long.page(f"q={NEEDLE}&limit=1&before={first}")


@pytest.mark.parametrize(("shape", "limit"), [("short", 100), ("single", 400)])
async def test_a_place_in_a_log_of_thousands_of_frames_costs_few_calls(
    engine_nodes: Nodes, engine_url: str, execution_id: str, shape: str, limit: int
) -> None:
    """Pages around, backwards and last, searches and a viewer's tail: at most 30 calls each."""
    settings = replace(QUIET, search_records=300)
    texts = {700: NEEDLE, 900: NEEDLE}
    async with long_log(engine_url, execution_id, 1500, texts, shape, settings) as long:
        await assert_places_cost_little(long, limit)
        assert await search(long, 300) == ([700], 3)
        assert await search_back(long, 300) == ([900], 3)
        await long.watch_tail(100)


@pytest.mark.full
@pytest.mark.redis_server
@pytest.mark.timeout(400)
async def test_a_place_in_five_million_records_costs_few_calls(execution_id: str) -> None:
    """The same in 5,000,000 records, pages of up to 10,000, and a search through a million."""
    texts = {1_000_003: NEEDLE, 4_700_001: NEEDLE}
    with redis_server() as url:
        async with long_log(url, execution_id, 5_000_000, texts, "long", QUIET) as long:
            for limit in (2, 100, 1000, 10_000):
                await assert_places_cost_little(long, limit)
            assert await long.seqs("around=2500000&limit=1") == [2_500_000]
            assert await search(long, QUIET.search_records) == ([1_000_003], 21)
            assert await search_back(long, QUIET.search_records) == ([4_700_001], 6)
            for count in (1, 100, 1000):
                await long.watch_tail(count)
