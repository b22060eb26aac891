"""Be many viewers in one lean process: count what arrives, and check a sample of them in full.

Run as `python -m tests.bench.viewers '<Plan as JSON>'`. Prints `{"ready": true}` once every viewer
is where it waits for what is new, and a `Seen` when all have got what they expect or time is up.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import cast

import uvloop
from tests.bench.figures import percentile
from tests.bench.processes import Child, running

MARK = b'"seq":'
_RECORD = re.compile(rb'"sent":(\d+),"id":"[0-9-]+","seq":(\d+)}')
_CONNECTING = 40  # at a time: a crowd at the door is not what is measured


@dataclass(frozen=True, slots=True)
class Plan:
    """Who connects where, and what each one is to get."""

    port: int
    path: str
    """Of a WebSocket, `{n}` standing for the viewer's number; empty for a plain socket, whose
    server greets with an empty line."""
    viewers: int
    expected: int
    """Records, for each viewer."""
    sample_every: int
    """Each so-manieth viewer keeps everything, to be checked afterwards."""
    ready_mark: str
    """Bytes that say that a viewer is caught up; empty if being connected is enough."""
    deadline_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What all viewers got, together."""

    records: int
    bytes: int
    seconds: float
    """From before the first connect until the last record."""
    p50_ms: float
    p99_ms: float
    """From publishing to receiving, over the sampled viewers."""
    short: int
    """Viewers that got less than expected."""
    disordered: int
    """Sampled viewers that did not get each seq once and in order."""
    checked: int
    """Records whose place in the order was looked at."""


@contextmanager
def watching(plan: Plan) -> Iterator[Child]:
    """Run the viewers of *plan* in a process of their own."""
    with running("tests.bench.viewers", json.dumps(asdict(plan))) as child:
        yield child


def wait_until_ready(child: Child) -> None:
    """Wait until every viewer stands at the head; raises RuntimeError for one that never does."""
    answer = child.answer()
    if answer != {"ready": True}:
        raise RuntimeError(f"{answer}, expected every viewer to be let in and caught up")


def seen_by(child: Child) -> Seen:
    """Wait for what the viewers saw; raises RuntimeError for a missing or misplaced record."""
    seen = Seen(**child.answer())
    if seen.short or seen.disordered or not seen.checked:
        raise RuntimeError(f"{seen}, expected every record once and in order")
    return seen


class _Viewer(asyncio.Protocol):
    """One connection: counts marks, keeps its chunks if sampled. Parses nothing on arrival."""

    def __init__(self, crowd: _Crowd, number: int, sampled: bool) -> None:
        self._crowd, self._number = crowd, number
        self._rest = b""
        self._head: bytes | None = b""
        self.chunks: list[tuple[int, bytes]] | None = [] if sampled else None
        self.records = self.bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        plan = self._crowd.plan
        if plan.path:
            cast(asyncio.Transport, transport).write(_upgrade(plan, self._number))

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._greeted(data)
        if self.chunks is not None:
            self.chunks.append((time.monotonic_ns(), data))
        joined = self._rest + data
        self.records += joined.count(MARK)
        self.bytes += len(data)
        self._rest = joined[1 - len(MARK) :]
        if self.records >= self._crowd.plan.expected:
            self._crowd.satisfied(self)

    def _greeted(self, data: bytes) -> None:
        assert self._head is not None
        self._head += data
        plan = self._crowd.plan
        if b"\r\n\r\n" in self._head and plan.ready_mark.encode() in self._head:
            self._head = None
            self._crowd.one_is_ready()

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.satisfied(self)

    def latencies(self) -> Iterator[tuple[int, float]]:
        """List the seq and the milliseconds under way of every record kept."""
        rest = b""
        for at, chunk in self.chunks or ():
            data, place = rest + chunk, 0
            for match in _RECORD.finditer(data):
                yield int(match[2]), (at - int(match[1])) / 1e6
                place = match.end()
            rest = data[place:]


class _Crowd:
    """All viewers of this process."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._waiting, self._unready = set[_Viewer](), 0
        self._viewers: list[_Viewer] = []
        self.ready, self.done = asyncio.Event(), asyncio.Event()
        self._ended = 0

    async def watch(self) -> Seen:
        started = time.monotonic_ns()
        self._viewers = [
            _Viewer(self, i, i % self.plan.sample_every == 0) for i in range(self.plan.viewers)
        ]
        self._waiting = set(self._viewers)
        try:
            async with asyncio.timeout(self.plan.deadline_seconds):
                await self._connect()
                print('{"ready": true}', flush=True)
                await self.done.wait()
        except TimeoutError:
            self._ended = time.monotonic_ns()
        return self._seen(started)

    async def _connect(self) -> None:
        for i in range(0, self.plan.viewers, _CONNECTING):
            some = self._viewers[i : i + _CONNECTING]
            self._unready = len(some)
            self.ready.clear()
            await asyncio.gather(*(self._connect_one(viewer) for viewer in some))
            await self.ready.wait()

    async def _connect_one(self, viewer: _Viewer) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: viewer, "127.0.0.1", self.plan.port)

    def one_is_ready(self) -> None:
        self._unready -= 1
        if not self._unready:
            self.ready.set()

    def satisfied(self, viewer: _Viewer) -> None:
        self._waiting.discard(viewer)
        if not self._waiting and not self.done.is_set():
            self._ended = time.monotonic_ns()
            self.done.set()

    def _seen(self, started: int) -> Seen:
        sampled = [list(v.latencies()) for v in self._viewers if v.chunks is not None]
        latencies = [ms for viewer in sampled for _, ms in viewer]
        return Seen(
            records=sum(v.records for v in self._viewers),
            bytes=sum(v.bytes for v in self._viewers),
            seconds=(self._ended - started) / 1e9,
            p50_ms=percentile(latencies, 0.5),
            p99_ms=percentile(latencies, 0.99),
            short=sum(v.records < self.plan.expected for v in self._viewers),
            disordered=sum(not _in_order([seq for seq, _ in viewer]) for viewer in sampled),
            checked=len(latencies),
        )


def _in_order(seqs: list[int]) -> bool:
    return bool(seqs) and seqs == list(range(seqs[0], seqs[0] + len(seqs)))


def _upgrade(plan: Plan, number: int) -> bytes:
    path = plan.path.replace("{n}", str(number))
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


async def _main(plan: Plan) -> None:
    gc.disable()  # a pause here would be taken for one of the server
    print(json.dumps(asdict(await _Crowd(plan).watch())), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(Plan(**json.loads(sys.argv[1]))))
