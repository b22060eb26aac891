"""The courier's thread: when it sends, how it waits, and that nothing ends it."""

from __future__ import annotations

import logging
import threading

import pytest
from tests.polling import until
from tests.producers.stored import Stored
from tests.proxy import Proxy

from runtail import Publisher, PublisherSettings
from runtail.delivery.backoff import Backoff, RareWarnings
from runtail_broker.keys import SETTINGS

FAST = PublisherSettings(beat_seconds=0.1, retry_max_seconds=0.1)


def test_records_that_come_while_an_answer_is_awaited_go_out_in_one_frame(
    proxy: Proxy, stored: Stored, execution_id: str
) -> None:
    with Publisher(proxy.url) as publisher:
        run = publisher.execution(execution_id)
        run.info("before")  # the engine knows the script from now on: the next is one round trip
        assert publisher.flush()
        proxy.hold()
        run.info("alone")
        on_its_way = ["before", "alone"]
        until(lambda: stored.messages(execution_id) == on_its_way, "the next is on its way")
        for n in range(50):
            run.info(str(n))
        proxy.forward()
        assert publisher.flush()
    assert [entry.count for entry in stored.entries(execution_id)[2:4]] == [1, 50]


def test_a_publisher_without_executions_starts_no_thread(engine_url: str) -> None:
    before = threading.active_count()
    with Publisher(engine_url) as publisher:
        assert threading.active_count() == before
        assert publisher.flush()


def test_closing_ends_the_thread(engine_url: str, execution_id: str) -> None:
    before = threading.active_count()
    publisher = Publisher(engine_url)
    publisher.execution(execution_id)
    assert threading.active_count() == before + 1
    publisher.close()
    assert threading.active_count() == before


def test_a_closed_execution_is_forgotten_after_the_held_window(
    engine_url: str, execution_id: str
) -> None:
    settings = PublisherSettings(beat_seconds=0.1, held_seconds=0.2)
    with Publisher(engine_url, settings=settings) as publisher:
        with publisher.execution(execution_id) as run:
            run.info("hello")
        assert publisher.flush()
        until(lambda: not publisher._courier.journals, "it was forgotten")
        assert publisher.counters.stored == 1
        run.info("very late")
        until(lambda: publisher.counters.stored == 2, "a late record is stored all the same")


def test_limits_that_are_no_numbers_stop_nobody(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    stored.redis.hset(SETTINGS, "max_records", "lots")
    try:
        with Publisher(engine_url) as publisher:
            assert publisher.execution(execution_id).opened()
    finally:
        stored.redis.delete(SETTINGS)


def test_an_execution_that_the_engine_refuses_does_not_stop_the_others(
    engine_url: str, stored: Stored, execution_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    stored.redis.set(f"runtail:{{{execution_id}}}:state", "not a hash")
    with Publisher(engine_url, settings=FAST) as publisher:
        publisher.execution(execution_id).info("refused")
        other = publisher.execution(f"{execution_id}-other")
        other.info("stored")
        until(lambda: publisher.counters.stored == 1, "the other one is stored")
        stored.redis.delete(f"runtail:{{{execution_id}}}:state")
        assert publisher.flush()
    assert stored.messages(execution_id) == ["refused"]
    assert "WRONGTYPE" in caplog.text


@pytest.mark.parametrize("url", ["nonsense", "ftp://host/", "redis://127.0.0.1:notaport"])
def test_a_url_that_is_none_is_warned_of_and_never_raises(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = Publisher(url, settings=FAST)
    publisher.execution("exec-1").info("hello")
    assert not publisher.close(0.1)
    assert "records wait" in caplog.text


def test_waits_grow_up_to_the_bound_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(0.05, 5.0)
    for _ in range(50):
        backoff.failed(100.0)
        assert 100.05 <= backoff.until <= 105.0
    backoff.succeeded()
    backoff.failed(100.0)
    assert backoff.until <= 100.1


def test_a_warning_is_told_once_in_its_time(caplog: pytest.LogCaptureFixture) -> None:
    warnings = RareWarnings(logging.getLogger("runtail"), 60)
    for n in range(100):
        warnings.warn("number %s", n)
    warnings.warn("other")
    assert [record.getMessage() for record in caplog.records] == ["number 0", "other"]


def test_settings_out_of_range_name_the_value_and_what_was_expected() -> None:
    with pytest.raises(ValueError, match="beat_seconds is 0, expected more than 0"):
        PublisherSettings(beat_seconds=0)
    with pytest.raises(ValueError, match="max_record_bytes is 100, expected at least 1024"):
        PublisherSettings(max_record_bytes=100)
