"""Figures say what a plain recomputation from the streams says, and to whom may see it only."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.conftest import QUICK
from tests.gateway.running import PUSHED, Running, running
from tests.gateway.signing import AUTH, bearer
from tests.gateway.worker import Worker

from runtail import AsyncPublisher
from runtail_broker.connections.client import Nodes
from runtail_broker.executions import NEWEST, Executions
from runtail_broker.inventory import Inventory
from runtail_broker.records.outline import StepEnds
from runtail_broker.tally import Tally
from runtail_gateway.executions.figures import Figures, Window, percentile
from runtail_gateway.executions.rates import Rates

MINUTE = 60_000
NOW = 1_790_000_000_000 // MINUTE * MINUTE + 30_000


def tally(name: str, status: str, begun: int, ended: int = 0, **more: Any) -> Tally:
    """An execution that began *begun* ms before now, and ended *ended* ms before now."""
    over = status not in ("running", "lost")
    fields: dict[str, Any] = {"workflow_id": "wf", "records": 10} | more
    return Tally(
        id=name,
        status=status,
        started_ms=NOW - begun,
        ended_ms=NOW - ended if over else 0,
        last_ms=NOW - ended,
        settled=over,
        **fields,
    )


def summed(*tallies: Tally, seconds: int = 3600) -> Any:
    figures = Figures(Window.of(seconds, NOW))
    for each in tallies:
        figures.add(each)
    return figures.json()


def test_each_execution_counts_in_the_minute_it_began_and_in_the_one_it_ended() -> None:
    answer = summed(
        tally("a", "completed", 5 * MINUTE, 2 * MINUTE),
        tally("b", "failed", 5 * MINUTE, 0),
        tally("c", "running", 1 * MINUTE),
        tally("d", "cancelled", 10 * 60 * MINUTE, 61 * MINUTE),
    )
    assert len(answer["per_minute"]) == 61
    rows = {n: row for n, row in enumerate(reversed(answer["per_minute"])) if row["records"]}
    told = {n: (row["started"], row["completed"], row["failed"]) for n, row in rows.items()}
    assert (told[5], told[2], told[0], told[1]) == ((2, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 0))
    assert (answer["started"], answer["completed"], answer["failed"]) == (3, 1, 1)
    assert (answer["cancelled"], answer["running"], answer["counted"]) == (0, 1, 4)
    assert answer["success_rate"] == 0.5


def test_a_long_window_has_wider_rows_and_never_more_than_a_day_of_minutes() -> None:
    answer = summed(seconds=30 * 86_400)
    assert answer["row_seconds"] == 1800
    assert len(answer["per_minute"]) <= 1441
    assert answer["since"].endswith(":00.000Z")


def test_nothing_has_no_rate_and_no_durations() -> None:
    answer = summed()
    assert (answer["success_rate"], answer["records_per_second"]) == (None, 0.0)
    assert (answer["workflows"], answer["steps"]) == ([], [])


def test_durations_of_a_workflow_are_those_that_completed_and_its_history_the_last_ones() -> None:
    many = [tally(f"{n:03}", "completed", n * 1000 + n, n * 1000) for n in range(1, 101)]
    answer = summed(
        *many, tally("x", "failed", 9000, 500), tally("y", "completed", 7, workflow_id=None)
    )
    wf, none = answer["workflows"]
    assert (wf["workflow_id"], wf["finished"], wf["failed"]) == ("wf", 101, 1)
    assert (wf["p50_ms"], wf["p95_ms"]) == (50, 95)
    assert (len(wf["history"]), wf["history"][-1]["id"], wf["history"][0]["id"]) == (30, "x", "029")
    assert none["workflow_id"] is None


def test_the_steps_that_fail_most_and_those_that_take_longest_are_told() -> None:
    figures = Figures(Window.of(3600, NOW))
    slow = [StepEnds(f"slow {n}", 1, 0, (1000.0 + n,)) for n in range(100)]
    failing = [StepEnds(f"failing {n}", 9, n + 1, (1.0,)) for n in range(100)]
    figures.add_steps("wf", slow + failing)
    figures.add_steps("wf", [StepEnds("slow 99", 1, 0, (3000.0,))])
    steps = figures.json()["steps"]
    assert len(steps) == 50
    names = [step["step_name"] for step in steps]
    assert names[:2] == ["failing 99", "failing 98"]
    assert sum(name.startswith("slow") for name in names) == 25
    told = next(step for step in steps if step["step_name"] == "slow 99")
    assert (told["runs"], told["p50_ms"], told["p95_ms"]) == (2, 1099.0, 3000.0)


@given(st.lists(st.integers(0, 1000), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_as_many_do_not_exceed(
    values: Sequence[int], percent: int
) -> None:
    found = percentile(values, percent)
    assert found is not None
    enough = [v for v in set(values) if sum(w <= v for w in values) * 100 >= percent * len(values)]
    assert found == min(enough)


@given(
    st.lists(
        st.tuples(st.integers(-50, 150), st.integers(0, 150), st.integers(1, 1000)), max_size=8
    )
)
def test_what_comes_over_a_time_counts_in_each_row_with_its_share(
    given_: Sequence[tuple[int, int, int]],
) -> None:
    rates = Rates(since_ms=0, row_ms=10, rows=10)
    plain = [0.0] * 10
    for begin, length, amount in given_:
        rates.add(begin, begin + length, amount)
        for ms in range(begin, begin + length) or [begin]:
            if 0 <= ms < 100:
                plain[ms // 10] += amount / max(1, length)
    assert rates.rows() == pytest.approx(plain, abs=1e-6)


# --- of a real engine ---------------------------------------------------------------------------


async def figures_of(gateway: Running, query: str = "", **headers: Any) -> Any:
    async with gateway.http.get(f"{gateway.address}/figures{query}", **headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def run_some(engine_url: str, count: int) -> list[str]:
    """Let workers run *count* executions of three workflows, with steps of which some fail."""
    chance, names = random.Random(7), []
    async with AsyncPublisher(engine_url) as publisher:
        for number in range(count):
            name = f"run-{number}"
            names.append(name)
            try:
                async with publisher.execution(name, workflow_id=f"wf-{number % 3}") as run:
                    for step in ("load", "check", "save"):
                        async with run.step(step):
                            run.info("working")
                            if chance.random() < 0.15:
                                raise ValueError("it broke")
            except ValueError:
                pass
        await publisher.drain()
    return names


def ms_of(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


async def recomputed(nodes: Nodes, names: Sequence[str]) -> dict[str, Any]:
    """Read all that the figures say out of the streams: every record of every execution."""
    ended, durations, failed = Counter[str](), dict[str, list[int]](), Counter[str]()
    steps = dict[tuple[str, str], list[tuple[str, float]]]()
    records = 0
    for name in names:
        log = await Worker(nodes, name).stored()
        statuses = [record for record in log if record.get("kind") == "status"]
        workflow, last = statuses[0]["workflow_id"], statuses[-1]
        begin, end = (int(each["id"].partition("-")[0]) for each in (statuses[0], last))
        ended[last["status"]] += 1
        failed[workflow] += last["status"] == "failed"
        if last["status"] == "completed":
            durations.setdefault(workflow, []).append(end - begin)
        records += len(log)
        for record in log:
            if record.get("kind") == "step" and record["status"] in ("completed", "failed"):
                took = float(format(record["duration_ms"], ".6g"))
                steps.setdefault((workflow, record["step_name"]), []).append(
                    (record["status"], took)
                )
    return {
        "ended": ended,
        "durations": durations,
        "failed": failed,
        "steps": steps,
        "records": records,
    }


def nearest(values: list[Any], percent: int) -> Any:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1] if values else None


async def test_all_figures_are_what_a_plain_recomputation_from_the_streams_says(
    pushing: Running, engine_nodes: Nodes, engine_url: str
) -> None:
    names = await run_some(engine_url, 40)
    plain = await recomputed(engine_nodes, names)
    answer = await figures_of(pushing)
    assert (answer["counted"], answer["complete"]) == (40, True)
    assert answer["started"] == sum(row["started"] for row in answer["per_minute"]) == 40
    for status in ("completed", "failed", "cancelled"):
        rows = sum(row[status] for row in answer["per_minute"])
        assert answer[status] == rows == plain["ended"][status]
    assert plain["ended"]["failed"] > 0
    assert answer["success_rate"] == round(plain["ended"]["completed"] / 40, 4)
    seconds = (ms_of(answer["until"]) - ms_of(answer["since"])) / 1000
    assert answer["records_per_second"] == pytest.approx(plain["records"] / seconds, abs=0.002)
    assert len(answer["workflows"]) == 3
    for workflow in answer["workflows"]:
        name = workflow["workflow_id"]
        took = plain["durations"][name]
        assert (workflow["failed"], workflow["finished"]) == (
            plain["failed"][name],
            plain["failed"][name] + len(took),
        )
        # the state's times and the ids of the two records may be a millisecond apart
        for percent in (50, 95):
            assert workflow[f"p{percent}_ms"] == pytest.approx(nearest(took, percent), abs=2)
        assert len(workflow["history"]) == workflow["finished"]
    assert len(answer["steps"]) == len(plain["steps"]) == 9
    for step in answer["steps"]:
        ends = plain["steps"][step["workflow_id"], step["step_name"]]
        assert (step["runs"], step["failed"]) == (
            len(ends),
            sum(status == "failed" for status, _ in ends),
        )
        assert step["p50_ms"] == nearest([took for _, took in ends], 50)
        assert step["p95_ms"] == nearest([took for _, took in ends], 95)


@pytest.mark.parametrize("gateway_settings", [{"figures_seconds": 1e-9}], indirect=True)
async def test_what_changes_is_seen_by_each_gateway_and_what_has_ended_is_not_read_again(
    pushing: Running, engine_nodes: Nodes, engine_url: str, gateway_settings: Any
) -> None:
    await run_some(engine_url, 3)
    first = Worker(engine_nodes, "still-1")
    async with running(gateway_settings, engine_url, PUSHED) as other:
        before = await figures_of(pushing)
        await listed(engine_nodes, first)
        running_now = [await figures_of(gateway) for gateway in (pushing, other)]
        assert [each["running"] for each in running_now] == [1, 1]
        await first.log("x")
        await first.end()
        after = [await figures_of(gateway) for gateway in (pushing, other)]
        for each in after:
            assert each["running"] == 0
            assert each["completed"] == before["completed"] + 1
            assert each["workflows"] == after[0]["workflows"]
            assert each["steps"] == before["steps"]


async def listed(nodes: Nodes, worker: Worker) -> None:
    """Open *worker*'s execution, and put it on the list as the SDK does before."""
    await Inventory(nodes).relist({worker.execution_id: time.time() * 1000})
    await worker.open()


