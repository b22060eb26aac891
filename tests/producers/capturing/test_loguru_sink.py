"""What a program logs by loguru, and what becomes of it in a run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import loguru
import pytest
from tests.producers.stored import Stored
from tests.producers.worker import Worker, working

from runtail.capturing.loguru_sink import LoguruSink

if TYPE_CHECKING:
    from loguru import Logger, Record


@pytest.fixture
def worker(engine_url: str, stored: Stored, execution_id: str) -> Iterator[Worker]:
    with working(engine_url, stored, execution_id) as worker:
        yield worker


@pytest.fixture
def log(worker: Worker) -> Iterator[Logger]:
    number = loguru.logger.add(LoguruSink(worker.run), level="TRACE", catch=False)
    yield loguru.logger
    loguru.logger.remove(number)


@pytest.fixture(autouse=True)
def _no_default_sink() -> None:
    loguru.logger.remove()


def test_a_message_becomes_a_log_with_its_origin(worker: Worker, log: Logger) -> None:
    log.bind(step_name="load", rows=3).warning("{} rows of {what}", 3, what="orders")
    record = worker.log()
    assert (record["level"], record["message"]) == ("warning", "3 rows of orders")
    assert (record["step_name"], record["rows"]) == ("load", 3)
    assert (record["file"], record["thread"]) == ("test_loguru_sink.py", "MainThread")
    assert record["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("name", "level", "kept"),
    [
        ("TRACE", "debug", None),
        ("DEBUG", "debug", None),
        ("INFO", "info", None),
        ("SUCCESS", "info", "SUCCESS"),
        ("WARNING", "warning", None),
        ("ERROR", "error", None),
        ("CRITICAL", "error", "CRITICAL"),
    ],
)
def test_levels_become_one_of_four_and_an_unusual_one_keeps_its_name(
    worker: Worker, log: Logger, name: str, level: str, kept: str | None
) -> None:
    log.log(name, "hello")
    assert (worker.log()["level"], worker.log().get("level_name")) == (level, kept)


def test_an_exception_becomes_an_error_message(worker: Worker, log: Logger) -> None:
    try:
        raise KeyError("rows")
    except KeyError:
        log.bind(error_message="no rows").exception("failed")
    record = worker.log()
    assert record["message"] == "failed"
    assert record["error_message"].startswith("no rows\nTraceback")
    assert record["error_message"].endswith("KeyError: 'rows'")


def test_the_time_is_the_one_at_which_it_was_logged(worker: Worker, log: Logger) -> None:
    then = datetime(2026, 11, 25, 5, tzinfo=timezone(timedelta(hours=1)))

    def patch(record: Record) -> None:
        record["time"] = then

    log.patch(patch).info("hello")
    assert worker.log()["timestamp"] == "2026-11-25T04:00:00Z"


def test_the_sinks_format_does_not_matter(worker: Worker) -> None:
    number = loguru.logger.add(LoguruSink(worker.run), format="<red>{time} {message}</red>")
    loguru.logger.info("hello")
    loguru.logger.remove(number)
    assert worker.messages() == ["hello"]


def test_a_sink_behind_loguru_own_queue_publishes_into_its_run(worker: Worker) -> None:
    number = loguru.logger.add(LoguruSink(worker.run), enqueue=True)
    loguru.logger.info("hello")
    loguru.logger.complete()
    loguru.logger.remove(number)
    assert worker.messages() == ["hello"]


def test_a_hostile_field_raises_nothing_in_the_worker(worker: Worker, log: Logger) -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    log.bind(what=Hostile()).info("hello")
    assert worker.messages() == ["hello"]


def test_outside_any_execution_nothing_happens() -> None:
    sink = LoguruSink(lambda: None)
    number = loguru.logger.add(sink, catch=False)
    loguru.logger.info("hello")
    loguru.logger.remove(number)
    assert sink.failed == 0
