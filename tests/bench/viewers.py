"""Be many viewers in one lean process: count what arrives, and check a sample of them in full.

`python -m tests.bench.viewers` reads a `Plan` as a line of JSON. It prints `{"ready": …}` once
every viewer is where it waits for what is new, and a `Seen` when all have got what they expect,
another line comes, or time is up.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, cast

import uvloop
from tests.bench.dialects import DIALECTS
from tests.bench.figures import percentile
from tests.bench.processes import Child, running

MARK = b'"seq":'
_RECORD = re.compile(rb'"sent":(\d+),(?:"id":"[0-9-]+",)?"seq":(\d+)}')


@dataclass(frozen=True, slots=True)
class Plan:
    """Who connects where, and what each one is to get."""

    dialect: str
    ports: Sequence[int]
    """Viewers connect to the first; who loses it comes back to the second."""
    executions: Sequence[str]
    """Viewer n watches execution n, from the first again when there are no more."""
    viewers: int
    expected: int
    """Records, for each viewer."""
    after: str = "$"
    """Where they begin; empty for the start of the history."""
    sample_every: int = 10
    """Each so-manieth viewer keeps everything, to be checked afterwards."""
    connecting: int = 40
    """So many at a time: a crowd at the door is not what is measured, mostly."""
    come_back_seconds: float = 0.5
    """Who lost its gateway comes back after a time drawn between 0 and this."""
    deadline_seconds: float = 60.0
    """For connecting, and again for what comes then."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What all viewers got, together."""

    records: int
    bytes: int
    seconds: float
    """From before the first connect until the last record."""
    last_ns: int
    """When the last record came, on the monotonic clock."""
    caught_up_ns: int
    """When the last of those who had to come back stood at the head again; 0 if none had to."""
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    """From publishing to receiving, over the sampled viewers."""
    cpu_seconds: float
    """Of this process, once all were ready; near its wall time, it is the bottleneck."""
    lost: int
    """Records that did not come, over all viewers."""
    repeated: int
    """Records that came twice, over the sampled viewers."""
    disordered: int
    """Sampled viewers that did not get their records in order."""
    checked: int
    """Records whose place in the order was looked at."""
    cut: int
    """Connections that a server ended while the viewer still waited, and did not come back."""


@contextmanager
def watching(plan: Plan) -> Iterator[Child]:
    """Run the viewers of *plan* in a process of their own."""
    with running("tests.bench.viewers") as child:
        child.say(json.dumps(asdict(plan)))
        yield child


def wait_until_ready(child: Child) -> float:
    """Wait until every viewer stands at the head, and say how many seconds that took.

    Raises RuntimeError for one that never does.
    """
    answer = child.answer()
    if "ready" not in answer:
        raise RuntimeError(f"{answer}, expected every viewer to be let in and caught up")
    return float(answer["ready"])


def seen_by(child: Child) -> Seen:
    """Wait for what the viewers saw."""
    return Seen(**child.answer())


