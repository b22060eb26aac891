"""Several executions in one event stream, which resumes as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from tests.gateway.running import Running
from tests.gateway.viewers.test_multiplex import opened
from tests.polling import soon

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import Cursor
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.protocol.message import plain
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.viewers.events import EventOutlet
from runtail_gateway.viewers.many_events import ManyOutlet, places_of


class Events:
    """A client that notes what comes, as `EventSource` does."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.over = False

    async def read(self, lines: Any) -> None:
        data = ""
        async for raw in lines:
            name, _, value = raw.decode().rstrip("\n").partition(": ")
            if name == "id":
                self.ids.append(value)
            elif name == "data":
                data += value
            elif not name and data:
                self.messages.append(orjson.loads(data))
                data = ""
        self.over = True

    def of(self, execution_id: str, kind: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if (m["execution_id"], m["type"]) == (execution_id, kind)]

    def texts(self, execution_id: str) -> list[str]:
        records = [r for m in self.of(execution_id, "records") for r in m["records"]]
        return [record["message"] for record in records if "message" in record]


@asynccontextmanager
async def listening(gateway: Running, query: str, last: str = "") -> AsyncIterator[Events]:
    headers = {"Last-Event-ID": last} if last else {}
    async with gateway.http.get(f"{gateway.address}/events?{query}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        events = Events()
        task = asyncio.create_task(events.read(answer.content))
        try:
            yield events
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_all_come_in_one_stream_and_the_last_id_resumes_all(
    pushing: Running, engine_nodes: Nodes
) -> None:
    workers = await opened(engine_nodes, "a", "b")
    async with listening(pushing, "execution=a&execution=b") as events:
        for worker in workers:
            await worker.log(f"{worker.execution_id} seen")
        for name in "ab":
            await soon(lambda n=name: events.texts(n) == [f"{n} seen"], "it is seen")  # type: ignore[misc]
        last = events.ids[-1]
    for worker in workers:
        await worker.log(f"{worker.execution_id} meanwhile")
    async with listening(pushing, "execution=a&execution=b", last) as events:
        for name in "ab":
            await soon(lambda n=name: events.texts(n) == [f"{n} meanwhile"], "no more, no less")  # type: ignore[misc]
        assert [m for m in events.messages if m["type"] in ("gap", "reset")] == []


async def test_the_stream_ends_with_the_last_of_them_and_need_not_be_asked_again(
    pushing: Running, engine_nodes: Nodes
) -> None:
    a, b = await opened(engine_nodes, "a", "b")
    await a.end()
    async with listening(pushing, "execution=a&execution=b") as events:
        await soon(lambda: events.of("a", "end"), "the first ends")
        await b.log("still here")
        await soon(lambda: events.texts("b") == ["still here"], "the other goes on")
        await b.end()
        await soon(lambda: events.over, "the stream is over")
    headers = {"Last-Event-ID": events.ids[-1]}
    url = f"{pushing.address}/events?execution=a&execution=b"
    async with pushing.http.get(url, headers=headers) as answer:
        assert answer.status == 204


async def test_one_that_is_not_there_leaves_the_others(
    pushing: Running, engine_nodes: Nodes
) -> None:
    (worker,) = await opened(engine_nodes, "a")
    async with listening(pushing, "execution=a&execution=nobody") as events:
        await soon(lambda: events.of("nobody", "error"), "it is told")
        assert events.of("nobody", "error")[0]["code"] == "not_found"
        await worker.log("here")
        await soon(lambda: events.texts("a") == ["here"], "the other goes on")


async def test_a_filter_and_what_is_new_concern_each_of_them(
    pushing: Running, engine_nodes: Nodes
) -> None:
    workers = await opened(engine_nodes, "a", "b")
    for worker in workers:
        await worker.log_records([{"message": "old", "level": "error"}])
    async with listening(pushing, "execution=a&execution=b&after=$&level=error") as events:
        for worker in workers:
            await soon(lambda w=worker: events.of(w.execution_id, "caught_up"), "it is at the head")  # type: ignore[misc]
            await worker.log_records([{"message": "no", "level": "info"}])
            await worker.log_records([{"message": "new", "level": "error"}])
        for name in "ab":
            await soon(lambda n=name: events.texts(n) == ["new"], "only that")  # type: ignore[misc]


async def test_a_beat_moves_nobody() -> None:
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    places = {"a": "1-0:1:00000001"}
    outlet = ManyOutlet(EventOutlet(send, [], Metrics()), places)
    beyond = Cursor.parse("2-0:2:00000002")
    await outlet.send("a", plain("beat", {}, beyond))
    assert places == {"a": "1-0:1:00000001"}
    assert not any(b"id:" in body for body in sent)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "execution=-bad",
        "execution=a&after=nonsense",
        "execution=a&after=a=nonsense",
        "execution=a&level=loud",
        "&".join(f"execution=e{n}" for n in range(21)),
    ],
)
async def test_what_makes_no_sense_is_refused(pushing: Running, query: str) -> None:
    async with pushing.http.get(f"{pushing.address}/events?{query}") as answer:
        assert answer.status == 400
        assert "expected" in (await answer.json())["detail"]


def test_a_place_names_its_execution() -> None:
    assert places_of("a=1-0:1:00000001,b:c=2-0:2:00000002") == {
        "a": "1-0:1:00000001",
        "b:c": "2-0:2:00000002",
    }
    with pytest.raises(Refused, match="names no execution"):
        places_of("1-0:1:00000001")
