"""What a running execution keeps: bounded in records, bytes and age, whatever it says."""

from __future__ import annotations

import pytest
from tests.broker.executions import Execution

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START
from runtail_broker.proof import Gap
from runtail_broker.script import Limits
from runtail_broker.stream import StreamReader

DAY_MS = 86_400_000
WEEK = Limits(max_age_seconds=7 * 86_400)


@pytest.fixture
def execution(nodes: Nodes, execution_id: str) -> Execution:
    return Execution(nodes, execution_id)


async def pass_days(execution: Execution, days: float) -> None:
    """Let the engine's clock, as far as this execution knows it, go on."""
    state = await execution.state()
    await execution.set_state(ms=int(state["ms"]) + int(days * DAY_MS))


async def test_what_is_older_than_the_limit_is_dropped_by_the_next_record(
    execution: Execution,
) -> None:
    """Not a record younger than that; whoever comes is told how many are gone."""
    await execution.open(limits=WEEK)
    for day in range(20):
        await execution.publish(f"day {day}", "…")
        await pass_days(execution, 1)
    await execution.publish("today")
    kept = [r["message"] for r in await execution.records() if r.get("message") != "…"]
    assert kept == [f"day {day}" for day in range(13, 20)] + ["today"]
    state = await execution.state()
    assert int(state["records"]) == 15
    verdict, bounds = await StreamReader(execution.nodes).after(execution.id, START)
    assert isinstance(verdict, Gap)
    assert (verdict.lost, bounds.first_seq) == (27, 28)


async def test_no_limit_of_age_keeps_everything(execution: Execution) -> None:
    await execution.open(limits=Limits(max_age_seconds=0))
    for _ in range(5):
        await execution.publish("a")
        await pass_days(execution, 1000)
    await execution.publish("b")
    assert len(await execution.records()) == 7


async def test_the_last_record_stays_however_old(execution: Execution) -> None:
    await execution.open(limits=WEEK)
    await execution.publish("a")
    await pass_days(execution, 100)
    await execution.publish("b")
    assert [r.get("message") for r in await execution.records()] == ["b"]


async def test_an_execution_of_before_the_limit_is_looked_at_once(execution: Execution) -> None:
    """Its state does not say since when its first record is there; nothing is dropped too early."""
    await execution.open(limits=WEEK)
    for _ in range(3):
        await execution.publish("a")
    await execution.set_state(head=0)
    await execution.publish("b")
    assert len(await execution.records()) == 5
    state = await execution.state()
    first = (await execution.entries())[0]
    assert int(state["head"]) == first.id.ms
