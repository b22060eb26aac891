"""All that the engine keeps stays within a cap: the oldest that have ended go first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.conftest import QUICK
from tests.gateway.logs.test_rest import refused
from tests.gateway.running import Running, running
from tests.gateway.worker import Worker
from tests.polling import a_moment

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import SETTINGS
from runtail_broker.standing import Standing
from runtail_gateway.keeping.retention import Ledger, Pressure

KEEPING = replace(QUICK, housekeeping_seconds=0.02, archive_grace_seconds=0.001)
KB = 1024


def standing(size: int, *, last_ms: int = 0, ended: bool = True) -> Standing:
    seen = Standing(1, 1, last_ms, 0, "completed", 0, ended, False, True, 0)
    return replace(seen, frame_bytes=size)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdefgh"), st.integers(0, 100), st.integers(0, 9), st.booleans()
        )
    ),
    st.integers(1, 400),
)
def test_the_ledger_names_no_more_than_must_go_and_the_oldest_first(
    seen: list[tuple[str, int, int, bool]], limit: int
) -> None:
    """Whatever was seen in whatever order: the last sight of each counts, what runs never goes."""
    ledger, last = Ledger(), {}
    for name, size, ms, ended in seen:
        ledger.saw(name, standing(size, last_ms=ms, ended=ended) if size else None)
        last[name] = (size, ms, ended)
    kept = {name: each for name, each in last.items() if each[0]}
    total = sum(size for size, _, _ in kept.values())
    assert ledger.bytes == total
    assert set(ledger.running(100)) == {name for name, (_, _, ended) in kept.items() if not ended}
    going = [name for name, _ in ledger.too_much(limit)]
    if total <= limit:
        assert going == []
        return
    ended_ones = sorted((ms, name) for name, (_, ms, ended) in kept.items() if ended)
    assert going == [name for _, name in ended_ones][: len(going)]
    left = total - sum(kept[name][0] for name in going)
    assert left <= limit or len(going) == len(ended_ones)
    if going:
        assert left + kept[going[-1]][0] > limit * 0.9


def test_it_warns_before_the_cap_is_reached() -> None:
    told = [(Pressure(kept, 100).warns, Pressure(kept, 100).is_over) for kept in (79, 80, 100, 101)]
    assert told == [(False, False), (True, False), (True, False), (True, True)]


async def set_cap(nodes: Nodes, size: int) -> None:
    await nodes.at(SETTINGS, lambda node: node.hset(SETTINGS, "max_total_bytes", size))


async def a_run(nodes: Nodes, name: str, kilobytes: int = 20) -> Worker:
    worker = Worker(nodes, name)
    await worker.open()
    await worker.log_noise(batches=kilobytes // 10, records=10, size=1000)
    await worker.end()
    return worker


async def test_the_oldest_that_have_ended_go_and_it_is_told(
    engine_nodes: Nodes, engine_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The one that runs stays, however old; who asks for one that went is told `deleted`."""
    await set_cap(engine_nodes, 100 * KB)
    runs = Worker(engine_nodes, "runs")
    await runs.open()
    await runs.log_noise(batches=2, records=10, size=1000)
    workers = [await a_run(engine_nodes, f"run-{number}") for number in range(10)]
    with caplog.at_level(logging.WARNING, "runtail.gateway"):
        async with running(KEEPING, engine_url) as gateway:
            await until_at_most(gateway, 100 * KB)
            left = [bool(await worker.entries()) for worker in workers]
            assert left == sorted(left)  # the first are gone, the last are there
            assert 3 <= sum(left) <= 4
            assert len(await runs.entries()) == 3
            status, problem = await refused(gateway, "/executions/run-0/logs")
            assert (status, problem["code"]) == (410, "deleted")
            name = 'runtail_gateway_executions_removed_total{reason="full"}'
            assert await gateway.metric(name) == 10 - sum(left)
            assert await gateway.metric("runtail_gateway_kept_bytes_cap") == 100 * KB
    (warning,) = [r for r in caplog.records if "max_total_bytes" in r.getMessage()]
    assert f"{100 * KB} are allowed" in warning.getMessage()


