"""The two WebSocket clients of Python, with nothing of ours around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import orjson
import pytest
import websockets
from tests.gateway.running import Running
from tests.gateway.talking import logs_of
from tests.gateway.worker import Worker

Told = AsyncIterator[dict[str, Any]]


async def by_websockets(address: str) -> Told:
    """Yield each message, at last the close code."""
    async with websockets.connect(address) as socket:
        try:
            while True:
                yield orjson.loads(await socket.recv())
        except websockets.ConnectionClosed:
            yield {"closed": socket.close_code}


async def by_aiohttp(address: str) -> Told:
    """Yield each message, at last the close code."""
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        async for message in socket:
            yield orjson.loads(message.data)
        yield {"closed": socket.close_code}


either = pytest.mark.parametrize("client", [by_websockets, by_aiohttp])


@either
async def test_it_reads_history_what_is_live_and_the_end(
    pushing: Running, worker: Worker, client: Callable[[str], Told]
) -> None:
    await worker.open()
    await worker.log_many(batches=4, records=50)
    messages = []
    async for message in client(pushing.sockets + logs_of(worker.execution_id)):
        messages.append(message)
        if message.get("type") == "caught_up":
            await worker.log("live")
            await worker.end()
    told = [record for message in messages for record in message.get("records", ())]
    assert told == await worker.stored()
    assert [each.get("type") for each in (messages[0], messages[-2])] == ["hello", "end"]
    assert messages[-1] == {"closed": 1000}


@either
async def test_it_is_told_why_it_is_refused(
    pushing: Running, client: Callable[[str], Told]
) -> None:
    error, closed = [each async for each in client(pushing.sockets + logs_of("unknown"))]
    assert (error["type"], error["code"]) == ("error", "not_found")
    assert closed == {"closed": 4404}
