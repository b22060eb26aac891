"""A careful client of the gateway's WebSocket, which checks every promise as messages come in."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import orjson
import websockets
from tests.polling import DEADLINE_SECONDS, soon
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from runtail_broker.cursor import START, Cursor, CursorMemory

CLOSE_CODES = {  # what a refusal with this code closes a WebSocket of its own with
    "ended": 1000,
    "draining": 1012,
    "too_many": 4329,
    "unavailable": 4330,
    "newer_format": 4331,
    "bad_request": 4400,
    "bad_cursor": 4400,
    "bad_execution_id": 4400,
    "signed_out": 4401,
    "expired": 4402,
    "forbidden": 4403,
    "not_found": 4404,
    "deleted": 4410,
    "damaged": 4422,
}


class Watcher:
    """Watch one execution. Use as an async context manager; `come_back` resumes with the memory.

    `records` is what a viewer has now: a reset has dropped from it, a gap is in `gaps`. Whatever
    breaks a promise of the protocol is raised by the next `until`.
    """

    subprotocols: Sequence[Subprotocol] | None = None

    def __init__(self, address: str, execution_id: str, query: str = "") -> None:
        self.records: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []  # all but `records`
        self.sizes: list[int] = []
        self.headers: dict[str, str] = {}  # to connect with
        self.gaps: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self.begun = 0  # everything after this seq concerns it
        self.memory = CursorMemory(START)
        self.reading = asyncio.Event()
        self.reading.set()
        self._address = address
        self._path = f"/ws/executions/{quote(execution_id, safe='')}/logs"
        self._query = query
        self._last: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        await self.connect(self._query)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.leave()

    async def connect(self, query: str) -> None:
        url = self._address + self._path + ("?" + query if query else "")
        self.close_code = None
        self._socket = await connect(
            url,
            compression=None,
            max_size=None,
            max_queue=2,
            ping_interval=None,
            proxy=None,
            additional_headers=self.headers,
            subprotocols=self.subprotocols,
        )
        self._task = asyncio.create_task(self._read(self._socket))

    async def leave(self) -> None:
        """Go, as a browser does whose page is closed."""
        self.reading.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._socket is not None:
            self._socket.transport.abort()
            await self._socket.wait_closed()
        self._task = self._socket = None

    async def come_back(self, address: str = "") -> None:
        """Resume with the cursors that were passed, newest first; at another gateway if named."""
        self._address = address or self._address
        await self.connect("&".join(f"after={c}" for c in self.memory.newest_first()))

    # --- what it has ---------------------------------------------------------------------------

    @property
    def seqs(self) -> list[int]:
        return [record["seq"] for record in self.records]

    @property
    def texts(self) -> list[str]:
        """The messages of the log records."""
        return [record["message"] for record in self.records if "message" in record]

    @property
    def cursor(self) -> Cursor:
        return self.memory.newest_first()[0]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    @property
    def hello(self) -> dict[str, Any]:
        return self.of("hello")[-1]

    async def until(
        self, check: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS
    ) -> None:
        def checked() -> object:
            if self._task is not None and self._task.done():
                self._task.result()
            return check()

        await soon(checked, f"{what}; has {self._shown()}", seconds)

    async def caught_up(self) -> None:
        await self.until(lambda: self.of("caught_up"), "it is told caught_up")

    async def has(self, seq: int) -> None:
        await self.until(lambda: self.cursor.number >= seq, f"it has seq {seq}")

    async def has_all(self, stored: list[dict[str, Any]]) -> None:
        """Wait until what it has is *stored*, exactly, each once."""
        await self.until(lambda: self.records == stored, f"it has {len(stored)} records exactly")

    async def closed(self) -> None:
        await self.until(lambda: self.close_code is not None, "it is closed")

    def _shown(self) -> str:
        return f"{Counter(m['type'] for m in self.messages)}"

    # --- what it checks ------------------------------------------------------------------------

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                self.take(text)
                await self.reading.wait()
        except websockets.ConnectionClosedError:
            pass  # the code says it
        self.close_code = socket.close_code

    def take(self, text: str | bytes) -> None:
        """Take one message; AssertionError for what the protocol forbids."""
        message = orjson.loads(text)
        assert self.close_code is None, "a message after the close"
        match message["type"]:
            case "records":
                self.sizes.append(len(text))
                return self._take_records(message["records"], Cursor.parse(message["cursor"]))
            case "hello":
                here = Cursor.parse(message["cursor"])
                self._last = here.seq
                if not self.of("hello"):
                    self.memory, self.begun = CursorMemory(here), here.number
            case "gap":
                self._take_gap(message)
            case "reset":
                self._take_reset(Cursor.parse(message["cursor"]))
            case "beat":
                assert Cursor.parse(message["cursor"]).number == (self._last or 0)
        self.messages.append(message)
        return None

    def _take_records(self, records: list[dict[str, Any]], cursor: Cursor) -> None:
        for record in records:
            assert self._last is None or record["seq"] == self._last + 1, (
                f"seq {record['seq']} after {self._last}"
            )
            self._last = record["seq"]
        assert (records[-1]["id"], records[-1]["seq"]) == (str(cursor.id), cursor.seq)
        self.records += records
        self.memory.add(cursor)

    def _take_gap(self, gap: dict[str, Any]) -> None:
        if gap["after_seq"] is not None:
            assert self._last in (None, gap["after_seq"])
            assert gap["lost"] == gap["before_seq"] - gap["after_seq"] - 1
        assert Cursor.parse(gap["cursor"]).seq == gap["before_seq"] - 1
        self._last = gap["before_seq"] - 1
        self.gaps.append(gap)
        self.memory.add(Cursor.parse(gap["cursor"]))

    def _take_reset(self, cursor: Cursor) -> None:
        assert self._last is None or cursor.number <= self._last
        self.records = [r for r in self.records if r["seq"] <= cursor.number]
        self.gaps = [g for g in self.gaps if g["before_seq"] <= cursor.number + 1]
        self.begun = min(self.begun, cursor.number)
        self.memory.rewind(cursor)
        self._last = cursor.number
