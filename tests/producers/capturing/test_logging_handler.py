"""What a program logs by `logging`, and what becomes of it in a run."""

from __future__ import annotations

import io
import logging
import logging.config
import logging.handlers
import multiprocessing
import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.producers.stored import Stored
from tests.producers.worker import Worker, working

from runtail.capturing.inlet import MAX_NESTED
from runtail.capturing.logging_handler import RunHandler


@pytest.fixture
def worker(engine_url: str, stored: Stored, execution_id: str) -> Iterator[Worker]:
    with working(engine_url, stored, execution_id) as worker:
        yield worker


@pytest.fixture
def handler(worker: Worker) -> RunHandler:
    return RunHandler(worker.run)


@pytest.fixture
def log(handler: RunHandler) -> Iterator[logging.Logger]:
    """A logger below the root logger, which has the handler."""
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield logging.getLogger("etl.load")
    root.setLevel(before)
    root.removeHandler(handler)


def test_a_record_becomes_a_log_with_its_origin(worker: Worker, log: logging.Logger) -> None:
    log.warning("%d rows of %s", 3, "orders")
    record = worker.log()
    assert (record["level"], record["message"]) == ("warning", "3 rows of orders")
    assert (record["logger"], record["file"]) == ("etl.load", "test_logging_handler.py")
    assert (record["thread"], record["process"] > 0) == ("MainThread", True)
    assert isinstance(record["line"], int)


@pytest.mark.parametrize(
    ("number", "level", "name"),
    [
        (1, "debug", "Level 1"),
        (10, "debug", None),
        (19, "debug", "Level 19"),
        (20, "info", None),
        (25, "info", "Level 25"),
        (30, "warning", None),
        (40, "error", None),
        (50, "error", "CRITICAL"),
    ],
)
def test_levels_become_one_of_four_and_an_unusual_one_keeps_its_name(
    worker: Worker, handler: RunHandler, number: int, level: str, name: str | None
) -> None:
    levelname = logging.getLevelName(number)
    handler.handle(logging.makeLogRecord({"levelno": number, "levelname": levelname}))
    assert (worker.log()["level"], worker.log().get("level_name")) == (level, name)


def test_the_time_is_the_one_at_which_it_was_logged(worker: Worker, handler: RunHandler) -> None:
    handler.handle(logging.makeLogRecord({"created": 1_000_000.25, "levelno": 20}))
    when = datetime.fromisoformat(worker.log()["timestamp"])
    assert when == datetime(1970, 1, 12, 13, 46, 40, 250_000, UTC)


def test_extra_fields_pass_through_and_step_fields_are_understood(
    worker: Worker, log: logging.Logger
) -> None:
    extra = {"rows": 3, "step_name": "load", "input_data": {"a": 1}, "file": "orders.csv"}
    log.info("hello", extra=extra)
    assert extra.items() <= worker.log().items()


def test_extra_fields_never_stand_for_level_and_time(worker: Worker, log: logging.Logger) -> None:
    log.info("hello", extra={"level": "loud", "timestamp": 5, "timestamp_": 6})
    record = worker.log()
    assert (record["level"], record["level_"]) == ("info", "loud")
    assert (record["timestamp_"], record["timestamp__"]) == (6, 5)


