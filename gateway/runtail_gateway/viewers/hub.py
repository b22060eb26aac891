"""Keep one tail for every execution that somebody of this process watches, and none else."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from runtail_broker.archives.archive import Archive
from runtail_broker.audience import Audience
from runtail_broker.connections.client import Nodes
from runtail_broker.connections.ending import end
from runtail_broker.connections.live import Live, LiveSettings
from runtail_broker.cursor import START
from runtail_broker.errors import InvalidFrame, NewerFormat, RuntailError
from runtail_broker.executions import Executions
from runtail_broker.log_reader import LogReader
from runtail_broker.notes import Notes
from runtail_broker.records.entry import DELETED, VIEWERS, Entry
from runtail_broker.script import Answer, cancel_call
from runtail_broker.state import ExecutionState
from runtail_gateway.executions.list_watch import ListWatch, tell_all
from runtail_gateway.keeping.leases import Unchanged
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.notes.watch import NotesWatch
from runtail_gateway.protocol.message import plain
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.pages import PageCache
from runtail_gateway.viewers.shared_tail import SharedTail
from runtail_gateway.viewers.viewer_counts import ViewerCounts

log = logging.getLogger("runtail.gateway")
_TICK_SECONDS = 1.0
_BEATS_AT_ONCE = 50


class Hub:
    """All tails of a gateway process. Use as an async context manager, within one event loop."""

    def __init__(
        self,
        nodes: Nodes,
        settings: GatewaySettings,
        metrics: Metrics,
        archive: Archive | None = None,
    ) -> None:
        self.reader = LogReader(nodes, archive, replicas=settings.replay_from_replicas)
        self.executions = Executions(nodes)
        self._nodes, self._settings, self.metrics = nodes, settings, metrics
        self._pages = PageCache(settings.page_cache_bytes)
        self._live = Live(nodes, self, LiveSettings.hearing_within(settings.probe_timeout_seconds))
        self.list_watch = ListWatch(self.executions, self._want_changes, settings)
        self.notes_watch = NotesWatch(Notes(nodes), self._want_notes)
        self._tails: dict[str, SharedTail] = {}
        keep_seconds = max(4 * settings.beat_seconds, 2 * settings.viewers_seconds)
        audience = Audience(nodes, keep_seconds)
        self.counts = ViewerCounts(audience, self.watchers, settings.viewers_seconds)
        self._seen = Unchanged()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Hub:
        await self._tasks.__aenter__()
        await self._live.__aenter__()
        self._starting = self._tasks.create_task(self._start_live())
        self._timer = self._tasks.create_task(self._tick())
        self._watching = self._tasks.create_task(self.list_watch.run())
        self._noting = self._tasks.create_task(self.notes_watch.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._starting, self._timer, self._watching, self._noting)
        for tail in self._tails.values():
            tail.close()
        await self.counts.close()
        await self._live.__aexit__()
        await self._tasks.__aexit__(None, None, None)

    @contextmanager
    def watch(self, execution_id: str) -> Iterator[SharedTail]:
        """Share the tail of *execution_id*; it goes when its last viewer has left."""
        tail = self._tails.get(execution_id)
        if tail is None:
            tail = self._tails[execution_id] = self._new_tail(execution_id)
            tail.doubt()
        tail.count(1)
        try:
            yield tail
        finally:
            if not tail.count(-1):
                self._drop(execution_id)

    @property
    def tails(self) -> int:
        """How many executions are tailed now."""
        return len(self._tails)

    def readers(self) -> tuple[int, int]:
        """How many executions viewers read at the head, and how many behind it."""
        at_the_head = sum(tail.followers for tail in self._tails.values())
        return at_the_head, sum(tail.viewers for tail in self._tails.values()) - at_the_head

    def watched(self) -> list[str]:
        """List the executions that are tailed now."""
        return list(self._tails)

    def silent_seconds(self) -> float:
        """How long the live links have not heard their own probes."""
        return self._live.silent_seconds()

    def deaf_seconds(self) -> float:
        """How long no live link has heard its own probe."""
        return self._live.deaf_seconds()

    def round_trip_seconds(self) -> float:
        """How long the last probe took from its publishing until it was heard; the slowest one."""
        return self._live.round_trip_seconds()

    async def contact_seconds(self) -> float:
        """Ask for how long there has been uninterrupted contact with the same primaries."""
        await self._live.confirm()
        return self._live.contact_seconds()

    async def cancel(self, execution_id: str, reason: str) -> Answer:
        """Ask the workers of *execution_id* to stop."""
        answer = await self._nodes.run(cancel_call(execution_id, reason))
        await tell_all(self._nodes, [execution_id])
        return answer

    # --- what the live links call -------------------------------------------------------------

    def message(self, execution_id: str, payload: bytes) -> None:
        """Take a frame that was heard."""
        self.metrics.live_messages.inc()
        tail = self._tails.get(execution_id)
        if tail is None:
            return None
        if payload == VIEWERS:
            return self.counts.heard(execution_id)
        if payload == DELETED:
            return tail.doubt()
        try:
            tail.hear(Entry.from_live(payload))
        except (InvalidFrame, NewerFormat) as error:
            log.warning("live message of %s: %s", execution_id, error)
            tail.doubt()

    def fresh(self, execution_id: str) -> None:
        """Prove and re-read: a subscription was confirmed."""
        tail = self._tails.get(execution_id)
        if tail is not None:
            tail.subscribed()

    def noted(self, execution_id: str) -> None:
        """Hear that its notes changed, or may have."""
        self.notes_watch.noted(execution_id)

    def unheard(self, execution_id: str) -> None:
        """Read what is not heard while a slot moves."""
        tail = self._tails.get(execution_id)
        if tail is not None:
            tail.doubt()

    def changed(self, execution_ids: list[str]) -> None:
        """Hear that these changed."""
        self.list_watch.changed(execution_ids)

    def changes_fresh(self) -> None:
        """Look at the list: what changed before was not heard."""
        self.list_watch.look_at_all()

    async def _want_notes(self, execution_id: str, wanted: bool) -> None:
        await self._live.want_notes(execution_id, wanted=wanted)

    async def _want_changes(self, wanted: bool) -> None:
        await self._live.want_changes(wanted=wanted)

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
        tick = min(_TICK_SECONDS, self._settings.beat_seconds)
        while True:
            await asyncio.sleep(tick)
            now = time.monotonic()
            self._seen.keep(self._tails)
            due = {name: due.get(name, now + tick * random.uniform(1, 2)) for name in self._tails}
            changed = self.counts.due(now)
            due |= {name: now for name in changed if name in self._tails}
            if self.silent_seconds() < self._settings.probe_timeout_seconds:
                await self.counts.let_go([name for name in changed if name not in self._tails])
            names = [name for name, at in due.items() if at <= now]
            for name in names:
                due[name] = now + self._settings.beat_seconds + random.uniform(-2, 2)
            for start in range(0, len(names), _BEATS_AT_ONCE):  # they ask together
                some = names[start : start + _BEATS_AT_ONCE]
                await asyncio.gather(*map(self._beat, some))

    async def _beat(self, execution_id: str) -> None:
        try:
            await self._look_after(execution_id)
        except RuntailError as error:
            log.info("beat of %s without a look at its state: %s", execution_id, error)
        except Exception:  # what one execution holds must not stop the beats of others
            log.exception("beat of %s without a look at its state", execution_id)

    async def _look_after(self, execution_id: str) -> None:
        """Compare the tail with the state, and send a beat.

        The beat comes also while the engine is away: it says that the gateway lives.
        """
        tail = self._tails.get(execution_id)
        if tail is None:
            return  # its last viewer left while another one was looked after
        workers: dict[str, int] | None = None
        try:
            if self._live.silent_seconds_of(execution_id) < self._settings.probe_timeout_seconds:
                state, bounds = await self.executions.look(execution_id)
                tail.compare(bounds)  # a lost last message is noticed here
                workers = None if state is None else await self._workers(execution_id, state)
                await self.counts.look(execution_id)
            else:
                tail.doubt()
        except RuntailError:
            tail.doubt()
            raise
        finally:
            at = tail.cursor or START
            quiet_ms = int((time.monotonic() - tail.heard_at) * 1000)
            beat = {"cursor": str(at), "quiet_ms": quiet_ms, "workers": workers}
            tail.tell(plain("beat", beat | {"viewers": self.counts.of(execution_id)}, at))

    async def _workers(self, execution_id: str, state: ExecutionState) -> dict[str, int]:
        """Count who has the execution open and who is silent."""
        return {"open": state.workers.open, "silent": await self._silent(execution_id, state)}

    async def _silent(self, execution_id: str, state: ExecutionState) -> int:
        """Count the open publishers that are marked lost or were seen unchanged for a lease."""
        if not state.workers.open:
            return 0
        publishers = [p for p in await self.executions.publishers(execution_id) if p.open]
        now = time.monotonic()
        since = self._seen.see(execution_id, {p.id: p.entry for p in publishers}, now)
        return sum(p.lost or now - since[p.id] > self._settings.lease_seconds for p in publishers)

    def _new_tail(self, execution_id: str) -> SharedTail:
        return SharedTail(
            execution_id,
            self.reader,
            self._pages,
            self._settings,
            self.metrics,
            partial(self._live.want, execution_id),
        )

    def watchers(self, execution_id: str) -> int:
        """How many watch an execution here."""
        tail = self._tails.get(execution_id)
        return 0 if tail is None else tail.viewers

    def _drop(self, execution_id: str) -> None:
        self._tails.pop(execution_id).close()
        self._pages.forget(execution_id)
        self._live.drop(execution_id)
