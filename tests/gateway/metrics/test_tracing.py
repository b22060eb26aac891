"""Traces and exemplars, with OpenTelemetry's own SDK and its exporter in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.gateway.conftest import QUICK
from tests.gateway.running import running
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_gateway.metrics import tracing

CALLER = "0af7651916cd43dd8448eb211c80319c"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Set OpenTelemetry up as a program does, for one test only."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


def span(exporter: InMemorySpanExporter, name: str) -> ReadableSpan | None:
    return next((each for each in exporter.get_finished_spans() if each.name == name), None)


async def test_a_request_is_a_span_of_its_callers_trace_and_names_it_in_an_exemplar(
    exported: InMemorySpanExporter, engine_url: str, worker: Worker
) -> None:
    await worker.open()
    async with running(QUICK, engine_url) as gateway:
        at = f"{gateway.address}/executions/{worker.execution_id}"
        headers = {"traceparent": f"00-{CALLER}-b7ad6b7169203331-01"}
        async with gateway.http.post(f"{at}/logs", json={"message": "a"}, headers=headers) as told:
            assert told.status == 200, await told.text()
        async with gateway.http.get(
            f"{gateway.address}/metrics", headers={"Accept": OPENMETRICS}
        ) as answer:
            assert answer.content_type == "application/openmetrics-text"
            text = await answer.text()
    found = span(exported, "POST /executions/{execution_id}/logs")
    assert found is not None, [each.name for each in exported.get_finished_spans()]
    assert format(found.context.trace_id, "032x") == CALLER
    assert found.attributes is not None
    assert found.attributes["http.response.status_code"] == 200
    assert found.attributes["runtail.execution_id"] == worker.execution_id
    rows = [row for row in text.splitlines() if f'# {{trace_id="{CALLER}"}}' in row]
    assert any('runtail_engine_call_seconds_bucket{call="publish"' in row for row in rows)
    assert any("runtail_published_batch_records_bucket" in row for row in rows)
    assert span(exported, "GET /metrics") is None


async def test_a_websocket_is_a_span_that_ends_with_it_and_knows_its_close(
    exported: InMemorySpanExporter, engine_url: str, worker: Worker
) -> None:
    await worker.open()
    name = "WS /ws/executions/{execution_id}/logs"
    async with running(QUICK, engine_url) as gateway:
        async with gateway.watch(worker.execution_id) as viewer:
            await viewer.caught_up()
            assert span(exported, name) is None
            await worker.end()
            await viewer.closed()
        await soon(lambda: span(exported, name), "the span has ended")
    found = span(exported, name)
    assert found is not None
    assert found.attributes is not None
    assert found.attributes["runtail.close_code"] == 1000


async def test_nothing_is_traced_where_nobody_has_set_it_up() -> None:
    assert not tracing.is_set_up()
    assert tracing.exemplar() is None
