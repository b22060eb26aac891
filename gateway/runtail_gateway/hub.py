"""Keep one tail for every execution that somebody of this process watches, and none else."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from runtail_broker.client import Nodes
from runtail_broker.cursor import START
from runtail_broker.ending import end
from runtail_broker.entry import Entry
from runtail_broker.errors import InvalidFrame, RuntailError
from runtail_broker.executions import Executions, Publisher
from runtail_broker.live import Live, LiveSettings
from runtail_broker.record import TERMINAL
from runtail_broker.script import finish_call
from runtail_broker.state import ExecutionState
from runtail_broker.stream import StreamReader
from runtail_gateway.message import plain
from runtail_gateway.metrics import Metrics
from runtail_gateway.pages import PageCache
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.shared_tail import SharedTail

log = logging.getLogger("runtail.gateway")


class Hub:
    """All tails of a gateway process. Use as an async context manager, within one event loop."""

    def __init__(self, nodes: Nodes, settings: GatewaySettings, metrics: Metrics) -> None:
        self.reader = StreamReader(nodes)
        self.executions = Executions(nodes)
        self._nodes, self._settings, self._metrics = nodes, settings, metrics
        self._pages = PageCache(settings.page_cache_bytes)
        self._live = Live(
            nodes, self, LiveSettings(probe_timeout_seconds=settings.probe_timeout_seconds)
        )
        self._tails: dict[str, SharedTail] = {}
        self._watchers: dict[str, int] = {}
        self._beats: dict[str, _Lease] = {}
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Hub:
        await self._tasks.__aenter__()
        self._starting = self._tasks.create_task(self._start_live())
        self._timer = self._tasks.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._starting, self._timer)
        for tail in self._tails.values():
            tail.close()
        await self._live.__aexit__()
        await self._tasks.__aexit__(None, None, None)

    @asynccontextmanager
    async def watch(self, execution_id: str) -> AsyncIterator[SharedTail]:
        """Share the tail of *execution_id*; it goes when its last viewer has left."""
        self._watchers[execution_id] = self._watchers.get(execution_id, 0) + 1
        try:
            tail = self._tails.get(execution_id)
            if tail is None:
                tail = self._tails[execution_id] = self._new_tail(execution_id)
                tail.doubt()
            yield tail
        finally:
            await self._unwatch(execution_id)

    @property
    def tails(self) -> int:
        """How many executions are tailed now."""
        return len(self._tails)

    def silent_seconds(self) -> float:
        """How long the live links have not heard their own probes."""
        return self._live.silent_seconds()

    # --- what the live links call -------------------------------------------------------------

    def message(self, execution_id: str, payload: bytes) -> None:
        """Take a frame that was heard."""
        self._metrics.live_messages.inc()
        tail = self._tails.get(execution_id)
        if tail is None:
            return
        try:
            tail.hear(Entry.from_live(payload))
        except InvalidFrame as error:
            log.warning("live message of %s: %s", execution_id, error)
            tail.doubt()

    def fresh(self, execution_id: str) -> None:
        """Prove and re-read: a subscription was confirmed."""
        tail = self._tails.get(execution_id)
        if tail is not None:
            tail.subscribed()

    # --- what a timer does --------------------------------------------------------------------

    async def _start_live(self) -> None:
        """Link to all nodes before anybody watches, so that readiness can be told."""
        while True:
            try:
                return await self._live.start()
            except RuntailError as error:
                log.warning("the engine is away: %s", error)
                await asyncio.sleep(random.uniform(0.1, self._settings.retry_seconds))

    async def _tick(self) -> None:
        """Give each tail its beat and its comparison when they are due, a few at a time."""
        due: dict[str, float] = {}
        while True:
            await asyncio.sleep(1.0)
            self._metrics.tails.set(len(self._tails))
            self._metrics.probe_age.set(min(self.silent_seconds(), 1e9))
            now = time.monotonic()
            self._beats = {n: lease for n, lease in self._beats.items() if n in self._tails}
            due = {name: due.get(name, now + random.uniform(1, 2)) for name in self._tails}
            for name in [name for name, at in due.items() if at <= now]:
                due[name] = now + self._settings.beat_seconds + random.uniform(-2, 2)
                try:
                    await self._look_after(name)
                except RuntailError as error:
                    log.info("beat of %s without a look at its state: %s", name, error)

    async def _look_after(self, execution_id: str) -> None:
        """Compare the tail with the state, end what should have ended, and send a beat.

        The beat comes also while the engine is away: it says that the gateway lives.
        """
        tail = self._tails.get(execution_id)
        if tail is None:
            return  # its last viewer left while another one was looked after
        tail.doubt()  # a lost last message is noticed here
        workers: dict[str, int] | None = None
        try:
            if self.silent_seconds() < self._settings.probe_timeout_seconds:
                workers = await self._workers(execution_id)
        finally:
            at = tail.cursor or START
            quiet_ms = int((time.monotonic() - tail.heard_at) * 1000)
            beat = {"cursor": str(at), "quiet_ms": quiet_ms, "workers": workers}
            tail.tell(plain("beat", beat, at))

    async def _workers(self, execution_id: str) -> dict[str, int] | None:
        """Count who has the execution open and who is silent; None when it does not exist."""
        state = await self.executions.state(execution_id)
        if state is None:
            return None
        await self._end_if_forgotten(state)
        return {"open": state.workers.open, "silent": await self._silent(execution_id, state)}

    async def _silent(self, execution_id: str, state: ExecutionState) -> int:
        """Count the open publishers whose beat this process saw unchanged for a whole lease."""
        if not state.workers.open:
            return 0
        lease = self._beats.setdefault(execution_id, _Lease())
        publishers = await self.executions.publishers(execution_id)
        return lease.silent(publishers, time.monotonic(), self._settings.lease_seconds)

    async def _end_if_forgotten(self, state: ExecutionState) -> None:
        """Append the `end` record if the process that should have done it is gone.

        Only after uninterrupted contact with one primary for longer than a split brain lasts:
        publishers whose opening was lost in a failover come back within that time.
        """
        forgotten = state.status in TERMINAL and not state.ended and not state.workers.open
        if forgotten and self._live.contact_seconds() > self._settings.settle_seconds:
            await self._nodes.run_all([finish_call(state.id)], replicated=True)

    def _new_tail(self, execution_id: str) -> SharedTail:
        return SharedTail(
            execution_id,
            self.reader,
            self._pages,
            self._settings,
            self._metrics,
            partial(self._live.want, execution_id),
        )

    async def _unwatch(self, execution_id: str) -> None:
        self._watchers[execution_id] -= 1
        if self._watchers[execution_id]:
            return
        del self._watchers[execution_id]
        tail = self._tails.pop(execution_id, None)
        if tail is not None:
            tail.close()
            self._pages.forget(execution_id)
            try:
                await self._live.drop(execution_id)
            except RuntailError as error:
                log.info("not unsubscribed from %s: %s", execution_id, error)


class _Lease:
    """Remember since when each publisher's beat has been what it is, by this process's clock."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}

    def silent(self, publishers: list[Publisher], now: float, lease_seconds: float) -> int:
        """Count those open whose beat has not changed for *lease_seconds*."""
        known = self._seen
        self._seen = {
            p.id: known[p.id] if known.get(p.id, (-1, 0.0))[0] == p.beat else (p.beat, now)
            for p in publishers
            if p.open
        }
        return sum(now - since > lease_seconds for _, since in self._seen.values())
