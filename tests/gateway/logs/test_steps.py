"""Statistics of steps: right for every way a step may run, and bounded."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.running import Running
from tests.gateway.worker import Worker

from runtail import Publisher
from runtail_broker.connections.client import Nodes
from runtail_gateway.logs.step_statistics import StepStatistics


def step(name: str, status: str, **more: object) -> dict[str, object]:
    return {"kind": "step", "step_name": name, "status": status, "timestamp": status, **more}


def summed(*records: dict[str, object]) -> list[dict[str, Any]]:
    statistics = StepStatistics(most=10)
    assert all(statistics.add(record) for record in records)
    steps: Any = statistics.json()["steps"]
    return list(steps)


def test_a_step_is_summed_up_from_its_begin_its_end_and_its_logs() -> None:
    (load,) = summed(
        step("load", "running", waited_ms=5, step_type="tool"),
        {"step_name": "load", "level": "info"},
        {"step_name": "load", "level": "error"},
        step("load", "completed", duration_ms=12.5),
    )
    assert load == {
        "step_name": "load",
        "step_type": "tool",
        "status": "completed",
        "runs": 1,
        "attempts": 0,
        "started_at": "running",
        "ended_at": "completed",
        "duration_ms": 12.5,
        "waited_ms": 5.0,
        "records": 4,
        "levels": {"debug": 0, "info": 1, "warning": 0, "error": 1},
    }


def test_a_step_that_was_tried_again_adds_up_and_shows_its_latest_end() -> None:
    (load,) = summed(
        step("load", "running", attempt=1),
        step("load", "retried", attempt=1, duration_ms=10),
        step("load", "running", attempt=2),
        step("load", "failed", attempt=2, duration_ms=20),
    )
    assert (load["status"], load["runs"], load["attempts"]) == ("failed", 2, 2)
    assert load["duration_ms"] == 30


def test_a_step_of_which_one_run_goes_on_is_running() -> None:
    begun = [step("load", "running"), step("load", "running")]
    (load,) = summed(*begun, step("load", "completed", duration_ms=1))
    assert (load["status"], load["ended_at"], load["duration_ms"]) == ("running", None, 1)


def test_steps_come_in_the_order_of_their_first_appearance() -> None:
    records: list[dict[str, object]] = [{"step_name": name} for name in ("b", "a", "b", "c")]
    assert [each["step_name"] for each in summed(*records)] == ["b", "a", "c"]


def test_what_is_no_text_or_number_is_not_taken_for_one() -> None:
    odd = step("load", "completed", duration_ms="long", attempt=True)
    (load,) = summed({"step_name": "load", "level": ["info"]}, odd)
    assert load["levels"]["info"] == 0
    assert (load["duration_ms"], load["attempts"]) == (None, 0)


async def steps_of(gateway: Running, execution_id: str, query: str = "") -> tuple[int, Any]:
    url = f"{gateway.address}/executions/{execution_id}/steps{query}"
    async with gateway.http.get(url) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_the_steps_of_a_real_run_are_told(
    pushing: Running, engine_nodes: Nodes, engine_url: str, execution_id: str
) -> None:
    with Publisher(engine_url) as publisher, publisher.execution(execution_id) as run:
        run.info("outside")
        with run.step("load"):
            run.warning("inside")
        with run.step("save") as save:
            save.skip("nothing new")
    status, answer = await steps_of(pushing, execution_id)
    load, save_ = answer["steps"]
    assert (status, load["status"], save_["status"]) == (200, "completed", "skipped")
    assert load["levels"]["warning"] == 1
    assert load["duration_ms"] > 0
    assert load["started_at"] <= load["ended_at"]
    assert answer["outside"]["levels"]["info"] == 1
    assert answer["more"] is False


@pytest.mark.parametrize("gateway_settings", [{"search_records": 40}], indirect=True)
async def test_a_long_log_is_summed_up_in_parts_that_leave_nothing_out(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    for number in range(5):
        await worker.log_records([{"message": "x", "step_name": f"s{number % 2}"}] * 23)
    found, query, looked = 0, "", []
    while True:
        _, answer = await steps_of(pushing, worker.execution_id, query)
        found += sum(each["records"] for each in answer["steps"]) + answer["outside"]["records"]
        looked.append(answer["looked"])
        if not answer["more"]:
            break
        query = f"?after={answer['cursor']}"
    assert found == 116
    assert [part["first_seq"] for part in looked] == [1, 41, 81]
    assert [part["last_seq"] for part in looked] == [40, 80, 116]


@pytest.mark.parametrize("gateway_settings", [{"steps_limit": 2}], indirect=True)
async def test_a_statistic_ends_before_one_step_too_many(pushing: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log_records([{"step_name": name} for name in ("a", "b", "a", "c", "d", "a")])
    _, first = await steps_of(pushing, worker.execution_id)
    _, second = await steps_of(pushing, worker.execution_id, f"?after={first['cursor']}")
    names = [[each["step_name"] for each in page["steps"]] for page in (first, second)]
    assert names == [["a", "b"], ["c", "d"]]
    assert second["looked"] == {"first_seq": 5, "last_seq": 6}
    assert second["more"] is True


async def test_an_unknown_execution_and_a_bad_cursor_are_refused(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    assert (await steps_of(pushing, "nobody"))[0] == 404
    status, problem = await steps_of(pushing, worker.execution_id, "?after=nonsense")
    assert (status, problem["code"]) == (400, "bad_cursor")
