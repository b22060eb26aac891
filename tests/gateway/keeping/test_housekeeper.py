"""Housekeeping on real engines: the list is mended, the old removed, by one gateway at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import REAL_ENGINES
from tests.e2e.processes import gateways
from tests.gateway.conftest import QUICK
from tests.gateway.logs.test_rest import get, refused
from tests.gateway.running import running
from tests.gateway.talking import Talk, talking
from tests.gateway.worker import Worker
from tests.polling import a_moment, soon

from runtail_broker.acks import MEMORY, Acks
from runtail_broker.claim import Claim
from runtail_broker.connections.client import Nodes, connect
from runtail_broker.errors import RuntailError
from runtail_broker.inventory import Inventory
from runtail_broker.keys import claim, index_of
from runtail_broker.script import Answer, Call
from runtail_gateway.keeping.housekeeper import Housekeeper
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.settings import GatewaySettings

HELD = claim("housekeeper")
STEPS = replace(QUICK, housekeeping_seconds=0.02, sweep_seconds=600.0)
SHORT = replace(STEPS, keep_finished_seconds=0.001)


async def contact() -> float:
    """Seconds of uninterrupted contact: enough."""
    return 1e9


@asynccontextmanager
async def keeping_house(
    nodes: Nodes, settings: GatewaySettings, asked: Callable[[], Awaitable[float]] = contact
) -> AsyncIterator[Metrics]:
    metrics = Metrics()
    async with Housekeeper(nodes, asked, settings, metrics):
        yield metrics


async def counts(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


async def rounds(metrics: Metrics, more: int = 2) -> None:
    """Wait until all keys, and all of the list, were looked at so many times more."""
    name = "runtail_gateway_housekeeping_rounds_total"
    for of in ("keys", "list"):
        begun = await counts(metrics, name, of=of)
        async with asyncio.timeout(20):
            while await counts(metrics, name, of=of) < begun + more:
                await a_moment()


async def place_of(nodes: Nodes, name: str) -> float | None:
    key = index_of(name)
    place: float | None = await nodes.at(key, lambda node: node.zscore(key, name))
    return place


async def put(nodes: Nodes, name: str, place: float) -> None:
    key = index_of(name)
    await nodes.at(key, lambda node: node.zadd(key, {name: place}))


async def ended(nodes: Nodes, name: str, *messages: str, status: str = "completed") -> Worker:
    worker = Worker(nodes, name)
    await worker.open()
    if messages:
        await worker.log(*messages)
    await worker.close(status)
    assert (await worker.finish()).word == "ended"
    return worker


async def exists(nodes: Nodes, name: str) -> bool:
    return any(k.standing or k.last_id for k in await Inventory(nodes).kept([name]))


async def gone(nodes: Nodes, name: str) -> None:
    """Wait until nothing of it is left, nor on the list."""
    async with asyncio.timeout(20):
        while await exists(nodes, name) or await place_of(nodes, name) is not None:
            await a_moment()


@pytest.mark.parametrize("engine", REAL_ENGINES, indirect=True)
async def test_the_list_is_reconciled_with_what_exists(nodes: Nodes) -> None:
    """What it lost comes back where it was; what leads nowhere goes, but not before its time."""
    await Worker(nodes, "running").open()
    await ended(nodes, "over", "a word")
    await put(nodes, "old-ghost", 1.0)
    now = await Inventory(nodes).now_ms()
    await put(nodes, "opening", now)
    async with keeping_house(nodes, STEPS) as metrics:
        await rounds(metrics)
        assert await counts(metrics, "runtail_gateway_relisted_total") == 2
        assert await counts(metrics, "runtail_gateway_ghosts_removed_total") == 1
        assert await counts(metrics, "runtail_gateway_housekeeping_timestamp_seconds") > 1e9
    for name in ("running", "over"):
        assert await place_of(nodes, name) == pytest.approx(now, abs=30_000)
        assert await exists(nodes, name)
    assert await place_of(nodes, "old-ghost") is None
    assert await place_of(nodes, "opening") == now


@pytest.mark.parametrize("engine", REAL_ENGINES, indirect=True)
async def test_what_is_old_is_removed_and_counted_by_its_reason(nodes: Nodes) -> None:
    """Finished, empty and orphaned ones go wholly; what runs, or is lost, or too young, stays."""
    await ended(nodes, "over", "a word")
    await ended(nodes, "silent")
    orphan = await ended(nodes, "orphan", "a word")
    await nodes.at(orphan.keys.state, lambda node: node.delete(orphan.keys.state))
    await Worker(nodes, "running").open()
    left = Worker(nodes, "left-open")
    await left.open()
    await left.close("")
    young = replace(STEPS, keep_empty_seconds=0.001)
    async with keeping_house(nodes, young) as metrics:
        await gone(nodes, "silent")
        await rounds(metrics)
        assert await exists(nodes, "over")
    async with keeping_house(nodes, SHORT) as metrics:
        for name in ("over", "orphan"):
            await gone(nodes, name)
        await rounds(metrics)
        reasons = [
            await counts(metrics, "runtail_gateway_executions_removed_total", reason=reason)
            for reason in ("finished", "empty", "orphaned")
        ]
        assert reasons == [1, 0, 1]
    for name in ("running", "left-open"):
        assert await exists(nodes, name)


@pytest.mark.parametrize("engine", REAL_ENGINES, indirect=True)
@pytest.mark.parametrize("part", ["publishers", "steps", "notes"])
async def test_what_an_execution_left_behind_goes_and_what_belongs_to_one_that_runs_stays(
    nodes: Nodes, part: str
) -> None:
    for name in ("broken", "running"):
        worker = Worker(nodes, name)
        await worker.open()
        keys = worker.keys
        await nodes.at(keys.state, lambda node, k=keys: node.hset(k.steps, "load", "1 0 5"))  # type: ignore[misc]
        await nodes.at(keys.state, lambda node, k=keys: node.xadd(k.notes, {"j": "{}", "a": ""}))  # type: ignore[misc]
    broken = Worker(nodes, "broken").keys
    others = {broken.publishers, broken.steps, broken.notes} - {getattr(broken, part)}
    await nodes.at(broken.state, lambda node: node.delete(broken.state, broken.stream, *others))
    async with keeping_house(nodes, STEPS) as metrics:
        await rounds(metrics)
        assert (await Inventory(nodes).kept(["broken"]))[0].left_over  # it may come back yet
    async with keeping_house(nodes, replace(STEPS, ghost_seconds=0.05)) as metrics:
        async with asyncio.timeout(20):
            while (await Inventory(nodes).kept(["broken"]))[0].left_over:
                await a_moment()
        await rounds(metrics)
    running = Worker(nodes, "running").keys
    there = (running.state, running.stream, running.publishers, running.steps, running.notes)
    assert await nodes.at(running.state, lambda node: node.exists(*there)) == len(there)


async def test_who_reads_a_removed_execution_is_told_deleted_and_who_watches_the_list_removed(
    engine_nodes: Nodes, engine_url: str
) -> None:
    await ended(engine_nodes, "over", "a word")
    await put(engine_nodes, "over", 5.0)
    await put(engine_nodes, "ghost", 1.0)
    quiet = replace(STEPS, housekeeping_seconds=600.0)
    async with running(quiet, engine_url) as gateway, talking(gateway, "/ws/executions") as talk:
        await talk.say(type="watch")
        page = await talk.until("watching")
        assert [row["id"] for row in page["executions"]] == ["over"]
        async with keeping_house(engine_nodes, SHORT):
            await soon(lambda: removed(talk) == {"over", "ghost"}, "the watch is told")
        status, problem = await refused(gateway, "/executions/over")
        assert (status, problem["code"]) == (410, "deleted")
        assert await get(gateway, "/executions") == {"executions": [], "next": None}


def removed(talk: Talk) -> set[str]:
    return {name for message in talk.of("executions") for name in message["removed"]}


class Meddled(Nodes):
    """Nodes by which something happens just before an execution is deleted."""

    meddle: Callable[[str], Awaitable[object]]

    async def run_all(
        self, calls: Sequence[Call], *, replicated: bool = False, acks: Acks = MEMORY
    ) -> list[Answer | RuntailError]:
        for call in calls:
            if call.script.name == "delete":
                await self.meddle(call.execution_id)
        return await super().run_all(calls, replicated=replicated, acks=acks)


async def test_an_execution_that_is_opened_between_the_look_and_the_removal_stays(
    engine_nodes: Nodes, engine_url: str
) -> None:
    await ended(engine_nodes, "over", "a word")
    await put(engine_nodes, "over", 5.0)
    meddled, late = Meddled(connect(engine_url)), Worker(engine_nodes, "over")
    tried = 0

    async def join(execution_id: str) -> None:
        nonlocal tried
        tried += 1
        if tried == 1:
            assert (await late.open("participant")).word == "late"

    meddled.meddle = join
    async with keeping_house(meddled, SHORT) as metrics:
        await rounds(metrics)
    await meddled.close()
    assert tried == 1
    await late.log("late words")
    assert (await late.stored())[-1]["message"] == "late words"
    assert await place_of(engine_nodes, "over") == 5.0


async def test_one_clock_that_runs_ahead_makes_nothing_old(
    engine_nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen from a gateway whose clock is behind the engine's; who of them is wrong nobody knows."""
    await ended(engine_nodes, "over", "a word")
    behind = time.time() - 3600
    monkeypatch.setattr(time, "time", lambda: behind)
    async with keeping_house(engine_nodes, SHORT) as metrics:
        await rounds(metrics)
        assert await exists(engine_nodes, "over")
        monkeypatch.undo()
        await gone(engine_nodes, "over")


