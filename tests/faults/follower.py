"""A viewer that never gives up, and a witness of all it hears: the SDK's own client on a socket."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import quote

import orjson
import websockets
from tests.faults.witness import ViewerWord
from tests.polling import POLL_SECONDS
from websockets.asyncio.client import ClientConnection, connect

from runtail.watching.viewer import Viewer
from runtail.watching.viewer_event import Broken

_CONNECT_SECONDS = 3.0


class Follower:
    """Watch one execution at *addresses* in turn, until it has ended."""

    def __init__(self, name: str, addresses: list[str], execution_id: str, turn: int) -> None:
        self.word = ViewerWord(name)
        self.viewer = Viewer(tail=5) if turn % 5 == 4 else Viewer()
        self._addresses, self._turn = addresses, turn
        self._path = f"/ws/executions/{quote(execution_id, safe='')}/logs"
        self.reading = asyncio.Event()
        self.reading.set()
        self._socket: ClientConnection | None = None
        self._task = asyncio.create_task(self._follow(), name=name)

    @property
    def ended(self) -> bool:
        """Whether it was told the end."""
        return self._task.done()

    def drop(self) -> None:
        """Lose the connection, as in a tunnel; it comes back by itself, to another gateway."""
        self.reading.set()
        if self._socket is not None:
            self._socket.transport.abort()

    async def leave(self) -> None:
        """Go for good; raises what following raised."""
        self.reading.set()
        if not self._task.done():
            self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _follow(self) -> None:
        while self.viewer.status is None:
            with suppress(OSError, TimeoutError, websockets.WebSocketException):
                await self._watch_once()
            self._turn += 1
            await asyncio.sleep(POLL_SECONDS)

    async def _watch_once(self) -> None:
        address = self._addresses[self._turn % len(self._addresses)]
        query, after = self.viewer.query(), [str(c) for c in self.viewer.cursors()]
        url = f"ws://{address.removeprefix('http://')}{self._path}?{query}"
        async with connect(
            url,
            compression=None,
            max_queue=2,
            max_size=None,
            open_timeout=_CONNECT_SECONDS,
            close_timeout=0.2,
            ping_interval=None,
            proxy=None,
        ) as socket:
            self._socket = socket
            self.word.heard.append({"type": "connect", "after": after})
            async for text in socket:
                self.word.heard.append(orjson.loads(text))
                events = self.viewer.take(text)
                self.word.shown += events
                if any(isinstance(event, Broken) for event in events):
                    return
                await self.reading.wait()
