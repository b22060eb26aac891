"""Which OpenTelemetry span a log belongs to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from tests.producers.capturing.test_logging_handler import logger_with
from tests.producers.stored import Stored
from tests.producers.worker import Worker, working

from runtail.capturing.logging_handler import RunHandler
from runtail.capturing.otel import trace_fields


@pytest.fixture
def worker(engine_url: str, stored: Stored, execution_id: str) -> Iterator[Worker]:
    with working(engine_url, stored, execution_id) as worker:
        yield worker


def test_a_log_inside_a_span_names_it(worker: Worker) -> None:
    log = logger_with(RunHandler(worker.run))
    with TracerProvider().get_tracer("test").start_as_current_span("load") as span:
        log.info("inside")
        context = span.get_span_context()
    log.info("outside")
    inside, outside = worker.logs()
    assert inside["trace_id"] == trace.format_trace_id(context.trace_id)
    assert inside["span_id"] == trace.format_span_id(context.span_id)
    assert "trace_id" not in outside


def test_the_workers_own_trace_id_counts_more(worker: Worker) -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("load"):
        logger_with(RunHandler(worker.run)).info("hello", extra={"trace_id": "mine"})
    assert worker.log()["trace_id"] == "mine"


def test_ids_are_as_long_as_opentelemetry_writes_them() -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("load"):
        lengths = {name: len(value) for name, value in trace_fields().items()}
    assert lengths == {"trace_id": 32, "span_id": 16}


def test_a_span_that_is_not_recorded_is_not_named() -> None:
    with TracerProvider(sampler=ALWAYS_OFF).get_tracer("test").start_as_current_span("load"):
        assert trace_fields() == {}


def test_opentelemetry_is_not_imported_for_it() -> None:
    code = (
        "import sys; from runtail.capturing.otel import trace_fields; assert trace_fields() == {};"
        "assert not [name for name in sys.modules if 'opentelemetry' in name]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_library_that_is_half_imported_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", sys)
    assert trace_fields() == {}


def test_a_call_of_the_sdk_names_its_span_too(worker: Worker) -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("load") as span:
        worker.run.info("hello")
    assert worker.log()["span_id"] == trace.format_span_id(span.get_span_context().span_id)
