"""The functions of the package itself, inside and outside of an execution."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.producers.stored import Stored

import runtail
from runtail import PublisherSettings


@pytest.fixture(autouse=True)
def configured(engine_url: str) -> Iterator[None]:
    """The process's publisher, on the embedded engine."""
    runtail.shutdown()
    runtail.configure(engine_url)
    yield
    runtail.shutdown()
    runtail.configure()


def test_what_is_said_inside_goes_to_the_current_execution(stored: Stored) -> None:
    with runtail.execution(workflow_id="etl") as run:
        with runtail.step("load", step_type="task"):
            runtail.debug("one")
            runtail.info("two", rows=2)
        runtail.warning("three")
        runtail.error("four")
        runtail.progress(1, 2)
        assert list(runtail.track([1])) == [1]
    assert runtail.flush()
    assert stored.messages(run.id) == ["one", "two", "three", "four"]
    assert [r["status"] for r in stored.of_kind(run.id, "step")] == ["running", "completed"]
    assert stored.of_kind(run.id, "progress")[0]["progress"] == 50


def test_the_callers_own_id_is_taken(stored: Stored, execution_id: str) -> None:
    with runtail.execution(execution_id, workflow_id="etl") as run:
        assert run.id == execution_id
    assert runtail.flush()
    assert stored.statuses(execution_id)[-1] == "completed"


def test_a_decorated_function_works_inside_and_outside() -> None:
    @runtail.step("double")
    def double(number: int) -> int:
        return 2 * number

    assert double(2) == 4
    with runtail.execution(workflow_id="etl"):
        assert double(2) == 4


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_log_outside_goes_its_normal_way(caplog: pytest.LogCaptureFixture, level: str) -> None:
    caplog.set_level(logging.DEBUG)
    getattr(runtail, level)("100 % of %s", name="a", args="b", exc_info="c")
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("runtail.outside", level.upper())
    assert record.getMessage() == "100 % of %s"
    assert record.filename == "test_api.py"


def test_steps_progress_and_loops_outside_do_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with runtail.step("load") as step:
        step.skip("no rows")
        runtail.progress(5, None)
        runtail.progress(5)
    assert list(runtail.track([1, 2])) == [1, 2]
    assert caplog.messages == ["progress 5 of None", "progress 5 %"]


def test_configuring_again_with_the_same_values_does_nothing(engine_url: str) -> None:
    with runtail.execution(workflow_id="notebook"):
        runtail.configure(engine_url)


def test_configuring_too_late_says_so(engine_url: str) -> None:
    with runtail.execution(workflow_id="notebook"):
        pass
    with pytest.raises(RuntimeError, match="after the first execution"):
        runtail.configure(engine_url, settings=PublisherSettings(beat_seconds=1))
    assert runtail.shutdown()
    runtail.configure(engine_url, settings=PublisherSettings(beat_seconds=1))


def test_a_shut_down_process_begins_anew(stored: Stored) -> None:
    for _ in range(2):
        with runtail.execution(workflow_id="notebook") as run:
            runtail.info("cell")
        assert runtail.shutdown()
        assert stored.messages(run.id) == ["cell"]


def test_a_script_that_just_ends_has_stored_everything(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    script = f"""
import runtail
runtail.configure({engine_url!r})
with runtail.execution({execution_id!r}):
    for row in runtail.track(range(3)):
        runtail.info(f"row {{row}}")
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert stored.messages(execution_id) == ["row 0", "row 1", "row 2"]
    assert stored.of_kind(execution_id, "progress")[-1]["progress"] == 100


def test_every_public_name_is_there_and_importing_the_package_makes_no_thread() -> None:
    script = """
import runtail, threading
assert threading.active_count() == 1
assert all(getattr(runtail, name) is not None for name in runtail.__all__)
assert threading.active_count() == 1
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
