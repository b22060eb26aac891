"""What Prometheus sees of a worker's publishers."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry
from tests.polling import until

from runtail import AsyncPublisher, Publisher
from runtail.metrics_export import register

NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def records(registry: CollectorRegistry, outcome: str) -> float | None:
    return registry.get_sample_value("runtail_publisher_records_total", {"outcome": outcome})


def waiting(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("runtail_publisher_waiting_records", {"place": "memory"})


def errors(registry: CollectorRegistry, failing: str) -> float | None:
    return registry.get_sample_value("runtail_publisher_errors_total", {"failing": failing})


def publish(publisher: Publisher, count: int) -> None:
    run = publisher.execution("exec-1")
    for _ in range(count):
        run.info("hello")


def test_the_counters_are_exported_as_they_are_at_the_scrape(
    engine_url: str, execution_id: str, registry: CollectorRegistry
) -> None:
    with Publisher(engine_url) as publisher:
        register(publisher, registry)
        assert records(registry, "stored") == 0
        with publisher.execution(execution_id) as run:
            run.info("hello")
            run.info("hello")
        assert publisher.flush(15)
        assert (records(registry, "accepted"), records(registry, "stored")) == (2, 2)
        assert waiting(registry) == 0
        assert registry.get_sample_value("runtail_publisher_batches_retried_total") == 0


def test_what_waits_and_what_was_dropped_shows(registry: CollectorRegistry) -> None:
    publisher = Publisher(NOWHERE)
    register(publisher, registry)
    publish(publisher, 3)
    assert waiting(registry) == 3
    until(lambda: errors(registry, "engine"), "the engine that is nowhere is counted")
    assert errors(registry, "spill") == 0
    publisher.close(0.01)
    publish(publisher, 2)
    assert records(registry, "dropped") == 2


def test_the_publishers_of_a_process_are_summed_and_none_twice(
    registry: CollectorRegistry,
) -> None:
    first, second = Publisher(NOWHERE), AsyncPublisher(NOWHERE)
    for publisher in (first, second, first):
        register(publisher, registry)
    publish(first, 3)
    second.execution("exec-1").info("hello")
    assert records(registry, "accepted") == 4
    first.close(0.01)
    second._publisher.close(0.01)


def test_sums_do_not_fall_when_a_publisher_is_gone(
    engine_url: str, execution_id: str, registry: CollectorRegistry
) -> None:
    kept, gone = Publisher(NOWHERE), Publisher(engine_url)
    register(kept, registry)
    register(gone, registry)
    gone.execution(execution_id).info("hello")
    assert records(registry, "accepted") == 1
    assert gone.close(15)
    alive = weakref.ref(gone)
    del gone
    gc.collect()
    assert alive() is None
    assert records(registry, "accepted") == 1
    kept.close(0.01)


def test_the_last_publisher_that_is_collected_leaves_nothing_behind(
    registry: CollectorRegistry,
) -> None:
    publisher = Publisher(NOWHERE)
    register(publisher, registry)
    publisher.close(0.01)
    del publisher
    gc.collect()
    assert records(registry, "accepted") is None
    again = Publisher(NOWHERE)
    register(again, registry)
    assert records(registry, "accepted") == 0
    again.close(0.01)


def test_without_a_registry_it_is_prometheus_clients_own() -> None:
    publisher = Publisher(NOWHERE)
    register(publisher)
    assert records(prometheus_client.REGISTRY, "accepted") == 0
    publisher.close(0.01)


def test_without_prometheus_client_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['prometheus_client'] = None; import runtail.metrics_export"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "runtail[gateway]" in done.stderr.splitlines()[-1]
