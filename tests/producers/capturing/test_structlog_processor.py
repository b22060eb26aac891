"""What a program logs by structlog, and what becomes of it in a run."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from tests.producers.stored import Stored
from tests.producers.worker import Worker, working

from runtail.capturing.structlog_processor import RunProcessor


@pytest.fixture
def worker(engine_url: str, stored: Stored, execution_id: str) -> Iterator[Worker]:
    with working(engine_url, stored, execution_id) as worker:
        yield worker


def logger(*processors: Any) -> Any:
    """A logger of structlog, whose results go nowhere."""
    return structlog.wrap_logger(
        structlog.testing.CapturingLogger(),
        processors=[*processors, structlog.processors.KeyValueRenderer()],
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def test_an_event_becomes_a_log_with_its_fields(worker: Worker) -> None:
    logger(RunProcessor(worker.run)).bind(step_name="load").warning("slow", rows=3, level_=1)
    record = worker.log()
    assert (record["level"], record["message"]) == ("warning", "slow")
    assert (record["step_name"], record["rows"], record["level_"]) == ("load", 3, 1)


@pytest.mark.parametrize(
    ("method", "level"),
    [
        ("debug", "debug"),
        ("info", "info"),
        ("warn", "warning"),
        ("error", "error"),
        ("critical", "error"),
        ("fatal", "error"),
        ("msg", "info"),
    ],
)
def test_the_method_names_the_level(worker: Worker, method: str, level: str) -> None:
    RunProcessor(worker.run)(None, method, {"event": "hello"})
    assert worker.log()["level"] == level


def test_a_level_that_was_added_before_counts_more_than_the_method(worker: Worker) -> None:
    RunProcessor(worker.run)(None, "log", {"event": "hello", "level": "ERROR"})
    assert worker.log()["level"] == "error"


def test_the_event_is_passed_on_unchanged(worker: Worker) -> None:
    event = {"event": "hello", "level": "info", "exc_info": None, "rows": 3}
    passed = RunProcessor(worker.run)(None, "info", event)
    assert passed is event
    assert event == {"event": "hello", "level": "info", "exc_info": None, "rows": 3}


@pytest.mark.parametrize("before", [[], [structlog.processors.format_exc_info]])
def test_an_exception_becomes_an_error_message(worker: Worker, before: list[Any]) -> None:
    try:
        raise KeyError("rows")
    except KeyError:
        logger(*before, RunProcessor(worker.run)).exception("failed")
    record = worker.log()
    assert (record["level"], record["message"]) == ("error", "failed")
    assert "Traceback" in record["error_message"]
    assert "exc_info" not in record


def test_an_exception_that_is_not_being_handled_is_shown_too(worker: Worker) -> None:
    logger(RunProcessor(worker.run)).error("failed", exc_info=KeyError("rows"))
    assert worker.log()["error_message"] == "KeyError: 'rows'"


def test_structlogs_time_is_taken_over_where_it_says_its_zone(worker: Worker) -> None:
    processor = RunProcessor(worker.run)
    processor(None, "info", {"event": "a", "timestamp": "2026-11-25T05:00:00+01:00"})
    processor(None, "info", {"event": "b", "timestamp": "yesterday"})
    zoned, other = worker.logs()
    assert zoned["timestamp"] == "2026-11-25T04:00:00Z"
    assert other["timestamp_"] == "yesterday"


def test_positional_arguments_are_formatted(worker: Worker) -> None:
    logger(RunProcessor(worker.run)).info("%d rows", 3)
    logger(RunProcessor(worker.run)).info("%d rows", "three")
    good, bad = worker.logs()
    assert good["message"] == "3 rows"
    assert (bad["message"], "three" in bad["note"]) == ("%d rows", True)


def test_a_value_that_logs_itself_when_it_is_shown_ends(worker: Worker) -> None:
    class Talkative:
        def __str__(self) -> str:
            log.info("showing", what=self, rows=3)
            return "shown"

    log = logger(RunProcessor(worker.run))
    log.info(Talkative())
    assert worker.messages() == ["shown", "showing"]


def test_what_the_sending_thread_logs_is_left_alone(worker: Worker) -> None:
    log = logger(RunProcessor(worker.run))
    sender = threading.Thread(target=log.info, args=("sent",), name="runtail")
    sender.start()
    sender.join()
    assert worker.messages() == []


def test_outside_any_execution_nothing_happens() -> None:
    event = {"event": "hello"}
    assert RunProcessor(lambda: None)(None, "info", event) is event


@pytest.mark.parametrize("module", ["logging_handler", "structlog_processor", "loguru_sink"])
def test_no_logging_library_is_needed(module: str) -> None:
    code = (
        "import sys; sys.modules.update(structlog=None, loguru=None, opentelemetry=None);"
        f"import runtail.capturing.{module}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