async def test_an_ended_execution_that_somebody_has_open_is_kept_until_that_one_was_silent(
    engine_nodes: Nodes,
) -> None:
    """Whoever came late and died keeps it no longer than that; nobody is silent who is unheard."""
    await ended(engine_nodes, "over", "a word")
    await Worker(engine_nodes, "over").open("participant")
    settings = replace(SHORT, finality_seconds=0.2)

    async def just_back() -> float:
        return 0.1

    async with keeping_house(engine_nodes, settings, just_back) as metrics:
        deadline = time.monotonic() + 2 * settings.finality_seconds
        await soon(lambda: time.monotonic() > deadline, "it was long enough")
        await rounds(metrics)
        assert await exists(engine_nodes, "over")
    async with keeping_house(engine_nodes, settings):
        await gone(engine_nodes, "over")


async def test_an_ended_execution_stays_if_whoever_has_it_open_speaks_before_the_removal(
    engine_nodes: Nodes, engine_url: str
) -> None:
    await ended(engine_nodes, "over", "a word")
    meddled, late = Meddled(connect(engine_url)), Worker(engine_nodes, "over")
    await late.open("participant")
    beats: list[str] = []

    async def beat(execution_id: str) -> None:
        beats.append((await late.beat()).word)

    meddled.meddle = beat
    async with keeping_house(meddled, replace(SHORT, finality_seconds=0.1)):
        await soon(lambda: len(beats) >= 2, "it was about to be removed twice")
    await meddled.close()
    assert set(beats) == {"alive"}


