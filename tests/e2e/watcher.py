"""A viewer that believes nothing: it keeps what it is sent as it is sent, and resumes elsewhere.

It drops nothing that comes twice and fills no hole, as a careful client would: what a gateway does
wrong stays to be seen.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

import orjson
from tests.e2e.rows import Hole, Row
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from runtail_broker.cursor import Cursor, CursorMemory

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
RETRY_SECONDS = 0.05


class Watcher:
    """One viewer of one execution over any number of connections.

    *cuts* says after how many further records each connection is torn; *pause_seconds* makes it
    slow: it sleeps after every message, and its socket's buffers fill.
    """

    def __init__(
        self, execution_id: str, cuts: Iterable[int] = (), *, pause_seconds: float = 0.0
    ) -> None:
        self.execution_id = execution_id
        self.rows: list[Row] = []
        self.gaps: list[dict[str, Any]] = []
        self.resets: list[dict[str, Any]] = []
        self.beats: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.hello: dict[str, Any] = {}
        self.end: dict[str, Any] | None = None
        self.error: dict[str, Any] | None = None
        self.caught_up = 0
        self.connections = 0
        self.withdrawn = 0
        self.close_code: int | None = None
        self.memory = CursorMemory()
        self._cuts, self._pause_seconds = iter(cuts), pause_seconds
        self._changed = asyncio.Event()

    @property
    def holes(self) -> list[Hole]:
        """What it was told is gone, of what it would hold now."""
        return [Hole(gap["after_seq"], gap["before_seq"]) for gap in self.gaps]

    async def watch(self, gateways: Sequence[str], **query: str) -> None:
        """Watch until the end or a refusal, each connection at the next of *gateways* in turn."""
        for gateway in cycle(gateways):
            try:
                await self._connection(gateway, query)
            except (WebSocketException, OSError, TimeoutError):
                await asyncio.sleep(RETRY_SECONDS)  # that gateway is away
            if self.end is not None or self.error is not None:
                return

    async def until_it_holds(self, records: int, seconds: float = 20.0) -> None:
        """Wait until it holds at least so many *records*."""
        await self.until(lambda: len(self.rows) >= records, seconds)

    async def until_it_ended(self, seconds: float = 20.0) -> None:
        """Wait until it was told the end."""
        await self.until(lambda: self.end is not None, seconds)

    async def until_it_was_reset(self, seconds: float = 20.0) -> None:
        """Wait until it was told that it holds what the stream does not."""
        await self.until(lambda: bool(self.resets), seconds)

    async def until(self, check: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until *check* is true, looking at it after every message."""
        try:
            async with asyncio.timeout(seconds):
                while not check():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(
                f"waited {seconds} s; holds {self.rows[-3:]}, gaps {self.gaps}, "
                f"resets {self.resets}, end {self.end}, error {self.error}"
            ) from None

    async def _connection(self, gateway: str, query: dict[str, str]) -> None:
        self.connections += 1
        after = [("after", str(cursor)) for cursor in self.memory.newest_first()]
        url = f"{gateway}/ws/executions/{self.execution_id}/logs?"
        link = await connect(
            url + urlencode((after or list(query.items())) + [("wait", "true")]),
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=4,
            ping_interval=None,
            close_timeout=1,
        )
        try:
            await self._receive(link)
        finally:
            link.transport.abort()

    async def _receive(self, link: ClientConnection) -> None:
        torn_at = len(self.rows) + self.withdrawn + next(self._cuts, sys.maxsize)
        with suppress(ConnectionClosed):
            async for message in link:
                self.take(orjson.loads(message))
                self._changed.set()
                if len(self.rows) + self.withdrawn >= torn_at and self.end is None:
                    return  # whatever is under way by now is lost to this viewer
                if self._pause_seconds:
                    await asyncio.sleep(self._pause_seconds)
        self.close_code = link.close_code
        self._changed.set()

    def take(self, message: dict[str, Any]) -> None:
        """Obey one message; note what it should not have said."""
        match message["type"]:
            case "hello":
                self.hello = message
            case "records":
                self.rows += map(Row.of, message["records"])
                self._stand_at(message)
            case "caught_up":
                self.caught_up += 1
                self._stand_at(message)
            case "beat":
                self.beats.append(message)
                self._stand_at(message)
            case "gap":
                self.gaps.append(message)
                self.memory.add(Cursor.parse(message["cursor"]))
            case "reset":
                self._reset(message)
            case "end":
                self.end = message
            case "error":
                self.error = message

    def _reset(self, message: dict[str, Any]) -> None:
        cursor = Cursor.parse(message["cursor"])
        self.resets.append(message)
        kept = [row for row in self.rows if row.seq <= cursor.number]
        self.withdrawn += len(self.rows) - len(kept)
        self.rows = kept
        self.gaps = [gap for gap in self.gaps if gap["before_seq"] <= cursor.number]
        self.memory.rewind(cursor)

    def _stand_at(self, message: dict[str, Any]) -> None:
        cursor = Cursor.parse(message["cursor"])
        known = self.memory.newest_first()
        here = max(self.rows[-1].seq if self.rows else 0, known[0].number if known else 0)
        if self.rows and cursor.number != here:
            self.faults.append(f"{message['type']} names cursor {cursor}, this viewer is at {here}")
        if not known or cursor.number >= known[0].number:
            self.memory.add(cursor)