def test_a_bad_format_string_loses_neither_template_nor_arguments(
    worker: Worker, handler: RunHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logger_with(handler)
    log.info("%d rows", "three")
    log.info("%s and %s", 1)
    first, second = worker.logs()
    assert (first["message"], second["message"]) == ("%d rows", "%s and %s")
    assert "TypeError" in first["note"]
    assert "three" in first["note"]
    assert capsys.readouterr() == ("", "")


def test_an_exception_becomes_an_error_message(worker: Worker, log: logging.Logger) -> None:
    try:
        raise KeyError("rows")
    except KeyError:
        log.exception("failed")
    record = worker.log()
    assert record["message"] == "failed"
    assert record["error_message"].startswith("Traceback")
    assert record["error_message"].endswith("KeyError: 'rows'")


def test_cached_exception_text_and_stack_follow_the_error_message_given_as_extra(
    worker: Worker, handler: RunHandler
) -> None:
    handler.handle(
        logging.makeLogRecord(
            {"levelno": 40, "exc_text": "cached", "stack_info": "stack", "error_message": "own"}
        )
    )
    assert worker.log()["error_message"] == "own\ncached\nstack"


def test_what_is_logged_outside_any_execution_goes_its_normal_way() -> None:
    lines = io.StringIO()
    log = logging.Logger("alone")
    log.addHandler(RunHandler(lambda: None))
    log.addHandler(logging.StreamHandler(lines))
    log.info("hello %s", "you")
    assert lines.getvalue() == "hello you\n"


def test_a_function_says_where_each_record_goes(worker: Worker, handler: RunHandler) -> None:
    targets = iter([worker.run, None, worker.run])
    handler = RunHandler(lambda: next(targets))
    for text in "abc":
        handler.handle(logging.makeLogRecord({"msg": text, "levelno": 20}))
    assert worker.messages() == ["a", "c"]


def test_without_a_run_each_record_goes_into_the_current_one(worker: Worker) -> None:
    logger = logger_with(RunHandler())
    logger.info("before")
    with worker.run, worker.run.step("load"):
        logger.info("hello")
    logger.info("after")
    (log,) = worker.logs()
    assert (log["message"], log["step_name"]) == ("hello", "load")


@pytest.mark.parametrize(
    "name", ["runtail", "runtail.anything", "runtail_broker.connections.client"]
)
def test_what_the_sdk_logs_is_left_alone(worker: Worker, log: logging.Logger, name: str) -> None:
    logging.getLogger(name).warning("about myself")
    logging.getLogger("runtailor").warning("about clothes")
    assert worker.messages() == ["about clothes"]


def test_what_the_sending_thread_logs_by_any_library_is_left_alone(
    worker: Worker, log: logging.Logger
) -> None:
    say = threading.Thread(target=lambda: logging.getLogger("redis").info("sent"), name="runtail")
    say.start()
    say.join()
    log.info("mine")
    assert worker.messages() == ["mine"]


def test_what_the_sending_thread_logged_into_a_queue_is_left_alone(
    worker: Worker, handler: RunHandler
) -> None:
    handler.handle(logging.makeLogRecord({"levelno": 20, "threadName": "runtail"}))
    assert worker.messages() == []


class Talkative:
    """Logs whenever it is shown."""

    def __init__(self, log: logging.Logger, times: int = 1) -> None:
        self._log, self._times = log, times

    def __str__(self) -> str:
        for _ in range(self._times):
            self._log.info("showing %s", self, extra={"rows": 3})
        return "shown"


def logger_with(handler: logging.Handler) -> logging.Logger:
    """A logger that pytest does not listen to: its handler would recurse."""
    log = logging.Logger("talk")
    log.addHandler(handler)
    return log


def test_an_object_that_logs_itself_when_it_is_shown_ends(
    worker: Worker, handler: RunHandler
) -> None:
    log = logger_with(handler)
    log.info("hello %s", Talkative(log))
    outer, inner = worker.logs()
    assert outer["message"] == "hello shown"
    assert (inner["message"], inner["rows"]) == ("showing %s", 3)
    assert "not shown" in inner["note"]


def test_what_is_logged_while_a_record_is_made_is_bounded_and_counted(
    worker: Worker, handler: RunHandler
) -> None:
    log = logger_with(handler)
    log.info("hello %s", Talkative(log, times=MAX_NESTED + 5))
    assert len(worker.logs()) == 1 + MAX_NESTED
    assert handler.failed == 5


def test_a_function_that_logs_when_it_is_asked_for_the_run_ends(worker: Worker) -> None:
    def find() -> None:
        asking.info("who asks?")

    asking = logger_with(RunHandler(find))
    asking.info("hello")
    assert worker.messages() == []


def test_neither_a_hostile_message_nor_a_function_that_fails_reaches_the_worker(
    worker: Worker, handler: RunHandler
) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    logger_with(handler).info(Hostile(), extra={"what": Hostile()})
    logger_with(RunHandler(lambda: 1 / 0)).info("hello")  # type: ignore[arg-type]
    record = worker.log()
    assert "Hostile" in record["message"]
    assert "RuntimeError" in record["note"]


def test_a_formatter_that_fails_loses_no_message(worker: Worker, handler: RunHandler) -> None:
    class Broken(logging.Formatter):
        def formatException(self, ei: object) -> str:
            raise RuntimeError("no")

    handler.setFormatter(Broken())
    logger_with(handler).error("%d rows", 3, exc_info=KeyError("rows"))
    record = worker.log()
    assert (record["message"], record["error_message"]) == ("3 rows", "KeyError")
    assert record["note"] == "RuntimeError: no"
    assert handler.failed == 1


def test_formatting_holds_no_lock_that_another_thread_needs(
    worker: Worker, handler: RunHandler
) -> None:
    log, reached, go_on = logger_with(handler), threading.Event(), threading.Event()

    class Slow:
        def __str__(self) -> str:
            reached.set()
            assert go_on.wait(15)
            return "slow"

    slow = threading.Thread(target=log.info, args=("%s", Slow()))
    slow.start()
    assert reached.wait(15)
    log.info("quick")
    assert worker.messages() == ["quick"]
    go_on.set()
    slow.join()
    assert worker.messages() == ["quick", "slow"]


def test_a_handler_is_configured_by_dict_config(worker: Worker) -> None:
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {
            "run": {
                "class": "runtail.capturing.logging_handler.RunHandler",
                "level": "WARNING",
                "run": worker.run,
            }
        },
        "loggers": {"configured": {"handlers": ["run"], "level": "DEBUG"}},
    }
    logging.config.dictConfig(config)
    try:
        logging.getLogger("configured").info("hidden")
        logging.getLogger("configured").error("told %s", 1)
    finally:
        logging.getLogger("configured").handlers.clear()
    assert worker.messages() == ["told 1"]