async def until_at_most(gateway: Running, size: int) -> None:
    async with asyncio.timeout(20):
        while not 0 < await gateway.metric("runtail_gateway_kept_bytes") <= size:
            await a_moment()


async def test_with_an_archive_they_go_there_before_the_cap_is_reached(
    engine_nodes: Nodes, engine_url: str, tmp_path: Path
) -> None:
    await set_cap(engine_nodes, 100 * KB)
    workers = [await a_run(engine_nodes, f"run-{number}") for number in range(10)]
    stored = [await worker.stored() for worker in workers]
    async with running(replace(KEEPING, archive=str(tmp_path)), engine_url) as gateway:
        await until_at_most(gateway, 80 * KB)
        for worker, records in zip(workers, stored, strict=True):
            async with gateway.watch(worker.execution_id) as watcher:
                await watcher.closed()
                assert watcher.records == records
        assert await gateway.metric("runtail_gateway_released_total") >= 5  # of some 16 KB each
    assert any([await worker.entries() for worker in workers])


@dataclass
class Highest:
    """The most memory that the engine's data took while the block ran."""

    base: int = 0
    bytes: int = 0
    _stop: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def watched_memory(nodes: Nodes) -> AsyncIterator[Highest]:
    (shard,) = await nodes.shards()

    async def used() -> int:
        return int((await shard.node.info("memory"))["used_memory"])

    highest = Highest(await used())

    async def look() -> None:
        while True:
            highest.bytes = max(highest.bytes, await used() - highest.base)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(look())
    try:
        yield highest
    finally:
        task.cancel()


@pytest.mark.parametrize("archived", [False, True], ids=["removed", "archived"])
@pytest.mark.parametrize(
    ("cap", "runs"), [(512 * KB, 16), pytest.param(16 * 1024 * KB, 400, marks=pytest.mark.full)]
)
@pytest.mark.timeout(300)
async def test_memory_stays_bounded_however_much_is_published(
    engine_nodes: Nodes, engine_url: str, tmp_path: Path, archived: bool, cap: int, runs: int
) -> None:
    """Ten times the cap passes through while one execution runs and is watched from its beginning.

    The engine's memory stays below the cap and a half; of what runs nothing is lost.
    """
    await set_cap(engine_nodes, cap)
    each = 10 * cap // runs // KB
    settings = replace(KEEPING, archive=str(tmp_path) if archived else "")
    slow = Worker(engine_nodes, "runs")
    await slow.open()
    async with (
        running(settings, engine_url) as gateway,
        gateway.watch("runs") as watcher,
        watched_memory(engine_nodes) as highest,
    ):
        for number in range(runs):
            await a_run(engine_nodes, f"run-{number}", each)
            await slow.log(f"still here {number}")
            while await kept(engine_nodes) > cap:  # publishers are faster than one step
                await a_moment()
        await watcher.has_all(await slow.stored())
        assert watcher.gaps == []
        assert await gateway.metric("runtail_gaps_total") == 0
        gone = "released_total" if archived else 'executions_removed_total{reason="full"}'
        assert await gateway.metric(f"runtail_gateway_{gone}") > runs // 2
    print(f"memory: {cap / 1e6:.1f} MB cap, {highest.bytes / 1e6:.1f} MB at most")  # noqa: T201
    assert highest.bytes < cap * 1.5 + 2_000_000
    assert [r["message"] for r in await slow.stored() if "message" in r] == [
        f"still here {number}" for number in range(runs)
    ]


async def kept(nodes: Nodes) -> int:
    """How many bytes of frames the states count now."""
    (shard,) = await nodes.shards()
    total = 0
    async for key in shard.node.scan_iter(match="runtail:{*}:state"):
        total += int(await shard.node.hget(key, "bytes") or 0)
    return total
