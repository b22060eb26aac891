"""Make one round trip for the journals of one node: seal, ask, open, take the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from runtail import debugging
from runtail.delivery.announcer import Announcer
from runtail.delivery.ask import Ask
from runtail.delivery.backoff import AskedToWait, Backoff, RareWarnings
from runtail.delivery.buffer import Buffer
from runtail.delivery.journal import Journal
from runtail.delivery.link import Link
from runtail.delivery.spill import Spill
from runtail.settings import PublisherSettings
from runtail_broker.acks import Acks
from runtail_broker.errors import RuntailError, Unavailable
from runtail_broker.script import Answer, Limits

Asked = tuple[Journal, Ask]

_NO_LIMITS = Limits()
_LISTED_AT_ONCE = 64
_ELSEWHERE_SECONDS = 1.0  # for what another node holds


class Lane:
    """The way to one node: at most one round trip is under way on it."""

    def __init__(
        self,
        link: Link,
        buffer: Buffer,
        settings: PublisherSettings,
        warnings: RareWarnings,
        opened: Callable[[Journal], None],
        spill: Spill | None,
    ) -> None:
        self._link, self._buffer, self._settings = link, buffer, settings
        self._warnings, self._opened, self._spill = warnings, opened, spill
        self._acks = Acks.read(settings.acks, settings.acks_seconds)
        self._waiting_since: float | None = None
        self._refused_since: dict[Journal, float] = {}
        self._delays: dict[Journal, Backoff] = {}
        self._backoff = Backoff(settings.retry_min_seconds, settings.retry_max_seconds)
        self._announcer = Announcer(link)
        self.busy = False

    def free_at(self, journal: Journal) -> float:
        """Say when *journal* may be sent for, as far as failures delay it (monotonic seconds)."""
        delay = self._delays.get(journal)
        return max(self._backoff.until, delay.until if delay else 0.0)

    def silent_for(self, journal: Journal, now: float) -> float:
        """Say for how many seconds by now the engine has taken nothing for *journal*."""
        waiting, refused = self._waiting_since, self._refused_since.get(journal)
        return now - min(now if waiting is None else waiting, now if refused is None else refused)

    async def round(self, journals: Sequence[Journal]) -> None:
        """Say once for each of *journals* what it has to say; on failure nothing is given up."""
        self.waits()
        try:
            journals, limits = await self._with_limits(journals)
            asked = self._collect(journals, limits)
            await self._send([pair for pair in asked if not pair[1].replicated])
            await self._send_replicated([pair for pair in asked if pair[1].replicated])
            await self._announcer.tell()
        except Unavailable as error:
            await self.away(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread must live on
            await self.away(error)
        else:
            self.answers()

    async def _with_limits(self, journals: Sequence[Journal]) -> tuple[Sequence[Journal], Limits]:
        """Find the limits for those that open; while another node has them and is away, leave out
        those that need them: the others must not wait."""
        opening = {journal for journal in journals if journal.is_opening}
        if not opening:
            return journals, _NO_LIMITS
        try:
            async with asyncio.timeout(_ELSEWHERE_SECONDS):
                return journals, await self._link.limits()
        except (Unavailable, TimeoutError) as error:
            for journal in opening:
                self._refused(journal, Unavailable(f"its limits were not read: {error!r}"))
            return [journal for journal in journals if journal not in opening], _NO_LIMITS

    def waits(self) -> None:
        """Note that something is asked of the engine."""
        if self._waiting_since is None:
            self._waiting_since = time.monotonic()

    def answers(self) -> None:
        """Note that the engine has answered."""
        self._waiting_since = None
        self._backoff.succeeded()

    async def away(self, error: Exception) -> None:
        """Delay everything on this node, because of *error*."""
        self.waits()
        at_least = error.seconds if isinstance(error, AskedToWait) else 0.0
        self._backoff.failed(time.monotonic(), at_least)
        self._buffer.count_error("engine")
        debugging.say("the engine is away", error=error)
        if isinstance(error, Unavailable):
            self._warnings.warn("the engine does not answer, records wait: %s", error)
        else:
            self._warnings.warn("publishing failed, records wait: %r", error)
        await self._link.look_again()

    def _collect(self, journals: Sequence[Journal], limits: Limits) -> list[Asked]:
        asked: list[Asked] = []
        now, size = time.monotonic(), 0
        for journal in journals:
            if size >= self._settings.max_call_bytes:
                break
            while journal.takes_items:
                self._seal(journal)
            if self._spill is not None:
                self._spill.bring_in(journal)
            asks = journal.asks(now, limits)
            size += sum(ask.bytes for ask in asks)
            asked += [(journal, ask) for ask in asks]
        return asked

    def _seal(self, journal: Journal) -> None:
        bounds, taken = self._link.bounds, self._buffer.take(journal)
        if bounds is None:
            journal.seal(taken)
            return
        from runtail.delivery.fitting import (  # only who publishes through a gateway pays
            fitted,
            shrunk_by,
        )

        batches = fitted(taken, bounds)
        self._buffer.shrink(shrunk_by(taken, batches))
        for batch in batches:
            journal.seal(batch)

    async def _send(self, asked: Sequence[Asked], replicated: bool = False) -> None:
        if not asked:
            return
        nodes = await self._link.nodes()
        calls = [ask.call for _, ask in asked]
        results = await nodes.run_all(calls, replicated=replicated, acks=self._acks)
        now = time.monotonic()
        for (journal, ask), result in zip(asked, results, strict=True):
            if isinstance(result, RuntailError):
                self._refused(journal, result)
            else:
                self._answered(journal, ask, result, now)

    async def _send_replicated(self, asked: Sequence[Asked]) -> None:
        """Send what a failover must not undo; finish only what this very primary saw open."""
        if not asked:
            return
        primaries = await self._link.primaries([journal.execution_id for journal, _ in asked])
        sent: list[Asked] = []
        for (journal, ask), primary in zip(asked, primaries, strict=True):
            if isinstance(primary, RuntailError):
                self._refused(journal, primary)
                continue
            if ask.kind == "open" and not journal.ever_opened:
                journal.primary = primary
            if ask.kind == "finish" and journal.primary != primary:
                journal.leave_finishing()
                continue
            sent.append((journal, ask))
        # before the opening: a listed execution that never opens is harmless, one that nobody
        # sees is not
        unlisted = await self._list([journal for journal, ask in sent if ask.kind == "open"])
        await self._send([pair for pair in sent if pair[0] not in unlisted], replicated=True)

    async def _list_one(self, journal: Journal) -> None:
        """List it, on whatever node that is; one that is away is not waited for for long."""
        try:
            async with asyncio.timeout(_ELSEWHERE_SECONDS):
                await self._link.list(journal.execution_id)
        except TimeoutError as error:
            raise Unavailable("it could not be listed: that node does not answer") from error

    async def _list(self, opening: Sequence[Journal]) -> set[Journal]:
        """List what opens; return those that the engine refused to list."""
        refused: set[Journal] = set()
        for start in range(0, len(opening), _LISTED_AT_ONCE):
            some = opening[start : start + _LISTED_AT_ONCE]
            results = await asyncio.gather(*map(self._list_one, some), return_exceptions=True)
            for journal, result in zip(some, results, strict=True):
                if isinstance(result, RuntailError):
                    self._refused(journal, result)
                    refused.add(journal)
                elif result is not None:
                    raise result
        return refused

    def _answered(self, journal: Journal, ask: Ask, answer: Answer, now: float) -> None:
        was_open = journal.ever_opened
        self._announcer.note(journal, ask, answer, now)
        if debugging.on:
            name, publisher = journal.execution_id, journal.publisher
            debugging.say(ask.kind, execution=name, publisher=publisher, answer=answer)
        self._refused_since.pop(journal, None)
        for sealed in journal.answered(ask, answer, now):
            self._buffer.settle(sealed)
        if journal.full:
            self._warnings.warn(
                "execution %s has too many publishers; waiting", ask.call.execution_id
            )
            self._delay(journal)
        else:
            self._delays.pop(journal, None)
        if journal.ever_opened and not was_open:
            self._tell_name(journal)
            self._opened(journal)

    def _tell_name(self, journal: Journal) -> None:
        if journal.execution_id != journal.asked_id:
            self._warnings.warn(
                "execution %s has finished before; its records go to %s",
                journal.asked_id,
                journal.execution_id,
            )

    def _refused(self, journal: Journal, error: RuntailError) -> None:
        self._delay(journal)
        self._refused_since.setdefault(journal, time.monotonic())
        self._buffer.count_error("engine")
        debugging.say("refused", execution=journal.execution_id, error=error)
        self._warnings.warn(
            "the engine did not take the records of execution %s: %s", journal.execution_id, error
        )

    def _delay(self, journal: Journal) -> None:
        settings = self._settings
        fresh = Backoff(settings.retry_min_seconds, settings.retry_max_seconds)
        self._delays.setdefault(journal, fresh).failed(time.monotonic())
