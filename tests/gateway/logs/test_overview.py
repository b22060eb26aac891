"""The overview: plan, runs, links, metrics and progress, as a plain reading of the log has them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from tests.gateway.logs.test_steps import step
from tests.gateway.running import Running
from tests.gateway.worker import Worker

from runtail import Publisher
from runtail_broker.connections.client import Nodes
from runtail_gateway.logs.overview import Overview, OverviewBounds, Samples

BOUNDS = OverviewBounds(steps=10, runs=3, items=2, samples=5)


def gathered(*records: dict[str, object], bounds: OverviewBounds = BOUNDS) -> Any:
    overview = Overview(bounds)
    assert all(overview.add({"seq": seq, **record}) for seq, record in enumerate(records, 1))
    return overview.json()


def test_two_runs_of_one_step_at_the_same_time_are_told_apart_by_their_ids() -> None:
    answer = gathered(
        step("load", "running", step_id="1", attempt=1, attempts=2, waited_ms=4),
        step("load", "running", step_id="2", parent_step_id="1"),
        step("load", "failed", step_id="1", duration_ms=7, error_message="no", reason="E: no"),
    )
    first, second = answer["runs"]
    assert first == {
        "step_id": "1",
        "step_name": "load",
        "step_type": None,
        "parent_step_id": None,
        "status": "failed",
        "started_at": "running",
        "ended_at": "failed",
        "duration_ms": 7,
        "waited_ms": 4,
        "attempt": 1,
        "attempts": 2,
        "first_seq": 1,
        "last_seq": 3,
        "error_message": "no",
        "reason": "E: no",
    }
    assert (second["status"], second["parent_step_id"], second["ended_at"]) == (
        "running",
        "1",
        None,
    )


def test_runs_without_an_id_are_paired_by_their_name() -> None:
    answer = gathered(
        step("load", "running"), step("load", "failed"), step("load", "running"),
        step("load", "completed"), step("save", "completed"),
    )  # fmt: skip
    told = [(run["status"], run["first_seq"], run["last_seq"]) for run in answer["runs"]]
    assert told == [("failed", 1, 2), ("completed", 3, 4), ("completed", 5, 5)]
    assert answer["runs"][2]["started_at"] is None


def test_one_run_too_many_ends_the_overview_and_changes_nothing() -> None:
    overview = Overview(BOUNDS)
    for name in "abc":
        assert overview.add(step(name, "running", step_id=name))
    before = overview.json()
    assert not overview.add(step("d", "running", step_id="d"))
    assert overview.json() == before
    assert overview.add(step("a", "completed", step_id="a"))


def test_the_last_plan_links_and_errors_count() -> None:
    link: dict[str, object] = {"kind": "link", "name": "report", "url": "https://a/"}
    answer = gathered(
        {"kind": "plan", "steps": [{"name": "a"}]},
        link,
        {"level": "error", "message": "first"},
        {"kind": "plan", "steps": [{"name": "b"}]},
        {"level": "error", "message": "second"},
        {"level": "info", "message": "later"},
        {**link, "step_name": "b"},
        {"kind": "link", "name": "odd", "text": "javascript:alert(1)"},
    )
    assert answer["plan"]["seq"] == 4
    assert answer["last_error"]["message"] == "second"
    (told,) = answer["links"]
    assert told == {"name": "report", "url": "https://a/", "step_name": "b", "seq": 7}


def test_progress_with_a_name_is_a_part_and_without_one_the_executions() -> None:
    at = "2026-11-25T20:05:40.500Z"
    answer = gathered(
        {"kind": "progress", "progress": 5.0, "timestamp": at, "step_name": "load"},
        {"kind": "progress", "name": "upload", "progress": 50.0, "done": 1, "total": 2},
        {"kind": "progress", "name": "upload", "progress": 100.0, "done": 2, "total": 2},
        {"kind": "progress", "progress": None, "id": "77-0"},
    )
    assert answer["progress"] == [[1795637140500, 5.0], [77, None]]
    (part,) = answer["parts"]
    assert part == {"name": "upload", "step_name": None, "progress": 100.0, "done": 2, "total": 2}


def test_metrics_of_two_steps_are_two_and_what_finds_no_room_is_counted() -> None:
    def metric(name: str, value: object, **more: object) -> dict[str, object]:
        return {"kind": "metric", "name": name, "value": value, "id": "9-0", **more}

    answer = gathered(
        metric("rows", 1, unit="rows", step_name="a"), metric("rows", 2, step_name="b"),
        metric("rows", 3, step_name="a"), metric("rows", "many", step_name="a"),
        metric("late", 4), metric("late", 5),
    )  # fmt: skip
    assert answer["metrics"] == [
        {"name": "rows", "unit": "rows", "step_name": "a", "samples": [[9, 1], [9, 3]]},
        {"name": "rows", "unit": None, "step_name": "b", "samples": [[9, 2]]},
    ]
    assert answer["left_off"] == 1


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 100, 1000])
def test_samples_are_thinned_evenly_and_keep_the_last(count: int) -> None:
    samples = Samples(most=5)
    for number in range(count):
        samples.add(number, float(number))
    kept = [ms or 0 for ms, _ in samples.json()]
    assert len(kept) <= 5
    assert kept[-1:] == ([count - 1] if count else [])
    gaps = {after - before for before, after in pairwise(kept[:-1])}
    assert len(gaps) <= 1
    if count > 5:
        assert len(kept) >= 3


async def overview_of(gateway: Running, execution_id: str, query: str = "") -> Any:
    url = f"{gateway.address}/executions/{execution_id}/overview{query}"
    async with gateway.http.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_the_overview_of_a_real_run_is_what_a_plain_reading_of_its_records_finds(
    pushing: Running, engine_nodes: Nodes, engine_url: str, execution_id: str
) -> None:
    with Publisher(engine_url) as publisher, publisher.execution(execution_id) as run:
        run.set_plan({"load": [], "save": ["load"]})
        for attempt in (1, 2):
            try:
                with run.step("load", step_type="http", attempt=attempt, attempts=2):
                    run.metric("rows", attempt, "rows")
                    run.error("no answer")
                    raise ValueError("again")
            except ValueError:
                pass
        run.link("report", "https://example.org/")
        run.progress(1, 2)
    answer = await overview_of(pushing, execution_id)
    records = await Worker(engine_nodes, execution_id).stored()
    of_kind = {
        kind: [record for record in records if record.get("kind") == kind]
        for kind in ("plan", "step", "link", "metric", "progress")
    }
    assert answer["plan"] == of_kind["plan"][-1]
    ids = list(dict.fromkeys(record["step_id"] for record in of_kind["step"]))
    assert [run_["step_id"] for run_ in answer["runs"]] == ids
    for run_ in answer["runs"]:
        begin, end = [each for each in of_kind["step"] if each["step_id"] == run_["step_id"]]
        assert (run_["first_seq"], run_["last_seq"]) == (begin["seq"], end["seq"])
        assert (run_["started_at"], run_["ended_at"]) == (begin["timestamp"], end["timestamp"])
        assert (run_["status"], run_["attempt"]) == (end["status"], end["attempt"])
        assert run_["duration_ms"] == end["duration_ms"]
    assert [link["seq"] for link in answer["links"]] == [link["seq"] for link in of_kind["link"]]
    samples = [value for metric in answer["metrics"] for _, value in metric["samples"]]
    assert samples == [metric["value"] for metric in of_kind["metric"]]
    assert [value for _, value in answer["progress"]] == [50.0]
    assert answer["last_error"] == [each for each in records if each.get("level") == "error"][-1]
    assert answer["steps"][0]["attempts"] == 2
    assert (answer["more"], answer["looked"]["last_seq"]) == (False, records[-1]["seq"])


@pytest.mark.parametrize("gateway_settings", [{"search_records": 40}], indirect=True)
async def test_a_long_log_is_overviewed_in_parts_and_the_last_error_is_known_at_once(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    for _ in range(4):
        await worker.log_records([{"message": "x"}] * 23)
    await worker.log_records([{"message": "x"}, {"message": "broke", "level": "error"}])
    await worker.log("after it")
    first = await overview_of(pushing, worker.execution_id)
    assert (first["more"], first["looked"]) == (True, {"first_seq": 1, "last_seq": 40})
    assert first["last_error"]["message"] == "broke"
    rest = await overview_of(pushing, worker.execution_id, f"?after={first['cursor']}")
    assert rest["looked"]["first_seq"] == 41


async def test_an_overview_of_nothing_is_not_found(pushing: Running) -> None:
    url = f"{pushing.address}/executions/nobody/overview"
    async with pushing.http.get(url) as answer:
        assert answer.status == 404
