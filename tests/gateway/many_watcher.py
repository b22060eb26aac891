"""The careful client over `WS /ws/executions`: one subscription of it, with the same checks."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import parse_qsl

import orjson
import websockets
from tests.gateway.watcher import CLOSE_CODES, Watcher
from websockets.asyncio.client import ClientConnection, connect


class ManyWatcher(Watcher):
    """Watch one execution by a subscription, on a socket of its own."""

    def __init__(self, address: str, execution_id: str, query: str = "") -> None:
        super().__init__(address, execution_id, query)
        self._execution_id = execution_id

    async def connect(self, query: str) -> None:
        await self.leave()  # the socket outlasts a subscription that has ended
        self.close_code = None
        self._socket = await connect(
            f"{self._address}/ws/executions",
            compression=None,
            max_size=None,
            max_queue=2,
            ping_interval=None,
            proxy=None,
            additional_headers=self.headers,
        )
        pairs = parse_qsl(query, keep_blank_values=True)
        asked: dict[str, Any] = {name: value for name, value in pairs if name != "after"}
        if after := [value for name, value in pairs if name == "after"]:
            asked["after"] = after
        said = {"type": "subscribe", "execution_id": self._execution_id, **asked}
        with contextlib.suppress(websockets.ConnectionClosed):  # the code says why
            await self._socket.send(orjson.dumps(said).decode())
        self._task = asyncio.create_task(self._read(self._socket))

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                message = orjson.loads(text)
                if message.pop("execution_id", self._execution_id) != self._execution_id:
                    raise AssertionError(f"a message of another execution: {message}")
                if message["type"] == "subscribed":
                    continue
                self.take(orjson.dumps(message))
                if message["type"] in ("end", "error"):
                    self.close_code = CLOSE_CODES.get(message.get("code", ""), 1000)
                await self.reading.wait()
        except websockets.ConnectionClosedError:
            pass
        self.close_code = self.close_code or socket.close_code