def test_records_that_a_queue_handler_formatted_are_taken_as_they_are(
    worker: Worker, handler: RunHandler
) -> None:
    waiting: queue.Queue[logging.LogRecord] = queue.Queue()
    listener = logging.handlers.QueueListener(waiting, handler)
    listener.start()
    log = logger_with(logging.handlers.QueueHandler(waiting))
    log.info("%d%% done", 50, extra={"rows": 3})
    log.info("100% of it")
    listener.stop()
    first, second = worker.logs()
    assert (first["message"], first["rows"]) == ("50% done", 3)
    assert (second["message"], second["thread"]) == ("100% of it", "MainThread")


def test_a_filter_keeps_records_back(worker: Worker, handler: RunHandler) -> None:
    handler.addFilter(lambda record: record.msg != "secret")
    log = logger_with(handler)
    log.info("secret")
    log.info("public")
    assert worker.messages() == ["public"]


def test_a_formatter_writes_the_exceptions_and_not_the_message(
    worker: Worker, handler: RunHandler
) -> None:
    class Short(logging.Formatter):
        def formatException(self, ei: object) -> str:
            return "short"

    handler.setFormatter(Short("%(asctime)s %(message)s"))
    logger_with(handler).error("failed", exc_info=KeyError("rows"))
    record = worker.log()
    assert (record["message"], record["error_message"]) == ("failed", "short")


def test_flush_waits_for_the_publisher_within_its_bound(worker: Worker) -> None:
    asked: list[float] = []
    handler = RunHandler(worker.run, flush=asked.append, flush_seconds=0.5)
    handler.flush()
    handler.flush()
    assert asked == [0.5, 0.5]
    RunHandler(worker.run).flush()


def test_a_flush_that_fails_raises_nothing(worker: Worker) -> None:
    handler = RunHandler(worker.run, flush=lambda seconds: 1 / 0)
    handler.flush()
    assert handler.failed == 1


def test_logging_goes_on_while_another_thread_flushes_under_the_handlers_lock(
    worker: Worker,
) -> None:
    flushing, go_on = threading.Event(), threading.Event()

    def flush(seconds: float) -> None:
        flushing.set()
        assert go_on.wait(15)

    handler = RunHandler(worker.run, flush=flush)
    shutdown = threading.Thread(target=with_lock, args=(handler,))
    shutdown.start()
    assert flushing.wait(15)
    logger_with(handler).info("meanwhile")
    assert worker.messages() == ["meanwhile"]
    go_on.set()
    shutdown.join()


def with_lock(handler: logging.Handler) -> None:
    """Flush as `logging.shutdown` does."""
    handler.acquire()
    try:
        handler.flush()
    finally:
        handler.release()


def test_a_closed_handler_publishes_nothing_and_closes_twice(
    worker: Worker, handler: RunHandler
) -> None:
    handler.close()
    handler.close()
    logger_with(handler).info("late")
    handler.flush()
    assert worker.messages() == []


def test_a_child_forked_in_the_middle_of_formatting_can_log(worker: Worker) -> None:
    reached, go_on = threading.Event(), threading.Event()
    handler = RunHandler(lambda: None if reached.is_set() else worker.run)
    log = logger_with(handler)

    class Slow:
        def __str__(self) -> str:
            reached.set()
            assert go_on.wait(15)
            return "slow"

    slow = threading.Thread(target=log.info, args=("%s", Slow()))
    slow.start()
    assert reached.wait(15)
    child = multiprocessing.get_context("fork").Process(target=log.info, args=("in the child",))
    child.start()
    child.join(15)
    go_on.set()
    slow.join()
    assert child.exitcode == 0
