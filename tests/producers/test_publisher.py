"""The publisher against a real engine, with every fault that a worker may meet."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from tests.engines import folder
from tests.polling import until
from tests.producers.stored import Stored
from tests.proxy import Proxy

from runtail import AsyncPublisher, Publisher, PublisherSettings
from runtail_broker.engines.engine import start_engine
from runtail_broker.errors import InvalidExecutionId
from runtail_broker.keys import SETTINGS, ExecutionKeys

FAST = PublisherSettings(beat_seconds=0.1, retry_max_seconds=0.1, warning_seconds=0.001)
HOLDS_NOTHING = PublisherSettings(
    beat_seconds=0.1, retry_max_seconds=0.1, max_held_bytes=1, max_call_batches=1
)
NUMBERS = [f"line {n}" for n in range(20)]


def test_what_is_published_is_stored_in_order_and_ends(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url) as publisher:
        with publisher.execution(execution_id, workflow_id="wf-1") as run:
            for line in NUMBERS:
                run.info(line)
        assert publisher.flush()
        assert publisher.counters.stored == publisher.counters.accepted == 20
    assert stored.messages(execution_id) == NUMBERS
    assert stored.statuses(execution_id) == ["running", "completed"]
    assert stored.state(execution_id)["workflow"] == "wf-1"
    (end,) = stored.of_kind(execution_id, "end")
    assert end["totals"]["records"] == 23
    assert stored.is_listed(execution_id)


@pytest.mark.fault("the answer to a publish is lost")
def test_a_batch_whose_answer_was_lost_is_stored_once(
    proxy: Proxy, stored: Stored, execution_id: str
) -> None:
    with Publisher(proxy.url, settings=FAST) as publisher:
        with publisher.execution(execution_id) as run:
            assert run.opened()
            for line in NUMBERS:
                proxy.lose_answers(1)
                run.info(line)
                assert publisher.flush()
        assert proxy.lost >= 20
        assert publisher.close()
    assert stored.messages(execution_id) == NUMBERS


@pytest.mark.fault("the engine is away")
def test_an_engine_that_is_away_for_a_while_loses_nothing(
    proxy: Proxy, stored: Stored, execution_id: str
) -> None:
    with Publisher(proxy.url, settings=FAST) as publisher:
        with publisher.execution(execution_id) as run:
            run.info("before")
            assert publisher.flush()
            proxy.refuse()
            run.info("meanwhile")
            assert not publisher.flush(0.2)
            proxy.forward()
            run.info("after")
        assert publisher.flush()
    assert stored.messages(execution_id) == ["before", "meanwhile", "after"]


def test_a_worker_may_start_before_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    with folder() as place:
        for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "HOME"):
            monkeypatch.setenv(name, str(place))
        monkeypatch.delenv("RUNTAIL_REDIS_URL", raising=False)
        monkeypatch.delenv("RUNTAIL_DATA", raising=False)
        publisher = Publisher(settings=FAST)
        with publisher.execution("early") as run:
            run.info("hello")
        assert not publisher.flush(0.1)
        with start_engine(place / "data", appendonly="no") as engine:
            assert publisher.close()
            reader = Stored(engine.url)
            assert reader.messages("early") == ["hello"]
            reader.close()


def test_what_a_failover_lost_is_sent_again_before_what_is_new(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url) as publisher:
        with publisher.execution(execution_id) as run:
            run.info("kept")
            assert publisher.flush()
            older = stored.snapshot(execution_id)
            for line in NUMBERS:
                run.info(line)
                assert publisher.flush()
            stored.go_back(older)
            run.info("new")
        assert publisher.flush()
    assert stored.messages(execution_id) == ["kept", *NUMBERS, "new"]


def test_an_idle_publisher_finds_out_by_its_beat(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with (
        Publisher(engine_url, settings=FAST) as publisher,
        publisher.execution(execution_id) as run,
    ):
        run.info("kept")
        assert publisher.flush()
        older = stored.snapshot(execution_id)
        run.info("lost")
        assert publisher.flush()
        stored.go_back(older)
        until(lambda: stored.messages(execution_id) == ["kept", "lost"], "it was sent again")


def test_a_publisher_that_left_still_repairs_what_a_failover_lost(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url, settings=FAST) as publisher:
        with publisher.execution(execution_id) as run:
            assert publisher.flush()
            older = stored.snapshot(execution_id)
            run.info("lost")
        assert publisher.flush()
        stored.go_back(older)
        until(lambda: stored.statuses(execution_id)[-1:] == ["completed"], "it was sent again")
    assert stored.messages(execution_id) == ["lost"]
    assert stored.statuses(execution_id) == ["running", "completed"]
    assert "end" not in stored.kinds(execution_id)  # others may be back later: a gateway judges


def test_an_engine_restarted_from_an_older_copy_gets_the_rest_again() -> None:
    with folder() as place:
        data, log = place / "data", Path("appendonlydir")
        engine = start_engine(data, appendonly="always")
        publisher = Publisher(engine.url, settings=FAST)
        run = publisher.execution("exec-1")
        run.info("kept")
        assert publisher.flush()
        shutil.copytree(data / log, place / log)
        run.info("lost 1")
        assert publisher.flush()
        run.info("lost 2")
        assert publisher.flush()
        engine.close()
        shutil.rmtree(data / log)
        shutil.copytree(place / log, data / log)
        with start_engine(data, appendonly="always") as engine:
            reader = Stored(engine.url)
            want = ["kept", "lost 1", "lost 2"]
            until(lambda: reader.messages("exec-1") == want, "all was sent again")
            run.info("new")
            assert publisher.close()
            assert reader.messages("exec-1") == [*want, "new"]
            reader.close()


@pytest.mark.fault("the engine came back empty")
def test_an_emptied_engine_gets_what_is_held_in_a_new_epoch(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with (
        Publisher(engine_url, settings=FAST) as publisher,
        publisher.execution(execution_id) as run,
    ):
        for line in NUMBERS:
            run.info(line)
            assert publisher.flush()
        epoch = stored.state(execution_id)["epoch"]
        stored.redis.delete(*ExecutionKeys.of(execution_id).for_scripts)
        until(lambda: stored.messages(execution_id) == NUMBERS, "it was sent again")
        assert stored.state(execution_id)["epoch"] != epoch
        assert "lost" not in stored.kinds(execution_id)


@pytest.mark.fault("the engine came back empty")
def test_what_is_held_no_more_is_declared_with_its_exact_count(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url, settings=HOLDS_NOTHING) as publisher:
        with publisher.execution(execution_id) as run:
            for line in NUMBERS:
                run.info(line)
                assert publisher.flush()
            stored.redis.delete(*ExecutionKeys.of(execution_id).for_scripts)
            until(lambda: "lost" in stored.kinds(execution_id), "the hole was declared")
            run.info("new")
        assert publisher.flush()
    (lost,) = stored.of_kind(execution_id, "lost")
    assert (lost["lost"], lost["reason"]) == (20, "lost in a failover")
    assert stored.messages(execution_id)[-1] == "new"
    assert stored.state(execution_id)["dropped"] == "20"


@pytest.mark.fault("the buffer is full")
def test_a_full_buffer_drops_the_oldest_and_tells_where(
    proxy: Proxy, stored: Stored, execution_id: str
) -> None:
    settings = PublisherSettings(max_buffer_records=10, retry_max_seconds=0.1)
    proxy.refuse()
    with Publisher(proxy.url, settings=settings) as publisher:
        with publisher.execution(execution_id) as run:
            run.error("first")
            for n in range(100):
                run.info(str(n))
        assert publisher.counters.dropped == 91
        proxy.forward()
        assert publisher.flush()
        assert publisher.counters.stored == 10
    kinds = stored.kinds(execution_id)
    assert kinds == ["status", "log", "lost", *["log"] * 9, "status", "end"]
    assert stored.of_kind(execution_id, "lost")[0]["lost"] == 91
    assert stored.messages(execution_id) == ["first", *map(str, range(91, 100))]
    assert stored.state(execution_id)["dropped"] == "91"


def test_the_end_waits_until_the_last_participant_has_left(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url) as owner, Publisher(engine_url) as other:
        run = owner.execution(execution_id)
        assert run.opened()
        part = other.join(execution_id)
        assert part.opened()
        run.finish()
        assert owner.flush()
        assert "end" not in stored.kinds(execution_id)
        part.info("still here")
        with part:
            part.info("and gone")
        assert other.flush()
    assert stored.messages(execution_id) == ["still here", "and gone"]
    assert stored.kinds(execution_id)[-1] == "end"


def test_a_publisher_may_open_one_execution_twice(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url) as publisher:
        with publisher.execution(execution_id) as run, publisher.join(execution_id) as part:
            run.info("owner")
            part.info("participant")
            assert publisher.flush()
        assert publisher.flush()
    assert sorted(stored.messages(execution_id)) == ["owner", "participant"]


def test_a_finished_id_gets_a_number_and_says_so(
    engine_url: str, stored: Stored, execution_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Publisher(engine_url) as publisher:
        for name in (execution_id, f"{execution_id}.2", f"{execution_id}.3"):
            with publisher.execution(execution_id) as run:
                run.info("hello")
                assert run.opened()
                assert run.id == name
            assert publisher.flush()
    assert [r["execution_id"] for r in stored.records(f"{execution_id}.3")] == [
        f"{execution_id}.3"
    ] * 4
    assert f"{execution_id}.2" in caplog.text


def test_an_invalid_execution_id_is_told_before_any_work(engine_url: str) -> None:
    with Publisher(engine_url) as publisher, pytest.raises(InvalidExecutionId):
        publisher.execution("no spaces, please")


def test_limits_that_operators_set_are_stored_with_the_execution(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    stored.redis.hset(SETTINGS, "max_records", "1234")
    try:
        with Publisher(engine_url) as publisher:
            assert publisher.execution(execution_id).opened()
    finally:
        stored.redis.delete(SETTINGS)
    assert stored.state(execution_id)["max_records"] == "1234"


def test_a_record_of_an_idle_worker_leaves_at_once(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    def arrived(line: str) -> bool:
        return stored.messages(execution_id)[-1:] == [line]

    slow = PublisherSettings(beat_seconds=600)  # so that no beat carries it along
    with Publisher(engine_url, settings=slow) as publisher:
        run = publisher.execution(execution_id)
        assert run.opened()
        assert publisher.flush()
        for line in NUMBERS:
            run.info(line)
            until(partial(arrived, line), "it arrived")


def test_after_a_change_of_primary_the_end_is_left_to_a_gateway() -> None:
    with folder() as place:
        engine = start_engine(place / "data", appendonly="always")
        publisher = Publisher(engine.url, settings=FAST)
        run = publisher.execution("exec-1")
        assert run.opened()
        engine.close()
        with start_engine(place / "data", appendonly="always") as engine:
            run.finish()
            assert publisher.close()
            reader = Stored(engine.url)
            assert reader.kinds("exec-1") == ["status", "status"]
            reader.close()


def test_many_executions_travel_together(engine_url: str, stored: Stored) -> None:
    names = [f"many-{n}-{time.time_ns()}" for n in range(300)]
    with Publisher(engine_url) as publisher:
        for name in names:
            with publisher.execution(name) as run:
                run.info(name)
        assert publisher.flush(20)
    assert all(stored.messages(name) == [name] for name in names)
    assert all(stored.kinds(name)[-1] == "end" for name in names)


def test_threads_may_share_one_execution(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url) as publisher:
        with publisher.execution(execution_id) as run:

            def work(name: str) -> None:
                for n in range(500):
                    run.info(f"{name} {n}")

            threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert publisher.flush()
    messages = stored.messages(execution_id)
    for name in "abcd":
        assert [m for m in messages if m[0] == name] == [f"{name} {n}" for n in range(500)]


def test_closing_twice_is_safe_and_later_records_are_counted(engine_url: str) -> None:
    publisher = Publisher(engine_url)
    run = publisher.execution(f"twice-{time.time_ns()}")
    assert publisher.close()
    assert publisher.close()
    run.info("too late")
    assert publisher.counters.dropped == 1
    assert publisher.flush()


def test_closing_is_bounded_when_the_engine_is_away(proxy: Proxy, execution_id: str) -> None:
    proxy.refuse()
    publisher = Publisher(proxy.url, settings=FAST)
    publisher.execution(execution_id).info("hello")
    began = time.monotonic()
    assert not publisher.close(0.2)
    assert time.monotonic() - began < 2
    assert publisher.counters.pending == 1


def test_an_engine_that_holds_its_answers_does_not_hold_the_worker(
    proxy: Proxy, stored: Stored, execution_id: str
) -> None:
    with Publisher(proxy.url, settings=FAST) as publisher:
        run = publisher.execution(execution_id)
        assert run.opened()
        proxy.hold()
        began = time.monotonic()
        for line in NUMBERS:
            run.info(line)
        assert time.monotonic() - began < 0.5
        proxy.forward()
        assert publisher.flush()
    assert stored.messages(execution_id) == NUMBERS


def test_a_worker_that_blocks_its_event_loop_still_beats(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with (
        Publisher(engine_url, settings=FAST) as publisher,
        publisher.execution(execution_id) as run,
    ):
        assert run.opened()
        until(lambda: int(next(iter(stored.publishers(execution_id).values())).split()[4]) > 2, "")


async def test_an_async_publisher_does_the_same(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    async with AsyncPublisher(engine_url) as publisher:
        async with publisher.execution(execution_id) as run:
            run.info("hello")
            assert await run.until_opened()
        assert await publisher.flush()
        assert publisher.counters.stored == 1
    assert stored.kinds(execution_id) == ["status", "log", "status", "end"]


def test_a_forgotten_close_is_made_up_for_at_exit(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    code = (
        "import sys; from runtail import Publisher\n"
        "run = Publisher(sys.argv[1]).execution(sys.argv[2])\n"
        "run.info('last words')"
    )
    subprocess.run([sys.executable, "-c", code, engine_url, execution_id], check=True, timeout=30)
    assert stored.messages(execution_id) == ["last words"]


def test_warnings_about_an_engine_that_is_away_are_rare(
    proxy: Proxy, execution_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.refuse()
    settings = PublisherSettings(retry_max_seconds=0.05)
    publisher = Publisher(proxy.url, settings=settings)
    publisher.execution(execution_id).info("hello")
    publisher.close(0.5)
    assert len([r for r in caplog.records if r.name == "runtail"]) == 1