async def test_one_of_two_keeps_house_and_the_other_when_it_leaves(engine_nodes: Nodes) -> None:
    async with keeping_house(engine_nodes, STEPS) as one:
        await rounds(one, 1)
        async with keeping_house(engine_nodes, STEPS) as two:
            await rounds(one)
            held = [await counts(m, "runtail_gateway_housekeeping") for m in (one, two)]
            assert held == [1, 0]
            assert await counts(two, "runtail_gateway_housekeeping_timestamp_seconds") == 0
    async with keeping_house(engine_nodes, STEPS) as three:  # given back at once
        await rounds(three, 1)


async def test_another_takes_over_when_the_lease_of_one_that_died_is_over(
    engine_nodes: Nodes,
) -> None:
    dead = Claim(engine_nodes, "housekeeper", 0.5)
    assert await dead.hold()
    await ended(engine_nodes, "over", "a word")
    async with keeping_house(engine_nodes, SHORT) as metrics:
        while dead.held:
            assert await exists(engine_nodes, "over")
        await gone(engine_nodes, "over")
        assert await counts(metrics, "runtail_gateway_housekeeping") == 1


@pytest.mark.full
async def test_a_gateway_takes_over_when_the_one_that_kept_house_is_killed(
    engine_nodes: Nodes, engine_url: str, tmp_path: Path
) -> None:
    settings = {"housekeeping_seconds": 0.1, "claim_seconds": 2.0, "keep_finished_seconds": 0.001}
    with gateways(engine_url, tmp_path, 1, **settings) as (first,):
        await ended(engine_nodes, "one", "a word")
        await gone(engine_nodes, "one")
        first.kill()  # it gives nothing back
        assert await engine_nodes.at(HELD, lambda node: node.get(HELD)) is not None
    await ended(engine_nodes, "two", "a word")
    taking_over = replace(SHORT, claim_seconds=2.0)
    async with running(taking_over, engine_url) as gateway:
        await gone(engine_nodes, "two")
        assert await gateway.metric("runtail_gateway_housekeeping") == 1
    assert await engine_nodes.at(HELD, lambda node: node.get(HELD)) is None  # given back


async def test_a_step_that_fails_is_not_the_last_one(
    engine_nodes: Nodes, engine_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await ended(engine_nodes, "over", "a word")
    meddled = Meddled(connect(engine_url))
    failed: list[str] = []

    async def fail_once(execution_id: str) -> None:
        if not failed:
            failed.append(execution_id)
            raise ValueError("something that nobody expected")

    meddled.meddle = fail_once
    async with keeping_house(meddled, SHORT):
        await gone(engine_nodes, "over")
    await meddled.close()
    assert "something that nobody expected" in caplog.text
