"""Progress, plan, links and metrics as the stream holds them."""

from __future__ import annotations

import pytest
from tests.polling import until
from tests.producers.running import Running
from tests.producers.stored import Stored

from runtail import Publisher, PublisherSettings


def progress_of(running: Running) -> list[float | None]:
    return [record["progress"] for record in running.records("progress")]


def test_progress_by_done_and_total_keeps_both(running: Running) -> None:
    running.run.progress(30, 120, unit="rows")
    (record,) = running.records("progress")
    assert [record[name] for name in ("progress", "done", "total", "unit")] == [25, 30, 120, "rows"]
    assert running.stored.state(running.run.id)["progress"] == "25.0"


def test_a_flood_of_progress_becomes_the_first_and_the_last(running: Running) -> None:
    with running.run as run:
        for percent in range(101):
            run.progress(percent)
    until(lambda: "end" in running.stored.kinds(run.id), "the execution ended")
    assert running.stored.kinds(run.id) == ["status", "progress", "progress", "status", "end"]
    assert progress_of(running) == [0, 100]


def test_the_last_progress_of_a_step_comes_before_its_end(running: Running) -> None:
    with running.run.step("load"):
        for done in range(5):
            running.run.progress(done, 4)
    assert running.publisher.flush()
    assert running.stored.kinds(running.run.id)[-2:] == ["progress", "step"]
    assert running.records("progress")[-1]["step_name"] == "load"
    assert progress_of(running) == [0, 100]


def test_the_last_progress_comes_in_its_time_when_nothing_follows(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    settings = PublisherSettings(progress_seconds=0.05)
    with Publisher(engine_url, settings=settings) as publisher:
        run = publisher.execution(execution_id)
        for percent in (1, 2, 3):
            run.progress(percent)
        until(
            lambda: [r["progress"] for r in stored.of_kind(execution_id, "progress")][-1:] == [3],
            "the last progress was sent",
        )


def test_progress_that_waits_is_flushed_with_its_publisher(running: Running) -> None:
    running.run.progress(1)
    running.run.progress(2)
    assert running.publisher.flush()
    assert progress_of(running) == [1, 2]


def test_a_publisher_that_is_closed_sends_the_progress_that_waits(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    publisher = Publisher(engine_url, settings=PublisherSettings(progress_seconds=600))
    run = publisher.execution(execution_id)
    run.progress(1)
    run.progress(2)
    assert publisher.close()
    assert [r["progress"] for r in stored.of_kind(execution_id, "progress")] == [1, 2]


def test_steps_and_names_do_not_take_each_others_turn(running: Running) -> None:
    run = running.run
    with run.step("one"):
        run.progress(1)
    with run.step("two"):
        run.progress(2)
        run.progress(3, name="files")
    assert progress_of(running) == [1, 2, 3]


def test_progress_that_is_no_number_becomes_a_note(running: Running) -> None:
    running.run.progress("half")  # type: ignore[call-overload]
    assert "half" in str(running.records("log")[0])
    assert running.publisher.counters.malformed == 1


def test_a_plan_is_a_record_and_its_faults_a_note(running: Running) -> None:
    running.run.set_plan([{"name": "extract"}, {"name": "load", "after": ["extract", "clean"]}])
    (plan,) = running.records("plan")
    assert [step["name"] for step in plan["steps"]] == ["extract", "load"]
    assert plan["note"] == "load is after clean, which the plan does not have"


@pytest.mark.parametrize("plan", [7, "extract", [7], [{"after": []}], [None]])
def test_what_is_no_plan_becomes_a_note(running: Running, plan: list[str]) -> None:
    running.run.set_plan(plan)
    assert "note" in running.records("log")[0]


def test_a_metric_and_a_link_name_their_step_and_keep_own_fields(running: Running) -> None:
    with running.run.step("load"):
        running.run.metric("rows", 120_000, unit="rows", table="orders")
        running.run.link("report", "https://example.org/r/7")
    (metric,), (link,) = running.records("metric"), running.records("link")
    assert [metric[n] for n in ("name", "value", "unit", "table")] == [
        "rows", 120_000, "rows", "orders",
    ]  # fmt: skip
    assert (link["name"], link["url"]) == ("report", "https://example.org/r/7")
    assert {metric["step_name"], link["step_name"]} == {"load"}


def test_a_link_whose_text_raises_becomes_a_note(running: Running) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    running.run.link("report", Hostile())
    assert "RuntimeError" in running.records("log")[0]["note"]