class _Viewer(asyncio.Protocol):
    """One viewer: counts marks, keeps its chunks if sampled. Parses nothing on arrival."""

    def __init__(self, crowd: _Crowd, number: int, sampled: bool) -> None:
        self._crowd = crowd
        self.execution = crowd.plan.executions[number % len(crowd.plan.executions)]
        self.chunks: list[tuple[int, bytes]] | None = [] if sampled else None
        self.records = self.bytes = 0
        self.begin(crowd.plan.after)

    def begin(self, after: str) -> None:
        """Be a new connection, which begins *after*."""
        self._talk = DIALECTS[self._crowd.plan.dialect](self.execution, after)
        self._rest, self._ready = b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if opening := self._talk.opening():
            self._transport.write(opening)

    def data_received(self, data: bytes) -> None:
        if answer := self._talk.received(data):
            self._transport.write(answer)
        if not self._ready and self._talk.ready:
            self._ready = True
            self._crowd.one_is_ready()
        if self.chunks is not None:
            self.chunks.append((time.monotonic_ns(), data))
        joined = self._rest + data
        self.records += joined.count(MARK)
        self.bytes += len(data)
        self._rest = joined[1 - len(MARK) :]
        if self.records >= self._crowd.plan.expected:
            self._crowd.satisfied(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.lost(self, self._talk.place())

    def seen(self) -> Iterator[tuple[int, float]]:
        """List the seq and the milliseconds under way of every record kept."""
        rest = b""
        for at, chunk in self.chunks or ():
            data, place = rest + chunk, 0
            for match in _RECORD.finditer(data):
                yield int(match[2]), (at - int(match[1])) / 1e6
                place = match.end()
            rest = data[max(place, len(data) - 2048) :]


class _Crowd:
    """All viewers of this process."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._unready = 0
        self._viewers = [_Viewer(self, i, i % plan.sample_every == 0) for i in range(plan.viewers)]
        self._waiting = set(self._viewers)
        self.ready, self.done = asyncio.Event(), asyncio.Event()
        self._ended, self._ready_seconds, self._used, self._cut = 0, 0.0, 0.0, 0
        self._cpu, self._caught_up = 0.0, 0
        self._coming = set[asyncio.Task[None]]()

    async def watch(self) -> Seen:
        """Connect, and wait until all have what they expect."""
        started = time.monotonic_ns()
        try:
            async with asyncio.timeout(self.plan.deadline_seconds):
                await self._connect()
                self._ready_seconds = (time.monotonic_ns() - started) / 1e9
                self._used = time.process_time()
                print(json.dumps({"ready": self._ready_seconds}), flush=True)
            async with asyncio.timeout(self.plan.deadline_seconds):
                asyncio.get_running_loop().add_reader(sys.stdin, self._end)
                await self.done.wait()
        except TimeoutError:
            self._end()
        return self._seen(started)

    async def _connect(self) -> None:
        for i in range(0, self.plan.viewers, self.plan.connecting):
            some = self._viewers[i : i + self.plan.connecting]
            self._unready = len(some)
            self.ready.clear()
            await asyncio.gather(*(self._connect_one(viewer, 0) for viewer in some))
            await self.ready.wait()

    async def _connect_one(self, viewer: _Viewer, port: int) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: viewer, "127.0.0.1", self.plan.ports[port])

    def one_is_ready(self) -> None:
        """Note that a viewer stands at the head."""
        self._unready -= 1
        if self._ready_seconds:
            self._caught_up = time.monotonic_ns()
        if not self._unready:
            self.ready.set()

    def satisfied(self, viewer: _Viewer) -> None:
        """Note that a viewer has all it expects."""
        self._waiting.discard(viewer)
        if not self._waiting:
            self._end()

    def _end(self) -> None:
        if not self.done.is_set():
            self._ended, self._cpu = time.monotonic_ns(), time.process_time() - self._used
            self.done.set()

    def lost(self, viewer: _Viewer, place: str) -> None:
        """Come back to the second gateway, if there is one and something to wait for."""
        if viewer not in self._waiting or self.done.is_set():
            return
        if len(self.plan.ports) < 2:
            self._cut += 1
            self.satisfied(viewer)
            return
        task = asyncio.get_running_loop().create_task(self._come_back(viewer, place))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _come_back(self, viewer: _Viewer, place: str) -> None:
        await asyncio.sleep(random.uniform(0, self.plan.come_back_seconds))
        viewer.begin(place or self.plan.after)
        try:
            await self._connect_one(viewer, 1)
        except OSError:  # it is not there yet
            self.lost(viewer, place)

    def _seen(self, started: int) -> Seen:
        sampled = [list(v.seen()) for v in self._viewers if v.chunks is not None]
        latencies = sorted(ms for viewer in sampled for _, ms in viewer)
        seqs = [[seq for seq, _ in viewer] for viewer in sampled]
        return Seen(
            records=sum(v.records for v in self._viewers),
            bytes=sum(v.bytes for v in self._viewers),
            seconds=(self._ended - started) / 1e9,
            last_ns=self._ended,
            caught_up_ns=self._caught_up,
            p50_ms=percentile(latencies, 0.5),
            p99_ms=percentile(latencies, 0.99),
            p999_ms=percentile(latencies, 0.999),
            max_ms=latencies[-1] if latencies else 0.0,
            cpu_seconds=self._cpu,
            lost=sum(max(0, self.plan.expected - v.records) for v in self._viewers),
            repeated=sum(len(each) - len(set(each)) for each in seqs),
            disordered=sum(each != sorted(each) for each in seqs),
            checked=len(latencies),
            cut=self._cut,
        )


async def _main(plan: Plan) -> None:
    gc.disable()  # a pause here would be taken for one of the server
    print(json.dumps(asdict(await _Crowd(plan).watch())), flush=True)


def _plan(text: str) -> Plan:
    fields: dict[str, Any] = json.loads(text)
    return Plan(**fields)


if __name__ == "__main__":
    uvloop.run(_main(_plan(sys.stdin.readline())))
