"""Server-Sent Events as browsers and `curl` know them; the contract itself runs everywhere."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from playwright.async_api import expect
from tests.browser import chromium_page, show
from tests.gateway.event_watcher import EventWatcher
from tests.gateway.running import EVENTS, Running
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes

events_only = pytest.mark.parametrize("mode", [EVENTS], indirect=True)


def events_of(text: str) -> list[dict[str, str]]:
    """Take a stream apart: the fields of each event, of a repeated one the lines together."""
    events = []
    for block in text.split("\n\n"):
        fields: dict[str, str] = {}
        for line in block.splitlines():
            name, _, value = line.partition(": ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
        events.append(fields)
    return events


async def test_a_stream_is_text_that_every_tool_reads(pushing: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log("one", "two")
    await worker.end()
    url = f"{pushing.address}/executions/{worker.execution_id}/events"
    async with pushing.http.get(url) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert "no-cache" in answer.headers["Cache-Control"]
        first, *events = events_of(await answer.text())
    assert first == {"retry": "2000"}
    hello, *replay, caught_up, end, _ = events
    kinds = [orjson.loads(event["data"])["type"] for event in (hello, caught_up, end)]
    assert kinds == ["hello", "caught_up", "end"]
    for event in replay:
        message = orjson.loads(event["data"])
        assert (message["type"], message["cursor"]) == ("records", event["id"])
        assert len(event["data"].splitlines()) == len(message["records"])  # a record a line


@events_only
async def test_the_id_of_the_last_event_resumes_exactly(gateway: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log("before")
    async with gateway.watch(worker.execution_id) as watcher:
        assert isinstance(watcher, EventWatcher)
        await watcher.has_all(await worker.stored())
        await watcher.leave()
        await worker.log("meanwhile", "and more")
        await watcher.come_back_as_a_browser()
        await watcher.has_all(await worker.stored())


@events_only
async def test_the_id_of_the_last_event_counts_more_than_the_address(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log("before")
    async with gateway.watch(worker.execution_id, "after=$") as watcher:
        assert isinstance(watcher, EventWatcher)
        await watcher.caught_up()
        await worker.log("seen")
        await watcher.until(lambda: watcher.texts == ["seen"], "only what is new comes")
        await watcher.leave()
        await worker.log("meanwhile")
        await watcher.come_back_as_a_browser("after=$")
        await watcher.until(lambda: watcher.texts == ["seen", "meanwhile"], "it goes on there")


@events_only
async def test_who_has_everything_is_told_not_to_come_again(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log("one")
    await worker.end()
    async with gateway.watch(worker.execution_id) as watcher:
        assert isinstance(watcher, EventWatcher)
        await watcher.closed()
        before = len(watcher.messages)
        await watcher.come_back_as_a_browser()
        await watcher.closed()
        assert watcher.close_code == 1000  # 204
        assert [m["type"] for m in watcher.messages[before:]] == ["error"]
        await worker.open("participant")
        await worker.log("late")
        await watcher.come_back_as_a_browser()
        await watcher.has_all(await worker.stored())


@events_only
async def test_a_beat_moves_no_cursor_and_keeps_proxies_awake(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    async with gateway.watch(worker.execution_id) as watcher:
        assert isinstance(watcher, EventWatcher)
        await watcher.caught_up()
        last = watcher.last_event_id
        await watcher.until(lambda: len(watcher.of("beat")) > 1, "beats come")
        assert watcher.last_event_id == last


@pytest.mark.parametrize(
    "gateway_settings", [{"allowed_origins": ("https://board.example",)}], indirect=True
)
async def test_only_pages_that_may_are_served(pushing: Running, worker: Worker) -> None:
    await worker.open()
    await worker.end()
    url = f"{pushing.address}/executions/{worker.execution_id}/events"
    for origin, status in (("https://board.example", 200), ("https://evil.example", 403)):
        async with pushing.http.get(url, headers={"Origin": origin}) as answer:
            assert answer.status == status
            allowed = origin if status == 200 else None
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed


PAGE = """
<pre id="log"></pre><b id="opened">0</b>
<script>
  const source = new EventSource("/executions/%s/events");
  source.onopen = () => opened.textContent++;
  source.onerror = () => document.title = source.readyState;
  source.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type !== "records") return;
    for (const record of message.records) log.append(record.seq + " ");
  };
</script>
"""


@pytest.mark.browser
async def test_event_source_resumes_by_itself_and_stops_at_the_end(
    pushing: Running, worker: Worker, engine_nodes: Nodes
) -> None:
    await worker.open()
    async with chromium_page() as page:
        await show(page, pushing.address, PAGE % worker.execution_id)
        await expect(page.locator("#log")).to_have_text("1 ")
        for connection in list(pushing.server.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await worker.log("meanwhile")
        await expect(page.locator("#log")).to_have_text("1 2 ", timeout=15_000)
        await worker.end()
        await expect(page.locator("#log")).to_have_text("1 2 3 4 ")
        await expect(page).to_have_title("2", timeout=15_000)  # closed, by the 204
        await asyncio.sleep(3)
        await expect(page.locator("#opened")).to_have_text("2")