@pytest.mark.parametrize(
    "gateway_settings", [{"figures_looked": 64, "figures_steps_looked": 2}], indirect=True
)
async def test_beyond_its_bound_it_says_since_when_it_looked(
    pushing: Running, engine_nodes: Nodes, engine_url: str
) -> None:
    await run_some(engine_url, 80)
    answer = await figures_of(pushing)
    assert (answer["complete"], answer["steps_counted"]) == (False, 2)
    since_ms = ms_of(answer["looked_since"])
    places = await Executions(engine_nodes).older(NEWEST, 100)
    assert answer["counted"] == sum(ms >= since_ms for ms, _ in places)
    assert 2 <= answer["counted"] <= 64


@pytest.mark.parametrize("text", ["59", "2592001", "x", "-60", "3600.5", ""])
async def test_a_window_that_is_none_is_refused(pushing: Running, text: str) -> None:
    url = f"{pushing.address}/figures?window_seconds={text}"
    async with pushing.http.get(url) as answer:
        assert answer.status == 400
        told = (await answer.json(content_type=None))["detail"]
        assert told == f"window_seconds is {text!r}, expected a whole number from 60 to 2592000"


@pytest.fixture
async def signing_in(engine_nodes: Nodes, engine_url: str) -> AsyncIterator[Running]:
    async with running(replace(QUICK, auth=AUTH), engine_url) as gateway:
        yield gateway


