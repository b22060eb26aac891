"""The careful client, over Server-Sent Events: as `EventSource` does, with the same checks."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import aiohttp
from tests.gateway.watcher import CLOSE_CODES, Watcher


class EventWatcher(Watcher):
    """Watch one execution by `GET /executions/{id}/events`; a refusal is told as an `error`."""

    def __init__(self, address: str, execution_id: str, query: str = "") -> None:
        super().__init__(address.replace("ws://", "http://"), execution_id, query)
        self._path = f"/executions/{quote(execution_id, safe='')}/events"
        self.last_event_id = ""
        self._http: aiohttp.ClientSession | None = None
        self._answer: aiohttp.ClientResponse | None = None

    async def connect(self, query: str) -> None:
        await self._ask("?" + query if query else "", {})

    async def come_back_as_a_browser(self, query: str = "") -> None:
        """Come back to the same address with the id of the last event, as `EventSource` does."""
        address = "?" + query if query else ""
        await self._ask(address, {"Last-Event-ID": self.last_event_id})

    async def _ask(self, query: str, headers: dict[str, str]) -> None:
        await self.leave()
        self.close_code = None
        timeout = aiohttp.ClientTimeout(total=None)
        headers = {**self.headers, **headers}
        self._http = aiohttp.ClientSession(headers=headers, timeout=timeout)
        self._answer = await self._http.get(self._address + self._path + query)
        self._task = asyncio.create_task(self._events(self._answer))

    async def leave(self) -> None:
        self.reading.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._answer is not None:
            self._answer.close()
        if self._http is not None:
            await self._http.close()
        self._task = self._http = self._answer = None

    async def come_back(self, address: str = "") -> None:
        await super().come_back(address.replace("ws://", "http://"))

    async def _events(self, answer: aiohttp.ClientResponse) -> None:
        if answer.status != 200:
            nothing = {"code": "ended", "detail": "everything was delivered"}
            problem: dict[str, Any] = await answer.json() if answer.status != 204 else nothing
            code = problem["code"]
            self.messages.append({"type": "error", "code": code, "message": problem["detail"]})
            self.close_code = CLOSE_CODES[code]
            return
        assert answer.content_type == "text/event-stream"
        data: list[str] = []
        async for raw in answer.content:
            line = raw.decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if name == "data":
                data.append(value)
            elif name == "id":
                self.last_event_id = value
            elif not line and data:
                self.take("\n".join(data))
                data = []
                await self.reading.wait()
        self.close_code = self._how_it_ended(self.messages[-1])

    def _how_it_ended(self, last: dict[str, Any]) -> int:
        """Say how a WebSocket would have been closed after the *last* message."""
        match last["type"]:
            case "end":
                return 1000
            case "error":
                return CLOSE_CODES[last["code"]]
        return 1006
