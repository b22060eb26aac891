"""Keep house: mend the list of executions and remove what is old; one gateway at a time does.

What is decided lies in `housekeeping`; here is when to look and what to call. A removal is a
compare-and-set, so two gateways that both believe to be the one do no harm.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Final

from runtail_broker.connections.client import Nodes
from runtail_broker.errors import RuntailError
from runtail_broker.executions import Executions
from runtail_broker.inventory import Inventory, Kept, KeyWalk, ListWalk
from runtail_broker.keys import INDEX_BUCKETS
from runtail_broker.script import Call, delete_call
from runtail_gateway.executions.list_watch import tell_all
from runtail_gateway.keeping.archivist import Archivist
from runtail_gateway.keeping.claimed_work import ClaimedWork, log
from runtail_gateway.keeping.each_node import run_on_each_node
from runtail_gateway.keeping.housekeeping import (
    NOTHING,
    Ages,
    Moving,
    Relist,
    Remove,
    Silence,
    Unlist,
    decide,
    put_away,
    removal,
)
from runtail_gateway.keeping.retention import WARN_SHARE, Ledger, Pressure
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.settings import GatewaySettings

_LEASE_STEPS = 3  # a gateway that died keeps others from it for so many steps at least
_MOST_SILENT = 1000  # ended executions that somebody has open, watched at a time
_ERASE_SECONDS: Final = 60.0  # longer than a deletion takes between its note and its end
_ERASE_AT_ONCE: Final = 100


class Housekeeper(ClaimedWork):
    """Keep house now and then, if this gateway is the one that does.

    *contact* asks for how many seconds there has been uninterrupted contact with the same
    primaries: who was not heard only because nobody could be heard is not silent.
    """

    def __init__(
        self,
        nodes: Nodes,
        contact: Callable[[], Awaitable[float]],
        settings: GatewaySettings,
        metrics: Metrics,
        archivist: Archivist | None = None,
    ) -> None:
        self._nodes, self._contact = nodes, contact
        self._settings, self._metrics = settings, metrics
        self._inventory, self._executions = Inventory(nodes), Executions(nodes)
        self._archivist, self._warned = archivist, False
        self._ages = Ages(
            settings.ghost_seconds,
            settings.keep_empty_seconds,
            settings.keep_finished_seconds,
            archivist is not None,
            settings.archive_grace_seconds,
            settings.keep_archived_seconds,
        )
        every = settings.housekeeping_seconds
        lease = max(settings.claim_seconds, every * _LEASE_STEPS)
        super().__init__(nodes, "housekeeper", every, lease, metrics.housekeeping)

    async def _work(self) -> None:
        """Look at a portion of the keys and of the list."""
        most = self._settings.housekeeping_batch
        names, all_keys = await self._keys.step(most)
        listed, all_listed = await self._list.step(most)
        if all_keys:
            self._silence.end_round()
            self._left_over.end_round()
        self._metrics.rounds_of_keys.inc(all_keys)
        self._metrics.rounds_of_list.inc(all_listed)
        kept = await self._look(chain(names, listed))
        # the younger of both: one clock that runs ahead must not make everything old
        now_ms = min(await self._inventory.now_ms(), time.time() * 1000)
        verdicts = [v for each in kept if (v := decide(each, now_ms, self._ages))]
        if self._claim.held:
            await self._relist([v for v in verdicts if isinstance(v, Relist)])
            await self._unlist([v for v in verdicts if isinstance(v, Unlist)])
            await self._remove([v for v in verdicts if isinstance(v, Remove)])
            self._put_away(verdicts)
            await self._keep_within_the_cap(now_ms)
            if self._archivist is not None:
                await self._erase_left(self._archivist)
        self._metrics.housekept.set_to_current_time()

    async def _look(self, names: Iterable[str]) -> list[Kept]:
        """Look at *names*, at the newest, at those that run, and at those that should go."""
        most = self._settings.housekeeping_batch
        newest = await self._executions.listed(0, max(1, most // INDEX_BUCKETS))
        changing = [*self._ledger.running(most), *self._pressed]
        asked = dict.fromkeys(chain(names, newest, changing))
        found = {kept.id: kept for kept in await self._inventory.kept(asked)}
        for name in asked:
            self._ledger.saw(name, found[name].standing if name in found else None)
        return list(found.values())

    async def _keep_within_the_cap(self, now_ms: float) -> None:
        """Warn before `max_total_bytes` is reached, and let the oldest that have ended go."""
        pressure = Pressure(self._ledger.bytes, (await self._nodes.limits()).max_total_bytes)
        self._metrics.bytes_kept.set(pressure.kept)
        self._metrics.bytes_cap.set(pressure.cap)
        self._warn(pressure)
        limit = pressure.cap * WARN_SHARE if self._archivist else pressure.cap
        going = list(islice(self._ledger.too_much(limit), self._settings.housekeeping_batch))
        self._pressed = [name for name, _ in going]
        if self._archivist is None:
            await self._remove([removal(*each, "full") for each in going if not each[1].archive])
        else:
            self._put_away([v for each in going if (v := put_away(*each, now_ms, self._ages))])

    def _warn(self, pressure: Pressure) -> None:
        if pressure.warns and not self._warned:
            log.warning(
                "%d bytes are kept, %d are allowed (max_total_bytes in runtail:settings): beyond, "
                "the oldest executions that have ended are %s",
                pressure.kept,
                pressure.cap,
                "archived earlier" if self._archivist else "removed",
            )
        self._warned = pressure.warns

    def _put_away(self, verdicts: Sequence[object]) -> None:
        for verdict in verdicts:
            if self._archivist is not None and isinstance(verdict, Moving):
                self._archivist.want(verdict)

    async def _erase_left(self, archivist: Archivist) -> None:
        try:
            await archivist.archiving.erase_left(_ERASE_SECONDS, _ERASE_AT_ONCE)
        except RuntailError as error:
            self._metrics.archive_errors.inc()
            log.warning("what was deleted is not yet erased from the archive: %s", error)

    async def _relist(self, verdicts: Sequence[Relist]) -> None:
        self._metrics.relisted.inc(await self._inventory.relist({v.id: v.place for v in verdicts}))
        await tell_all(self._nodes, [v.id for v in verdicts])

    async def _unlist(self, verdicts: Sequence[Unlist]) -> None:
        gone = await self._inventory.unlist({v.id: v.place for v in verdicts})
        self._metrics.ghosts.inc(len(gone))
        await tell_all(self._nodes, gone)

    async def _remove(self, verdicts: Sequence[Remove]) -> None:
        calls = [call for v in verdicts if (call := await self._call_for(v))]
        archived = {v.id: v.epoch for v in verdicts if v.epoch is not None}
        if archived and self._archivist is not None:
            await self._archivist.archiving.erasing(archived)
        answers = await run_on_each_node(self._nodes, calls, replicated=True)
        reasons = {v.id: v.reason for v in verdicts}
        gone = [name for name, answer in answers if answer.word == "deleted"]
        for name in gone:
            self._metrics.removed(reasons[name])
            self._ledger.saw(name, None)
        listed = {kept.id: kept.listed_at for kept in await self._inventory.kept(gone)}
        places = {name: place for name, place in listed.items() if place is not None}
        await self._inventory.unlist(places)
        await tell_all(self._nodes, gone)

    async def _call_for(self, verdict: Remove) -> Call | None:
        """Make the call; None while some publisher that has it open may be alive."""
        open_ones: list[tuple[str, str]] = []
        if verdict.seen == NOTHING:
            now = time.monotonic()
            since = max(self._left_over.since(verdict.id, {}, now), now - await self._contact())
            if now - since < self._settings.ghost_seconds:
                return None  # a worker that goes on opens it again, and finds what is left
        if verdict.open:
            publishers = await self._executions.publishers(verdict.id)
            open_ones = [(p.id, p.entry) for p in publishers if p.open]
            now = time.monotonic()
            since = self._silence.since(verdict.id, dict(open_ones), now)
            since = max(since, now - await self._contact())
            if now - since < self._settings.finality_seconds:
                return None
        return delete_call(
            verdict.id,
            force=False,
            remembered_seconds=self._settings.deleted_seconds,
            seen=verdict.seen,
            publishers=open_ones,
        )

    def _forget(self) -> None:
        self._keys, self._list = KeyWalk(self._nodes), ListWalk(self._nodes)
        self._silence, self._left_over = Silence(_MOST_SILENT), Silence(_MOST_SILENT)
        self._ledger, self._pressed = Ledger(), list[str]()
        self._metrics.bytes_kept.set(0)
        self._metrics.bytes_cap.set(0)
