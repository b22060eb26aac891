"""A plain WebSocket client that says what it is told to and notes what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
from tests.gateway.running import Running
from tests.polling import soon


class Talk:
    """One open WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.messages: list[dict[str, Any]] = []

    async def say(self, **message: object) -> None:
        await self._socket.send_json(message)

    async def read(self) -> None:
        """Note the JSON messages; stored frames are passed over."""
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.messages.append(orjson.loads(message.data))

    async def until(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Wait for the *count*-th message of *kind*; return it."""
        await soon(lambda: len(self.of(kind)) >= count, f"{kind} comes, there is {self.messages}")
        return self.of(kind)[count - 1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    def texts(self) -> list[str]:
        records = [record for message in self.of("records") for record in message["records"]]
        return [record["message"] for record in records if "message" in record]

    async def refused(self, code: int) -> str:
        """Wait until it is closed with *code*; return the error's message."""
        await soon(lambda: self._socket.close_code is not None, "it is closed")
        assert self._socket.close_code == code, self.messages
        assert self.messages[-1]["type"] == "error"
        return str(self.messages[-1]["message"])

    @property
    def protocol(self) -> str | None:
        return self._socket.protocol

    @property
    def headers(self) -> str:
        """All that the answer to the upgrade said."""
        return str(self._socket._response.headers)

    @property
    def is_open(self) -> bool:
        return self._socket.close_code is None


@asynccontextmanager
async def talking(gateway: Running, path: str, **options: Any) -> AsyncIterator[Talk]:
    """Open the WebSocket at *path*, with headers and protocols of *options*."""
    async with gateway.http.ws_connect(gateway.address + path, **options) as socket:
        talk = Talk(socket)
        task = asyncio.create_task(talk.read())
        try:
            yield talk
        finally:
            task.cancel()
            await asyncio.wait([task])


def logs_of(execution_id: str) -> str:
    return f"/ws/executions/{execution_id}/logs"
