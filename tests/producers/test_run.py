"""What a worker does with an execution, and what becomes of it in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.polling import until
from tests.producers.stored import Stored

from runtail import Execution, Publisher, PublisherSettings
from runtail_broker.keys import ExecutionKeys


@pytest.fixture
def publisher(engine_url: str) -> Iterator[Publisher]:
    with Publisher(engine_url, settings=PublisherSettings(beat_seconds=0.1)) as publisher:
        yield publisher


@pytest.fixture
def run(publisher: Publisher, execution_id: str) -> Execution:
    return publisher.execution(execution_id)


def logs(publisher: Publisher, stored: Stored, run: Execution) -> list[dict[str, object]]:
    assert publisher.flush()
    return [record for record in stored.records(run.id) if "kind" not in record]


def test_a_record_carries_every_field_of_the_log_format(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    run.error(
        "no connection",
        step_name="load",
        step_type="task",
        input_data={"rows": 3},
        output_data=[1],
        duration_ms=12.5,
        error_message="refused",
        worker="w7",
    )
    (record,) = logs(publisher, stored, run)
    when = datetime.fromisoformat(str(record.pop("timestamp")))
    assert when.tzinfo == UTC
    assert record == {
        "execution_id": run.id,
        "level": "error",
        "message": "no connection",
        "step_name": "load",
        "step_type": "task",
        "input_data": {"rows": 3},
        "output_data": [1],
        "duration_ms": 12.5,
        "error_message": "refused",
        "worker": "w7",
    }


def test_each_level_has_its_method(publisher: Publisher, stored: Stored, run: Execution) -> None:
    for level in ("debug", "info", "warning", "error"):
        getattr(run, level)("hello")
    found = [record["level"] for record in logs(publisher, stored, run)]
    assert found == ["debug", "info", "warning", "error"]


def test_what_the_caller_changes_afterwards_does_not_change_the_log(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    data = {"rows": 1}
    run.info("before", input_data=data)
    data["rows"] = 2
    assert logs(publisher, stored, run)[0]["input_data"] == {"rows": 1}


@pytest.mark.fault("a record cannot be encoded, is empty, is no JSON")
def test_a_level_that_is_none_becomes_a_note(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    run.log("loud", "hello")
    (record,) = logs(publisher, stored, run)
    assert record["message"] == "hello"
    assert "loud" in str(record["note"])
    assert publisher.counters.malformed == 1


def test_values_that_raise_when_they_are_shown_do_not_reach_the_worker(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    class Hostile(dict[str, object]):
        def __repr__(self) -> str:
            raise RuntimeError("no")

        def items(self) -> object:  # type: ignore[override]
            raise RuntimeError("no")

    run.write([Hostile(a=1)])
    run.info(Hostile(a=1), input_data=object())
    assert len(logs(publisher, stored, run)) == 2


@pytest.mark.fault("a record cannot be encoded, is empty, is no JSON")
def test_ready_records_are_taken_as_they_are_and_others_with_a_note(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    run.write([b'{"message":"ready","level":"info"}', {"message": "mapped"}, b"not JSON", b"[1]"])
    found = logs(publisher, stored, run)
    assert [r["message"] for r in found] == ["ready", "mapped", "not JSON", "[1]"]
    assert ["note" in record for record in found] == [False, False, True, True]


@pytest.mark.fault("a record cannot be encoded, is empty, is no JSON")
def test_an_empty_record_becomes_a_note(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    run.write([{}])
    assert "empty" in str(logs(publisher, stored, run)[0]["note"])


@pytest.mark.fault("a record is over 64 KiB")
def test_a_long_record_keeps_its_head_its_tail_and_its_length(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    run.info("head" + "x" * 100_000 + "tail")
    run.info("next")
    long, following = logs(publisher, stored, run)
    message = str(long["message"])
    assert message.startswith("head")
    assert message.endswith("tail")
    assert len(message) < 64 * 1024
    assert "100008" in message.replace(",", "")
    assert following["message"] == "next"


@pytest.mark.fault("an own field is called `id`, `seq` or `kind`")
def test_own_fields_do_not_hide_what_names_a_record(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    run.info("mine", id="a", seq="b", kind="c")
    (record,) = logs(publisher, stored, run)
    assert (record["id_"], record["seq_"], record["kind_"]) == ("a", "b", "c")


@pytest.mark.parametrize(("percent", "kept"), [(45, "45.0"), (None, "null")])
def test_progress_is_a_record_and_part_of_the_state(
    publisher: Publisher, stored: Stored, run: Execution, percent: int | None, kept: str
) -> None:
    run.progress(percent, step_name="load")
    assert publisher.flush()
    (record,) = stored.of_kind(run.id, "progress")
    assert record["progress"] == percent
    assert stored.state(run.id)["progress"] == kept


def test_an_exception_fails_the_execution_and_passes_through(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    with pytest.raises(KeyError), run:
        raise KeyError("rows")
    (record,) = logs(publisher, stored, run)
    assert record["level"] == "error"
    assert "Traceback" in str(record["error_message"])
    status = stored.of_kind(run.id, "status")[-1]
    assert (status["status"], status["reason"]) == ("failed", "KeyError: 'rows'")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), "cancelled"),
        (asyncio.CancelledError(), "cancelled"),
        (SystemExit(0), "completed"),
        (SystemExit(3), "failed"),
    ],
)
def test_how_a_block_is_left_says_how_the_execution_ended(
    publisher: Publisher, stored: Stored, run: Execution, error: BaseException, status: str
) -> None:
    with pytest.raises(type(error)), run:
        raise error
    assert publisher.flush()
    assert stored.statuses(run.id)[-1] == status


def test_an_explicit_finish_is_final(publisher: Publisher, stored: Stored, run: Execution) -> None:
    with run:
        run.finish("failed", "no rows")
    assert publisher.flush()
    assert stored.statuses(run.id) == ["running", "failed"]


def test_a_status_that_is_none_fails_the_execution_and_says_so(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    run.finish("splendid")
    assert publisher.flush()
    status = stored.of_kind(run.id, "status")[-1]
    assert (status["status"], "splendid" in status["reason"]) == ("failed", True)


def test_a_request_to_cancel_is_heard_with_the_next_answer(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    assert run.opened()
    assert not run.cancel_requested
    stored.redis.hset(ExecutionKeys.of(run.id).state, "cancel", "1")
    until(lambda: run.cancel_requested, "the beat was answered")


def test_waiting_for_the_opening_is_bounded() -> None:
    publisher = Publisher("redis://127.0.0.1:1")
    assert not publisher.execution("exec-1").opened(0.05)
    publisher.close(0.05)


@pytest.mark.parametrize("how", ["asks", "calls back"])
def test_who_looks_for_a_wish_to_cancel_is_told_to_listen_at_once(
    publisher: Publisher, stored: Stored, run: Execution, how: str
) -> None:
    assert run.opened()
    assert stored.state(run.id)["listening"] == "0"
    if how == "asks":
        assert not run.cancel_requested
    else:
        run.on_cancel(lambda: None)
    until(lambda: stored.state(run.id)["listening"] == "1", "the engine knows it")
    run.finish()
    assert publisher.flush()
    assert stored.state(run.id)["listening"] == "0"


def test_who_has_left_is_not_asked_to_stop(publisher: Publisher, run: Execution) -> None:
    run.on_cancel(lambda: None)
    run.finish()
    until(lambda: not publisher._courier._callbacks, "the callback is forgotten")


def test_the_last_error_and_the_ends_of_steps_are_stored_beside_the_log(
    publisher: Publisher, stored: Stored, run: Execution
) -> None:
    with run.step("load"):
        run.error("first\nand more")
        run.info("error, but none")
    assert publisher.flush()
    seq, _, told = stored.state(run.id)["last_error"].partition(" ")
    record = stored.records(run.id)[int(seq) - 1]
    assert (record["message"], record["step_name"]) == ("first\nand more", "load")
    assert '"message":"first"' in told
    keys = ExecutionKeys.of(run.id)
    ends: Any = stored.redis.hget(keys.steps, "load")
    assert ends.startswith(b"1 0 ")
