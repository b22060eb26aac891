"""Carry what the journals ask to the engine, from one background thread with its own event loop.

A self-clocking group commit: a node with nothing in flight is sent to at once; what comes while an
answer is awaited goes out together when it has arrived. No timer. The thread is the publisher's
own, so that a worker that blocks (or blocks its event loop) still beats.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from runtail import debugging
from runtail.delivery.backoff import RareWarnings
from runtail.delivery.buffer import Buffer
from runtail.delivery.held import Held
from runtail.delivery.journal import Journal
from runtail.delivery.lane import Lane
from runtail.delivery.link import ExitProofLoop, Finder, Link
from runtail.delivery.spill import Spill
from runtail.settings import PublisherSettings
from runtail_broker.connections.ending import end
from runtail_broker.errors import RuntailError

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from runtail.delivery.http_nodes import HttpNodes, Token

Node: TypeAlias = "Redis | HttpNodes"
T = TypeVar("T")
_MAX_JOURNALS = 256  # in one round trip, so that no answer takes long
_SWEEPS_A_BEAT = 4  # how often all journals are looked at for a beat that is due
_SPILL_LOOK_SECONDS = 0.1
_SLOW_SECONDS = 0.25  # an engine that is silent for so long is no help against a buffer that fills

# In a forked child: what its parent's thread used. Collected, it would unregister the parent's
# sockets from the epoll that both share.
_LEFT_BEHIND: Final[list[object]] = []


@dataclass(slots=True)
class _Flush:
    """A wait until all that was added before is stored, and who was leaving has left."""

    until: dict[Journal, tuple[int, bool]]
    done: Future[bool] = field(default_factory=Future)

    def look(self) -> bool:
        """Tell, and return, whether the wait is over."""
        self.until = {
            journal: (added, leaving)
            for journal, (added, leaving) in self.until.items()
            if not journal.has_settled(added, leaving)
        }
        if not self.until:
            _resolve(self.done, True)
        return self.done.done()


class Courier:
    """Bring the journals of one publisher up to date with the engine, whatever the engine does.

    The public methods may be called from any thread; only `stop` waits.
    """

    def __init__(
        self,
        buffer: Buffer,
        held: Held,
        settings: PublisherSettings,
        find: Finder,
        started: Callable[[], None],
        token: Token | None = None,
    ) -> None:
        self._token = token
        self._started = started  # called in each process in which the thread starts
        self._buffer, self._held, self._settings, self._find = buffer, held, settings, find
        self._warnings = RareWarnings(logging.getLogger("runtail"), settings.warning_seconds)
        self._journals: dict[Journal, Future[str]] = {}
        self._inherited: dict[Journal, Future[str]] = {}  # in a forked child, until it uses them
        self._spill: Spill | None = None
        self._stopping = False
        self._begin()

    def begin_anew(self, spill: Spill | None) -> None:
        """Forget everything, as a forked process must; the thread starts when it is needed."""
        if self._spill is not None:
            self._spill.abandon()
        _LEFT_BEHIND.append((self._link, self._lanes, self._loop, self._flushes))
        # who waits for an opening holds its future: it must be one without the parent's locks
        for opened in self._journals.values():
            Future.__init__(opened)
        self._inherited, self._journals = {**self._inherited, **self._journals}, {}
        self._spill = spill
        self._begin()

    def _begin(self) -> None:
        self._link = Link(self._find, self._settings, self._token)
        self._called: deque[Journal] = deque()
        self._delayed: deque[tuple[float, Callable[[], None]]] = deque()
        self._flushes: deque[_Flush] = deque()
        self._work: set[Journal] = set()
        self._lanes: dict[Node | None, Lane] = {}
        self._lane_of: dict[Journal, Lane] = {}
        self._retried = 0  # by journals that are forgotten
        self._dropped_before = 0
        self._next_sweep = 0.0
        self._sleeping = True  # so that the first record wakes
        self._spills: deque[Future[None]] = deque()
        self._callbacks: deque[tuple[Journal, Callable[[], object]]] = deque()
        self._wake_up: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.RLock()
        self._thread: threading.Thread | None = None

    # ---- from any thread

    def enrol(self, journal: Journal) -> Future[str]:
        """Look after *journal* from now on; the result is its execution's id, once it is open."""
        opened = self._journals[journal] = self._inherited.pop(journal, Future())
        self._called.append(journal)
        self.start()
        self._wake()
        return opened

    def start(self, spill: Spill | None = None) -> None:
        """Start the thread, if that was not done before; *spill* is what it looks after."""
        with self._starting:
            self._spill = spill or self._spill
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._live, name="runtail", daemon=True)
                self._thread.start()
                self._started()

    def notice(self, journal: Journal) -> None:
        """Hear that *journal* has something to say that is no record."""
        leave = journal.leaving
        if journal not in self._journals:
            if leave is not None and leave.explicit:
                self.enrol(journal)
            return  # what a forked child never used it need not leave
        self._called.append(journal)
        self._wake()

    def added(self, journal: Journal) -> None:
        """Hear that *journal* got a record; costs something only while all is quiet."""
        if journal not in self._journals:  # forgotten after its end, or inherited by a fork
            self.enrol(journal)
        if self._sleeping and journal not in self._work and not self._is_busy(journal):
            self._wake()  # in the other cases the next round takes it along anyway

    def on_cancel(self, journal: Journal, callback: Callable[[], object]) -> None:
        """Call *callback* once, from the thread, when the engine says that *journal* is to stop."""
        self._callbacks.append((journal, callback))
        self._wake()

    def spill(self) -> Future[None]:
        """Begin to write down what is not stored; done at once where nothing is to spill to."""
        done: Future[None] = Future()
        if self._spill is None or self._thread is None:
            done.set_result(None)
        else:
            self._spills.append(done)
            self._wake()
        return done

    def flush(self, journals: Iterable[Journal] | None = None) -> Future[bool]:
        """Begin a wait: True once all that was added until now is stored.

        Only that of *journals* if they are given; never what other processes left behind.
        """
        chosen = self.journals if journals is None else journals
        flush = _Flush({j: (j.pending.added, j.leaving is not None) for j in chosen})
        if not flush.look():
            self._flushes.append(flush)
            self._wake()
        return flush.done

    @property
    def journals(self) -> list[Journal]:
        """This publisher's journals that are looked after."""
        return [journal for journal in list(self._journals) if not journal.taken_over]

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Call *action* from the thread after *seconds*, or when it has started; not after its end.

        It must neither block nor raise.
        """
        self._delayed.append((seconds, action))
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop was closed in this moment
                loop.call_soon_threadsafe(self._schedule)

    @property
    def retried(self) -> int:
        """How many times a batch was sent again."""
        return self._retried + sum(journal.retried for journal in self.journals)

    def stop(self, timeout: float) -> None:
        """End the thread, waiting at most *timeout* seconds; what is not stored is spilled."""
        with self._starting:
            self._stopping = True
        self._wake()
        if self._thread is not None:
            self._thread.join(timeout)

    def _wake(self) -> None:
        loop, event = self._loop, self._wake_up
        if loop is None or event is None:
            return  # before the first pass, or after the last one
        self._sleeping = False
        try:
            loop.call_soon_threadsafe(event.set)
        except RuntimeError:
            return  # the loop was closed in this moment

    # ---- in the thread

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=ExitProofLoop) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self._wake_up = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._schedule()
        rounds: set[asyncio.Task[None]] = set()
        looks = [asyncio.create_task(self._look_at_spill(s)) for s in [self._spill] if s]
        try:
            while not self._stopping:
                await self._pass(rounds)
                self._tell_flushes()
                await self._sleep(self._wake_up)
        finally:
            self._loop = None
            await end(*rounds, *looks)
            self._spill_the_rest()
            await self._link.close()
            for opened in self._journals.values():
                opened.cancel()

    def _schedule(self) -> None:
        while self._delayed:
            asyncio.get_running_loop().call_later(*self._delayed.popleft())

    async def _pass(self, rounds: set[asyncio.Task[None]]) -> None:
        """Start a round on every node that is free and has work."""
        self._sweep(time.monotonic())
        self._call_back()
        if debugging.on:
            self._say_drops()
        while self._called:
            self._work.add(self._called.popleft())
        self._work |= self._buffer.ready()
        for lane, journals in (await self._by_lane()).items():
            chosen = journals[:_MAX_JOURNALS]
            self._work.difference_update(chosen)
            lane.busy = True
            task = asyncio.create_task(self._round(lane, chosen))
            rounds.add(task)
            task.add_done_callback(rounds.discard)

    async def _by_lane(self) -> dict[Lane, list[Journal]]:
        by_lane: dict[Lane, list[Journal]] = {}
        now = time.monotonic()
        for journal in list(self._work):
            lane = self._lane_of.get(journal)
            if lane is not None and (lane.busy or lane.free_at(journal) > now):
                continue
            lane = self._lane_of[journal] = await self._find_lane(journal)
            if not lane.busy and lane.free_at(journal) <= now:
                by_lane.setdefault(lane, []).append(journal)
        return by_lane

    async def _find_lane(self, journal: Journal) -> Lane:
        nowhere = self._lane(None)
        nowhere.waits()
        if nowhere.free_at(journal) > time.monotonic():
            return nowhere
        try:
            nodes = await self._link.nodes()
            node = await nodes.node_of(journal.execution_id)
            nowhere.answers()
            return self._lane(node)
        except RuntailError as error:
            await nowhere.away(error)
            return nowhere

    def _lane(self, node: Node | None) -> Lane:
        if node not in self._lanes:
            self._lanes[node] = Lane(
                self._link, self._buffer, self._settings, self._warnings, self._opened, self._spill
            )
        return self._lanes[node]

    async def _round(self, lane: Lane, journals: list[Journal]) -> None:
        try:
            await lane.round(journals)
        finally:
            lane.busy = False
            now = time.monotonic()
            self._work.update(journal for journal in journals if journal.has_work(now))
            if self._wake_up is not None:
                self._wake_up.set()

    def _sweep(self, now: float) -> None:
        """Find the beats that are due; let go of what is held for too long."""
        if now < self._next_sweep:
            return
        self._next_sweep = now + self._settings.beat_seconds / _SWEEPS_A_BEAT
        self._held.let_go(now)
        for journal in list(self._journals):
            if journal.expired(now):
                self._forget(journal)
            elif journal.has_work(now):
                self._work.add(journal)

    def _call_back(self) -> None:
        for _ in range(len(self._callbacks)):
            journal, callback = self._callbacks.popleft()
            if not journal.cancel:
                if not journal.has_left:  # who has left is not asked to stop
                    self._callbacks.append((journal, callback))
                continue
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - the worker's own code may raise anything
                self._buffer.count_error("callback")
                self._warnings.warn("a callback of on_cancel raised %r", error)

    def _say_drops(self) -> None:
        dropped = self._buffer.counters(0).dropped
        if dropped > self._dropped_before:
            debugging.say("records were dropped", count=dropped - self._dropped_before)
        self._dropped_before = dropped

    # ---- spilling

    async def _look_at_spill(self, spill: Spill) -> None:
        """Spill while the engine is away; take over what dead processes left."""
        next_sweep = 0.0
        while True:
            now = time.monotonic()
            for journal in self.journals:
                if self._must_spill(journal, now):
                    spill.spill(journal)
                    await asyncio.sleep(0)  # lets answers and beats through
            while self._spills:
                self._spill_unsettled(spill)
                _resolve(self._spills.popleft(), None)
            if now >= next_sweep:
                next_sweep = now + self._settings.beat_seconds / _SWEEPS_A_BEAT
                spill.sweep(self._journals)
                for journal in spill.take_over():
                    self.enrol(journal)
            await asyncio.sleep(_SPILL_LOOK_SECONDS)

    def _must_spill(self, journal: Journal, now: float) -> bool:
        lane = self._lane_of.get(journal) or self._lanes.get(None)
        silent = lane.silent_for(journal, now) if lane else 0.0
        if silent >= self._settings.spill_after_seconds:
            return True
        waits = silent >= _SLOW_SECONDS or journal.waits_in_file
        return waits and self._buffer.is_nearly_full

    def _spill_unsettled(self, spill: Spill) -> None:
        for journal in self.journals:
            if not journal.has_settled(journal.pending.added, journal.leaving is not None):
                spill.spill(journal, at_exit=True)

    def _spill_the_rest(self) -> None:
        if self._spill is not None:
            self._spill_unsettled(self._spill)
            self._spill.release()
        while self._spills:
            _resolve(self._spills.popleft(), None)

    def _forget(self, journal: Journal) -> None:
        self._retried += journal.retried
        self._journals.pop(journal, None)
        self._lane_of.pop(journal, None)
        self._work.discard(journal)

    def _opened(self, journal: Journal) -> None:
        opened = self._journals.get(journal)
        if opened is not None:
            _resolve(opened, journal.execution_id)

    def _tell_flushes(self) -> None:
        for _ in range(len(self._flushes)):
            flush = self._flushes.popleft()
            if not flush.look():
                self._flushes.append(flush)

    async def _sleep(self, wake_up: asyncio.Event) -> None:
        """Sleep until there is something to do, or a wait is over."""
        self._sleeping = True
        # asked after the flag was set: who adds a record before sees no flag, who adds after wakes
        if self._stopping or self._called or self._starts_now():
            self._sleeping = False
            await asyncio.sleep(0)  # lets the rounds go on
            return
        until = self._next_event()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await wake_up.wait()
        self._sleeping = False
        wake_up.clear()

    def _starts_now(self) -> bool:
        """Whether a journal got a record since the pass, and its node is free."""
        return self._buffer.has_ready(lambda journal: not self._is_busy(journal))

    def _is_busy(self, journal: Journal) -> bool:
        lane = self._lane_of.get(journal)
        return lane is not None and lane.busy

    def _next_event(self) -> float | None:
        """When the next beat may be due or the next try after a failure is allowed."""
        if not self._journals:
            return None
        waits = [
            lane.free_at(journal)
            for journal in self._work
            if (lane := self._lane_of.get(journal)) is not None and not lane.busy
        ]
        return min([*waits, self._next_sweep])


def _resolve(future: Future[T], value: T) -> None:
    try:
        future.set_result(value)
    except InvalidStateError:
        return  # who waited has given up
