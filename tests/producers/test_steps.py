"""A step says when it runs and how it ended, and never changes what its block does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from tests.producers.running import Running


def test_a_step_runs_and_completes_with_its_data_and_duration(running: Running) -> None:
    with running.run.step("extract", step_type="http", input_data={"n": 1}) as step:
        step.output({"rows": 2})
    began, ended = running.records("step")
    assert (began["status"], began["input_data"]) == ("running", {"n": 1})
    assert (ended["status"], ended["output_data"]) == ("completed", {"rows": 2})
    assert ended["duration_ms"] >= 0
    assert (began["step_id"], began["step_type"]) == (ended["step_id"], ended["step_type"])


def test_a_clock_that_jumps_back_does_not_change_a_duration(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running.run.step("extract"):
        monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0 <= running.last_step()["duration_ms"] < 60_000


def test_an_exception_fails_the_step_and_passes_with_its_causes_in_the_log(
    running: Running,
) -> None:
    with suppress(ValueError), running.run.step("load"):
        try:
            raise KeyError("row")
        except KeyError as error:
            raise ValueError("bad") from error
    ended = running.last_step()
    assert (ended["status"], ended["reason"]) == ("failed", "ValueError: bad")
    assert "Traceback" in ended["error_message"]
    assert "KeyError: 'row'" in ended["error_message"]


def test_a_traceback_is_told_once_however_many_blocks_the_exception_leaves(
    running: Running,
) -> None:
    with (
        suppress(KeyError),
        running.run as run,
        run.step("all"),
        run.step("load") as inner,
    ):
        step_id = inner.id
        raise KeyError("row")
    (error,) = running.records("log")
    everything = [*running.records("step"), error]
    told = [r["step_name"] for r in everything if "Traceback" in r.get("error_message", "")]
    assert told == ["load"]
    assert error["error_message"] == "KeyError: 'row' (traceback in step load)"
    assert error["error_step_id"] == step_id


def test_another_exception_than_the_steps_is_told_in_full(running: Running) -> None:
    with suppress(ValueError), running.run as run:
        try:
            with run.step("load"):
                raise KeyError("row")
        except KeyError:
            raise ValueError("worse") from None
    assert "Traceback" in running.records("log")[0]["error_message"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_a_cancellation_cancels_the_step(running: Running, error: BaseException) -> None:
    with pytest.raises(type(error)), running.run.step("load", attempt=1, attempts=3):
        raise error
    assert running.last_step()["status"] == "cancelled"


def test_a_skipped_step_says_why(running: Running) -> None:
    with running.run.step("load") as step:
        step.skip("no rows")
    ended = running.last_step()
    assert (ended["status"], ended["reason"]) == ("skipped", "no rows")


def test_an_exception_after_a_skip_fails_the_step(running: Running) -> None:
    with suppress(KeyError), running.run.step("load") as step:
        step.skip("no rows")
        raise KeyError("row")
    ended = running.last_step()
    assert (ended["status"], ended["reason"]) == ("failed", "KeyError: 'row'")


@pytest.mark.parametrize(("attempt", "status"), [(1, "retried"), (2, "retried"), (3, "failed")])
def test_an_exception_retries_the_step_until_the_last_attempt(
    running: Running, attempt: int, status: str
) -> None:
    with pytest.raises(KeyError), running.run.step("load", attempt=attempt, attempts=3):
        raise KeyError("row")
    ended = running.last_step()
    assert (ended["status"], ended["attempt"], ended["attempts"]) == (status, attempt, 3)


def test_a_step_that_asks_for_it_is_retried_with_its_own_reason(running: Running) -> None:
    with suppress(KeyError), running.run.step("load") as step:
        step.retry("busy")
        raise KeyError("row")
    ended = running.last_step()
    assert (ended["status"], ended["reason"]) == ("retried", "busy")


def test_the_time_before_the_start_is_kept_apart(running: Running) -> None:
    queued = datetime.now(UTC) - timedelta(minutes=1)
    with running.run.step("a", queued_at=queued), running.run.step("b", waited_ms=7):
        pass
    waited = {record["step_name"]: record["waited_ms"] for record in running.records("step")}
    assert 60_000 <= waited["a"] < 600_000
    assert waited["b"] == 7
    assert running.last_step()["duration_ms"] < 60_000


@pytest.mark.parametrize(
    "queued",
    [float("nan"), "then", datetime.max, time.time() + 86400],
    ids=["not a number", "text", "the end of time", "tomorrow"],
)
def test_a_time_before_the_start_that_is_none_hurts_nobody(running: Running, queued: float) -> None:
    with running.run.step("a", queued_at=queued):
        pass
    assert running.last_step().get("waited_ms", 0) == 0


def test_steps_nest_into_a_tree(running: Running) -> None:
    with running.run.step("all") as outer:
        with running.run.step("one"):
            pass
        with running.run.step("two") as inner:
            assert len({outer.id, inner.id}) == 2
    parents = {r["step_name"]: r.get("parent_step_id") for r in running.records("step")}
    assert parents == {"all": None, "one": outer_id(running), "two": outer_id(running)}


def outer_id(running: Running) -> str:
    return str(running.records("step")[0]["step_id"])


def test_logs_made_inside_are_the_steps_unless_they_name_another(running: Running) -> None:
    run = running.run
    run.info("before")
    with run.step("load", step_type="task") as step:
        run.info("inside")
        run.info("other", step_name="check")
        step_id = step.id
    run.info("after")
    assert running.steps_of_logs() == {
        "before": None, "inside": "load", "other": "check", "after": None,
    }  # fmt: skip
    inside = running.records("log")[1]
    assert (inside["step_type"], inside["step_id"]) == ("task", step_id)


def test_a_decorated_function_is_a_step_with_each_call(running: Running) -> None:
    @running.run.step("double")
    def double(number: int) -> int:
        return 2 * number

    assert [double(1), double(2)] == [2, 4]
    assert len({record["step_id"] for record in running.records("step")}) == 2


async def test_a_decorated_coroutine_is_a_step_until_it_ends(running: Running) -> None:
    @running.run.step("double")
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        running.run.info("inside")
        return 2 * number

    assert list(await asyncio.gather(double(1), double(2))) == [2, 4]
    assert running.steps_of_logs() == {"inside": "double"}
    assert [status for _, status in running.steps()].count("completed") == 2


def test_a_decorated_generator_is_a_step_until_it_is_exhausted(running: Running) -> None:
    @running.run.step("rows")
    def rows() -> Iterator[int]:
        yield 1
        running.run.info("inside")
        yield 2

    assert list(rows()) == [1, 2]
    assert running.steps_of_logs() == {"inside": "rows"}


async def test_an_async_block_is_a_step_too(running: Running) -> None:
    async with running.run.step("load") as step:
        step.output(1)
    assert running.last_step()["output_data"] == 1


def test_what_is_said_of_a_step_that_does_not_run_is_ignored(running: Running) -> None:
    step = running.run.step("load")
    step.skip()
    step.output(1)
    step.__exit__(None, None, None)
    assert step.id is None
    assert running.records("step") == []


def test_values_that_cannot_be_encoded_do_not_reach_the_worker(running: Running) -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    with running.run.step("load", input_data=Hostile()) as step:
        step.output({Hostile(): Hostile()})
    assert running.steps() == [("load", "running"), ("load", "completed")]
