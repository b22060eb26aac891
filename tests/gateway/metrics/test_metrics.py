"""What `/metrics` says of what just happened, and that the README names all there is."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.metrics_core import Metric
from tests.gateway.conftest import QUICK
from tests.gateway.event_watcher import EventWatcher
from tests.gateway.frames_watcher import FramesWatcher
from tests.gateway.running import Running, running
from tests.gateway.scrape import Scrape
from tests.gateway.signing import AUTH, token
from tests.gateway.worker import Worker
from tests.polling import eventually

from runtail_broker.cursor import RecordId
from runtail_broker.records.entry import Entry
from runtail_broker.records.frames_message import Piece
from runtail_broker.script import Limits
from runtail_gateway.metrics import engine_clock
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.protocol.message import Message

README = Path(__file__).parents[3] / "gateway" / "README.md"
pytestmark = pytest.mark.timeout(40)


async def scrape(gateway: Running) -> Scrape:
    async with gateway.http.get(gateway.address + "/metrics") as answer:
        return Scrape.of(await answer.text())


async def until_sum(gateway: Running, name: str, wanted: float, **labels: str) -> None:
    async def holds() -> bool:
        return (await scrape(gateway)).sum(name, **labels) == wanted

    await eventually(holds, f"{name} {labels} is {wanted}")


def labelled(family: Metric, metrics: Metrics) -> str:
    names: tuple[str, ...] = getattr(
        metrics.registry._names_to_collectors[family.name], "_labelnames", ()
    )
    return ", ".join(f"`{name}`" for name in names)


def test_the_readme_names_every_metric_with_its_labels_and_meaning() -> None:
    metrics = Metrics()
    rows = {
        (family.name + "_total" if family.type == "counter" else family.name)
        + "|"
        + family.type
        + "|"
        + labelled(family, metrics)
        + "|"
        + family.documentation
        for family in metrics.registry.collect()
    }
    row = r"^\| `(runtail_\w+)` \| (\w+) \| ([^|]*?) ?\| (.+) \|$"
    table = re.findall(row, README.read_text(), re.MULTILINE)
    assert {"|".join(cells) for cells in table} == rows


async def test_what_is_delivered_is_timed_and_counted_in_and_out(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    async with pushing.watch(worker.execution_id) as viewer:
        await viewer.caught_up()
        await until_sum(pushing, "runtail_viewers_reading", 1, state="at_the_head")
        await worker.log("one", "two", "three")
        await viewer.until(lambda: len(viewer.texts) == 3, "it has them")
        now = await scrape(pushing)
    assert now.sum("runtail_delivery_seconds_count") == 1
    assert now.sum("runtail_delivery_seconds_sum") < 1
    assert now.sum("runtail_delivered_batch_records_sum") == 3
    assert now.sum("runtail_records_received_total") == 3
    assert now.sum("runtail_frames_received_total") == 1
    assert now.sum("runtail_received_bytes_total") > 50
    assert now.sum("runtail_records_delivered_total") == 4  # `running` came from the history
    assert now.sum("runtail_sent_bytes_total") > 100
    assert 0 < now.sum("runtail_probe_round_trip_seconds") < 1
    assert abs(now.sum("runtail_engine_clock_ahead_seconds")) < 0.1  # it runs on this machine
    assert now.sum("runtail_engine_call_seconds_count", call="read") > 0
    assert now.sum("runtail_gateway_ready") == now.sum("runtail_gateway_processes") == 1
    assert now.sum("runtail_gateway_resident_bytes") > 10_000_000
    assert now.sum("runtail_gateway_cpu_seconds_total") > 0


def test_a_delivery_across_clocks_is_told_in_the_engines_time() -> None:
    metrics = Metrics()
    metrics.engine_ahead_seconds = 3600.0
    appended = RecordId(int((time.time() + 3600 - 2) * 1000), 0)
    entry = Entry(appended, 1, 1, 0, 0, 0, b"")
    metrics.delivered(Message((b"{}",), count=1, pieces=(Piece(entry, 1, 1),)))
    metrics.settle()
    found = metrics.registry.get_sample_value("runtail_delivery_seconds_sum")
    assert found is not None
    assert 2 <= found < 3


async def test_a_gateway_learns_how_far_the_engines_clock_is_ahead(
    engine_url: str, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = SimpleNamespace(time=lambda: time.time() - 3600, perf_counter=time.perf_counter)
    monkeypatch.setattr(engine_clock, "time", late)
    await worker.open()
    async with (
        running(QUICK, engine_url) as gateway,
        gateway.watch(worker.execution_id) as viewer,
    ):
        await viewer.caught_up()
        await until_sum(gateway, "runtail_viewers_reading", 1, state="at_the_head")
        await worker.log("one")
        await viewer.until(lambda: viewer.texts, "it has it")
        now = await scrape(gateway)
    assert abs(now.sum("runtail_engine_clock_ahead_seconds") - 3600) < 1
    assert abs(now.sum("runtail_delivery_seconds_sum") - 3600) < 1  # really it was no time


@pytest.mark.parametrize("gateway_settings", [{"beat_seconds": 17.0}], indirect=True)
async def test_viewers_are_counted_by_what_they_speak(pushing: Running, worker: Worker) -> None:
    await worker.open()
    async with (
        pushing.watch(worker.execution_id),
        EventWatcher(pushing.sockets, worker.execution_id),
        FramesWatcher(pushing.sockets, worker.execution_id),
    ):
        for protocol in ("websocket", "events", "frames"):
            await until_sum(pushing, "runtail_viewers_connected", 1, protocol=protocol)
        await until_sum(pushing, "runtail_viewers", 3)
        await until_sum(pushing, "runtail_viewers_reading", 3, state="at_the_head")
    await until_sum(pushing, "runtail_viewers", 0)
    await until_sum(pushing, "runtail_viewers_reading", 0, state="at_the_head")


async def test_who_comes_back_is_counted_by_what_it_got(pushing: Running, worker: Worker) -> None:
    await worker.open(limits=Limits(max_records=30))
    await worker.log("one")
    async with pushing.watch(worker.execution_id) as viewer:
        await viewer.caught_up()
    await viewer.come_back()
    await until_sum(pushing, "runtail_resumes_total", 1, outcome="continued")
    await viewer.leave()
    await worker.log_many(batches=9, records=10)
    await viewer.come_back()
    await viewer.until(lambda: viewer.gaps, "it is told of the gap")
    await viewer.leave()
    await until_sum(pushing, "runtail_resumes_total", 1, outcome="gap")
    lost = viewer.gaps[0]["lost"]
    assert (await scrape(pushing)).sum("runtail_gap_records_total", reason="trimmed") == lost
    async with pushing.watch(worker.execution_id, "after=9999999999999-1:999:00000000") as stranger:
        await stranger.caught_up()
    await until_sum(pushing, "runtail_resumes_total", 1, outcome="reset")
    assert (await scrape(pushing)).sum("runtail_resumes_total") == 3  # who begins resumes nothing


async def test_what_is_published_over_http_is_counted_with_its_answer(pushing: Running) -> None:
    at = f"{pushing.address}/executions/by-hand"
    for path, body in (("open", {"publisher": "p"}), ("logs", {"message": "hello"})):
        async with pushing.http.post(f"{at}/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
    now = await scrape(pushing)
    assert now.sum("runtail_published_batch_records_sum") == 1
    assert now.sum("runtail_published_bytes_total") > 10
    assert now.sum("runtail_publish_calls_total", call="publish", answer="stored") == 1
    assert now.sum("runtail_engine_call_seconds_count", call="publish") == 1


async def test_refusals_are_counted_by_why(engine_url: str, worker: Worker) -> None:
    await worker.open()
    async with running(replace(QUICK, auth=AUTH), engine_url) as gateway:
        async with gateway.watch(worker.execution_id, token=token(scope="publish")) as viewer:
            await viewer.closed()
        async with gateway.http.get(f"{gateway.address}/executions") as answer:
            assert answer.status == 401
        headers = {"Authorization": f"Bearer {token(scope='admin')}"}
        async with gateway.http.get(f"{gateway.address}/metrics", headers=headers) as answer:
            now = Scrape.of(await answer.text())
    assert now.sum("runtail_refusals_total", code="forbidden") == 1
    assert now.sum("runtail_refusals_total", code="signed_out") == 1
    assert now.sum("runtail_viewer_closes_total", code="4403") == 1
