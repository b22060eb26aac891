"""Alert people of what their rules name: one gateway at a time does.

What is decided lies in `alert_watch`; here is when to look and what to call. What was found is kept
as to be sent before it is sent, and as sent after that was answered: who holds the work next sends
what is left, if need be once more, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Self, TypeAlias

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.ending import end
from runtail_broker.connections.shared_link import Command
from runtail_broker.executions import Executions, Look
from runtail_broker.inventory import Inventory
from runtail_broker.keys import ExecutionKeys
from runtail_broker.stream import StreamReader
from runtail_broker.tally import FIELDS, Tally
from runtail_gateway.alerts.composer import Composer, row_of
from runtail_gateway.alerts.metrics import AlertMetrics
from runtail_gateway.alerts.rules import AlertRules, Rule
from runtail_gateway.alerts.scan import Scan
from runtail_gateway.alerts.store import MOST_WAITING, AlertStore, Row, superfluous
from runtail_gateway.alerts.usual import Usual
from runtail_gateway.alerts.watch import HORIZON_MS, Firing, Holds, Watch, failing, holds
from runtail_gateway.alerts.webhook import GIVE_UP_SECONDS, pause, send
from runtail_gateway.keeping.claimed_work import ClaimedWork
from runtail_gateway.keeping.rounds import Rounds
from runtail_gateway.settings import GatewaySettings

log = logging.getLogger("runtail.gateway")
Clock: TypeAlias = Callable[[], Awaitable[int]]
_INDEX_PARTS: Final = 32  # the newest and a moving portion of 16 buckets
_AT_ONCE: Final = 4  # messages on their way
_LEASE_TURNS: Final = 3


class Alerts(ClaimedWork):
    """Look and send now and then, if this gateway is the one that does."""

    _rounds: Rounds
    _watch: Watch | None
    _scan: Scan | None
    _rows: dict[str, Row]

    def __init__(
        self,
        nodes: Nodes,
        reader: StreamReader,
        settings: GatewaySettings,
        rules: AlertRules,
        metrics: AlertMetrics,
        clock: Clock | None = None,
    ) -> None:
        """*clock* says what time it is, in ms since 1970; the engine's unless told otherwise."""
        self._nodes, self._reader, self._settings, self._rules = nodes, reader, settings, rules
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._began = time.monotonic()
        self._metrics, self._store = metrics, AlertStore(nodes)
        self._executions, self._inventory = Executions(nodes), Inventory(nodes)
        self._now_ms = clock or self._inventory.now_ms
        self._usual = Usual(nodes, settings)
        self._composer = Composer(self._executions, reader, self._usual, rules)
        every = rules.every_seconds
        lease = max(settings.claim_seconds, every * _LEASE_TURNS)
        super().__init__(nodes, "alerts", every, lease, metrics.alerting)

    async def __aenter__(self) -> Self:
        self._began = time.monotonic()
        return await super().__aenter__()

    async def __aexit__(self, *reason: object) -> None:
        await end(*self._sending.values())
        await super().__aexit__(*reason)

    async def _work(self) -> None:
        """Look once, and send what is due."""
        now_ms = await self._now_ms()
        watch, scan = await self._ready(now_ms)
        try:
            chosen, tallies = await self._look()
            firings = await self._changes(watch, tallies, now_ms)
            firings += _of_deleted(watch, chosen, tallies, now_ms)
            since = {rule.name: watch.since(rule, now_ms) for rule in watch.rules}
            matches, places = await scan.look(tallies, since, now_ms)
            workflows = {tally.id: tally.workflow_id for tally in tallies}
            seqs: dict[str, int] = {}
            for match in matches:
                found = Holds("text", match.at_ms)
                workflow = workflows[match.execution_id]
                firing = watch.look(match.rule, match.execution_id, workflow, found, now_ms)
                if firing is not None:
                    firings.append(firing)
                    seqs[firing.id] = match.seq
            if not self._claim.held:
                return
            firings.sort(key=lambda firing: firing.event_ms)  # the first is sent, others held back
            kept = [firing for firing in firings if await self._keep(watch, firing, seqs)]
            if len(kept) == len(firings):  # else they are found again
                await self._store.note_places(places)
                scan.places |= places
                looks = [_look_of(each, scan.is_through(each, now_ms)) for each in tallies]
                self._rounds.saw(chosen, looks)
            await self._tidy(watch, scan, now_ms)
            self._send_due(now_ms)
        except BaseException:
            self._watch = None  # what was stored is not known now: read it again
            raise

    async def _ready(self, now_ms: int) -> tuple[Watch, Scan]:
        if self._watch is None or self._scan is None:
            self._watch = Watch(self._rules.rules, await self._store.memory())
            self._scan = Scan(self._reader, self._rules.rules, await self._store.places())
            self._rows = await self._store.rows()
        # new rules look from the start of this process on, not from its first turn
        fresh = self._watch.begin(now_ms - int((time.monotonic() - self._began) * 1000))
        if fresh:
            await self._store.keep(fresh)
        return self._watch, self._scan

    async def _look(self) -> tuple[list[str], list[Tally]]:
        """Read the newest, some in turn, and those that are known to run."""
        rounds = self._rounds
        newest = await self._executions.listed(0, rounds.newest)
        portion = await self._executions.listed(rounds.offset, rounds.portion)
        watch = self._watch
        opened = [] if watch is None else _open_executions(watch)
        chosen = rounds.choose(newest, portion, opened)
        read = await self._executions.read_all(chosen, _read_tally)
        tallies = (_tally(name, values) for name, values in read.items())
        return chosen, [tally for tally in tallies if tally is not None]

    async def _changes(self, watch: Watch, tallies: Sequence[Tally], now_ms: int) -> list[Firing]:
        rules = watch.rules
        slow = any(rule.when == "slow" for rule in rules)
        medians = await self._usual.medians(now_ms) if slow else {}
        found = [
            watch.look(
                rule,
                tally.id,
                tally.workflow_id,
                holds(rule, tally, now_ms, medians.get(tally.workflow_id)),
                now_ms,
            )
            for tally in tallies
            for rule in rules
            if rule.when not in ("text", "error_rate") and rule.concerns(tally.workflow_id)
        ]
        for rule in rules:
            if rule.when == "error_rate":
                found += await self._rates(watch, rule, now_ms)
        return [firing for firing in found if firing is not None]

    async def _rates(self, watch: Watch, rule: Rule, now_ms: int) -> list[Firing | None]:
        counted = failing(rule, await self._usual.tallies(now_ms), now_ms)
        told = [
            watch.look(rule, name or "", name, Holds(str(each["last_failed_ms"]), now_ms), now_ms)
            for name, each in counted.items()
        ]
        over = [name for name in watch.open_subjects(rule) if (name or None) not in counted]
        return told + [watch.look(rule, name, name or None, None, now_ms) for name in over]

    async def _keep(self, watch: Watch, firing: Firing, seqs: dict[str, int]) -> bool:
        """Keep that *firing* is to be told; False if it must wait because too much does."""
        firing = watch.weighed(firing)
        memory = watch.told(firing)
        rows: list[Row] = []
        bodies: dict[str, bytes] = {}
        if firing.silent:
            state = "resolved" if firing.turn == "resolved" else "silenced"
            rows = [replace(await self._composer.row(firing), state=state)]
        else:
            waiting = sum(row.state == "pending" for row in self._rows.values())
            if waiting + len(firing.rule.to) > MOST_WAITING:
                self._metrics.put_off.inc()
                return False
            told = await self._composer.message(firing, seqs.get(firing.id))
            for name in firing.rule.to:
                row = row_of(firing, name, told["text"])
                rows.append(row)
                bodies[row.key] = self._composer.body(told, self._rules.webhooks[name])
        await self._store.keep(memory, rows, bodies)
        watch.keep(memory)
        self._rows |= {row.key: row for row in rows}
        self._metrics.fired(firing.rule.when)
        return True

    async def _tidy(self, watch: Watch, scan: Scan, now_ms: int) -> None:
        memory, rows = watch.forget(now_ms), superfluous(self._rows)
        places = scan.old(now_ms - 2 * HORIZON_MS)
        if memory or rows or places:
            await self._store.drop(memory, rows, places)
        for key in rows:
            del self._rows[key]
        for name in places:
            del scan.places[name]

    # --- sending --------------------------------------------------------------------------------

    def _send_due(self, now_ms: int) -> None:
        waiting = sorted(
            (row.next_ms, row.at_ms, key)
            for key, row in self._rows.items()
            if row.state == "pending" and row.next_ms <= now_ms and key not in self._sending
        )
        self._metrics.waiting.set(sum(row.state == "pending" for row in self._rows.values()))
        for _, _, key in waiting[: max(0, _AT_ONCE - len(self._sending))]:
            task = asyncio.create_task(self._deliver(self._rows[key], now_ms), name="alert")
            self._sending[key] = task
            task.add_done_callback(partial(self._gone, key))

    async def _deliver(self, row: Row, now_ms: int) -> None:
        try:
            row = await self._attempt(row, now_ms)
            await self._store.settle(row)
            self._rows[row.key] = row
        except Exception:  # whatever it is, it is tried again
            log.exception("an alert of rule %s was not sent now", row.rule)

    def _gone(self, key: str, _: object) -> None:
        del self._sending[key]

    async def _attempt(self, row: Row, now_ms: int) -> Row:
        webhook, body = self._rules.webhooks.get(row.to), await self._store.body(row)
        if webhook is None:
            trouble = f"no webhook is named {row.to!r} any more"
            return replace(row, state="given up", trouble=trouble)
        if not body:  # somebody else has sent it
            stored = (await self._store.rows()).get(row.key, row)
            return replace(row, state="sent") if stored.state == "pending" else stored
        begun = time.monotonic()
        sent = await send(webhook, row.id, body)
        if not sent.trouble:
            self._metrics.sent.inc()
            return replace(row, state="sent", attempts=row.attempts + 1, trouble="")
        self._metrics.failed.inc()
        took_ms = int((time.monotonic() - begun) * 1000)
        wait_ms = int(pause(row.attempts, sent.pause_seconds) * 1000)
        row = row.failed(sent.trouble, now_ms + took_ms + wait_ms)
        log.warning("an alert of rule %s was not taken by %s: %s", row.rule, row.to, sent.trouble)
        if row.next_ms - row.at_ms > GIVE_UP_SECONDS * 1000:
            self._metrics.given_up.inc()
            return replace(row, state="given up")
        return row

    def _forget(self) -> None:
        portion = max(1, self._settings.sweep_index // _INDEX_PARTS)
        self._rounds = Rounds(portion, self._settings.sweep_running)
        self._watch = None
        self._scan = None
        self._rows = {}
        for task in self._sending.values():
            task.cancel()  # another one sends it


def _open_executions(watch: Watch) -> list[str]:
    rules = (rule for rule in watch.rules if rule.when != "error_rate")
    return [name for rule in rules for name in watch.open_subjects(rule)]


def _of_deleted(
    watch: Watch, chosen: Sequence[str], tallies: Sequence[Tally], now_ms: int
) -> list[Firing]:
    """Nothing holds any more of what was deleted."""
    gone = set(chosen) - {tally.id for tally in tallies}
    rules = (rule for rule in watch.rules if rule.when != "error_rate")
    looks = (
        watch.look(rule, name, None, None, now_ms)
        for rule in rules
        for name in watch.open_subjects(rule)
        if name in gone
    )
    return [firing for firing in looks if firing is not None]


def _look_of(tally: Tally, is_through: bool) -> Look:
    return Look(tally.id, 0, tally.records, tally.status, 0, 0, tally.settled and is_through)


def _read_tally(name: str) -> Command:
    return ("HMGET", ExecutionKeys.of(name).state, *FIELDS)


def _tally(name: str, values: Sequence[bytes | None]) -> Tally | None:
    try:
        return Tally.read(name, values)
    except ValueError:
        return None  # what no script has written: figures warn of it