async def test_a_token_with_patterns_sees_figures_of_its_executions_only(
    signing_in: Running, engine_url: str
) -> None:
    await run_some(engine_url, 20)
    everything = await figures_of(signing_in, headers=bearer(scope="read"))
    assert everything["counted"] == 20
    one = bearer(scope="read", runtail_executions=["run-1"])
    few = await figures_of(signing_in, headers=one)
    assert (few["counted"], few["started"]) == (1, 1)
    assert [past["id"] for each in few["workflows"] for past in each["history"]] == ["run-1"]
    assert {step["workflow_id"] for step in few["steps"]} == {"wf-1"}
    assert sum(row["records"] for row in few["per_minute"]) < 20
    workflow = bearer(scope="read", runtail_workflows=["wf-2"])
    told = await figures_of(signing_in, headers=workflow)
    assert [each["workflow_id"] for each in told["workflows"]] == ["wf-2"]
    assert told["counted"] == 6
    none = await figures_of(signing_in, headers=bearer(scope="read", runtail_executions=[]))
    assert (none["counted"], none["workflows"], none["steps"]) == (0, [], [])
    for headers in (bearer(scope="publish"), {}):
        async with signing_in.http.get(f"{signing_in.address}/figures", headers=headers) as answer:
            assert answer.status in (401, 403)
