"""`curl`: it follows the events, and goes on with a download where it left off."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from tests.gateway.clients.program import program
from tests.gateway.running import Running
from tests.gateway.worker import Worker

pytestmark = pytest.mark.curl
CURL = ("curl", "-sS", "-N", "-w", "\n%{http_code}")


def events(lines: list[bytes]) -> list[tuple[str, dict[str, Any]]]:
    """Id and data of each event; its data may be of several lines."""
    found = []
    for event in b"\n".join(lines).decode().split("\n\n"):
        fields = [line.partition(": ")[::2] for line in event.splitlines()]
        data = "\n".join(value for name, value in fields if name == "data")
        if data:
            found.append((dict(fields).get("id", ""), orjson.loads(data)))
    return found


def records(told: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [record for _, data in told for record in data.get("records", ())]


def url_of(gateway: Running, execution_id: str) -> str:
    return f"{gateway.address}/executions/{execution_id}"


async def test_it_follows_history_what_is_live_and_the_end(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=4, records=50)
    async with program(*CURL, url_of(pushing, worker.execution_id) + "/events") as printed:
        await printed.has(b'"caught_up"')
        await worker.log("live")
        await printed.has(b'"live"')
        await worker.end()
        *lines, status = await printed.ended()
    told = events(lines)
    assert (status, told[0][1]["type"], told[-1][1]["type"]) == (b"200", "hello", "end")
    assert records(told) == await worker.stored()


async def test_it_goes_on_after_the_id_of_an_event(pushing: Running, worker: Worker) -> None:
    """What is live comes in an event of its own, so that the id before it lies in the middle."""
    await worker.open()
    await worker.log("one")
    url = url_of(pushing, worker.execution_id) + "/events"
    async with program(*CURL, url) as printed:
        await printed.has(b'"caught_up"')
    last = [name for name, data in events(printed.lines) if data["type"] == "records"][-1]
    await worker.log("two")
    await worker.end()
    async with program(*CURL, "-H", f"Last-Event-ID: {last}", url) as printed:
        *lines, _ = await printed.ended()
    assert records(events(lines)) == (await worker.stored())[2:]


async def test_it_goes_on_with_a_download_after_the_last_line(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=4, records=50)
    url = url_of(pushing, worker.execution_id) + "/logs.ndjson"
    async with program(*CURL, url) as printed:
        *first, _ = [line for line in await printed.ended() if line]
    await worker.log("more")
    await worker.end()
    async with program(*CURL, f"{url}?after={orjson.loads(first[99])['id']}") as printed:
        *rest, status = [line for line in await printed.ended() if line]
    assert status == b"200"
    assert [orjson.loads(line) for line in first[:100] + rest] == await worker.stored()


@pytest.mark.parametrize("path", ["/events", "/logs.ndjson"])
async def test_it_is_told_why_it_is_refused(pushing: Running, path: str) -> None:
    async with program(*CURL, url_of(pushing, "unknown") + path) as printed:
        *body, status = await printed.ended()
    assert (status, orjson.loads(b"".join(body))["code"]) == (b"404", "not_found")
