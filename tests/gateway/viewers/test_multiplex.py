"""Many executions over one socket: apart, fair, bounded; the contract itself runs everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
from tests.gateway.running import Running
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.connections.client import Nodes


class Socket:
    """A client that notes what comes, by execution."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.messages: list[dict[str, Any]] = []

    async def say(self, kind: str, execution: str, **more: object) -> None:
        await self._socket.send_json({"type": kind, "execution_id": execution, **more})

    async def text(self, text: str) -> None:
        await self._socket.send_str(text)

    async def read(self) -> None:
        async for message in self._socket:
            self.messages.append(orjson.loads(message.data))

    async def until(self, execution: str, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until *count* messages of *kind* have come for *execution*; return them."""
        await soon(lambda: len(self.of(execution, kind)) >= count, f"{kind} comes for {execution}")
        return self.of(execution, kind)

    def of(self, execution: str | None, kind: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if (m.get("execution_id"), m["type"]) == (execution, kind)]

    def texts(self, execution: str) -> list[str]:
        records = [r for m in self.of(execution, "records") for r in m["records"]]
        return [record["message"] for record in records if "message" in record]

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code


@asynccontextmanager
async def connected(gateway: Running) -> AsyncIterator[Socket]:
    async with gateway.http.ws_connect(f"{gateway.address}/ws/executions") as ws:
        socket = Socket(ws)
        task = asyncio.create_task(socket.read())
        try:
            yield socket
        finally:
            task.cancel()
            await asyncio.wait([task])


async def opened(nodes: Nodes, *names: str) -> list[Worker]:
    workers = [Worker(nodes, name) for name in names]
    for worker in workers:
        await worker.open()
    return workers


async def test_executions_share_a_socket_and_stay_apart(
    pushing: Running, engine_nodes: Nodes
) -> None:
    workers = await opened(engine_nodes, "a", "b", "c")
    async with connected(pushing) as socket:
        for worker in workers:
            await worker.log(f"{worker.execution_id} before")
            await socket.say("subscribe", worker.execution_id)
        for worker in workers:
            await socket.until(worker.execution_id, "caught_up")
            await worker.log(f"{worker.execution_id} after")
        for name in "abc":
            await soon(lambda name=name: len(socket.texts(name)) == 2, "live records come")  # type: ignore[misc]
            assert socket.texts(name) == [f"{name} before", f"{name} after"]


async def test_what_was_unsubscribed_is_heard_no_more_and_can_be_resumed(
    pushing: Running, engine_nodes: Nodes
) -> None:
    (worker,) = await opened(engine_nodes, "a")
    async with connected(pushing) as socket:
        await socket.say("subscribe", "a")
        (caught_up,) = await socket.until("a", "caught_up")
        await socket.say("unsubscribe", "a")
        await socket.until("a", "unsubscribed")
        await soon(lambda: pushing.hub.tails == 0, "the tail is gone")
        await worker.log("unheard")
        await socket.say("subscribe", "a", after=[caught_up["cursor"]])
        await soon(lambda: socket.texts("a") == ["unheard"], "it goes on where it stopped")


async def test_one_that_is_refused_or_ends_leaves_the_others(
    pushing: Running, engine_nodes: Nodes
) -> None:
    ended, running = await opened(engine_nodes, "ended", "running")
    await ended.end()
    async with connected(pushing) as socket:
        for name, code in (("nobody", "not_found"), ("-bad", "bad_execution_id")):
            await socket.say("subscribe", name)
            (error,) = await socket.until(name, "error")
            assert error["code"] == code
        await socket.say("subscribe", "running", after="nonsense")
        (error,) = await socket.until("running", "error")
        assert error["code"] == "bad_cursor"
        await socket.say("subscribe", "ended")
        await socket.until("ended", "end")
        await socket.say("subscribe", "running")
        await socket.until("running", "caught_up")
        await socket.say("subscribe", "running")
        assert (await socket.until("running", "error", 2))[1]["code"] == "subscribed"
        await socket.say("subscribe", "ended", tail=1)
        await socket.until("ended", "end", 2)
        await running.log("still here")
        await soon(lambda: socket.texts("running") == ["still here"], "the others go on")


async def test_a_quiet_one_does_not_wait_for_the_history_of_a_busy_one(
    pushing: Running, engine_nodes: Nodes
) -> None:
    busy, quiet = await opened(engine_nodes, "busy", "quiet")
    await busy.log_many(batches=200, records=100, size=100)
    async with connected(pushing) as socket:
        await socket.say("subscribe", "quiet")
        await socket.until("quiet", "caught_up")
        await socket.say("subscribe", "busy")
        await socket.until("busy", "records")
        await quiet.log("now")
        await soon(lambda: socket.texts("quiet") == ["now"], "the quiet one is heard")
        await socket.until("busy", "caught_up")
        assert len(socket.texts("busy")) == 20_000


@pytest.mark.parametrize("gateway_settings", [{"subscriptions": 2}], indirect=True)
async def test_one_subscription_too_many_is_refused(pushing: Running, engine_nodes: Nodes) -> None:
    await opened(engine_nodes, "a", "b", "c")
    async with connected(pushing) as socket:
        for name in "abc":
            await socket.say("subscribe", name)
        (error,) = await socket.until("c", "error")
        assert error["code"] == "too_many"
        await socket.say("unsubscribe", "a")
        await socket.say("subscribe", "c")
        await socket.until("c", "caught_up")


NOTHING = ("", "{", "[]", "3", '{"type":"dance"}', '{"type":"subscribe"}', "x" * 60_000)


@pytest.mark.parametrize("text", NOTHING)
async def test_what_says_nothing_closes_the_socket_with_its_name(
    pushing: Running, text: str
) -> None:
    async with connected(pushing) as socket:
        await socket.text(text)
        await soon(lambda: socket.close_code == 4400, "it is closed")
        (error,) = [m for m in socket.messages if m["type"] == "error"]
        assert error["code"] == "bad_request"
        assert "expected" in error["message"] or "is no JSON" in error["message"]


@pytest.mark.parametrize("gateway_settings", [{"client_messages": 5}], indirect=True)
async def test_a_client_that_floods_is_sent_away(pushing: Running) -> None:
    async with connected(pushing) as socket:
        for _ in range(6):
            await socket.say("unsubscribe", "a")
        await soon(lambda: socket.close_code == 4408, "it is closed")


async def test_a_foreign_page_is_refused(pushing: Running) -> None:
    headers = {"Origin": "https://evil.example"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with pushing.http.ws_connect(f"{pushing.address}/ws/executions", headers=headers):
            pass
    assert refused.value.status == 403


async def test_a_client_that_leaves_leaves_nothing_behind(
    pushing: Running, engine_nodes: Nodes
) -> None:
    await opened(engine_nodes, "a", "b")
    async with connected(pushing) as socket:
        for name in "ab":
            await socket.say("subscribe", name)
            await socket.until(name, "caught_up")
        assert await pushing.metric("runtail_viewers") == 1
    await soon(lambda: pushing.hub.tails == 0, "the tails are gone")
    assert await pushing.metric("runtail_viewers") == 0
