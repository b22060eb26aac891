"""Look after executions whose workers fell silent: one gateway at a time does.

What is decided lies in `leases` and `rounds`; here is when to look and what to call. Everything it
calls is a compare-and-set, so two gateways that both believe to be the one do no harm.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from runtail_broker.connections.client import Nodes
from runtail_broker.executions import Executions
from runtail_broker.script import Call, finish_call, give_up_call, mark_call
from runtail_gateway.executions.list_watch import tell_all
from runtail_gateway.keeping.claimed_work import ClaimedWork
from runtail_gateway.keeping.each_node import run_on_each_node
from runtail_gateway.keeping.leases import Finish, GiveUp, Leases, Mark, Verdict, Windows
from runtail_gateway.keeping.rounds import Rounds
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.settings import GatewaySettings

_INDEX_PARTS = 32  # the newest and a moving portion of 16 buckets


class Sweeper(ClaimedWork):
    """Sweep now and then, if this gateway is the one that does.

    *contact* asks for how many seconds there has been uninterrupted contact with the same
    primaries; *watched* lists executions that are looked at though the index may have lost them.
    """

    def __init__(
        self,
        nodes: Nodes,
        contact: Callable[[], Awaitable[float]],
        watched: Callable[[], Sequence[str]],
        settings: GatewaySettings,
        metrics: Metrics,
    ) -> None:
        self._nodes, self._contact, self._watched = nodes, contact, watched
        self._settings, self._metrics = settings, metrics
        self._executions = Executions(nodes)
        super().__init__(
            nodes, "sweeper", settings.sweep_seconds, settings.claim_seconds, metrics.sweeping
        )

    async def _work(self) -> None:
        """Look once."""
        rounds = self._rounds
        newest = await self._executions.listed(0, rounds.newest)
        portion = await self._executions.listed(rounds.offset, rounds.portion)
        chosen = rounds.choose(newest, portion, self._watched())
        looks = await self._executions.looks(chosen)
        self._metrics.ended(look.status for look in rounds.saw(chosen, looks))
        self._metrics.running.set(len(rounds.running))
        self._metrics.silent.set(sum(look.lost > 0 for look in looks if not look.ended))
        self._leases.keep(rounds.running)
        # asked after the look: a primary that changed before or meanwhile begins the counts anew
        contact_seconds = await self._contact()
        verdicts = self._leases.look(looks, time.monotonic(), contact_seconds)
        if self._claim.held:
            await self._carry_out(verdicts)

    async def _carry_out(self, verdicts: Sequence[Verdict]) -> None:
        marks = [v for v in verdicts if isinstance(v, Mark)]
        words = await self._call([self._call_for(v) for v in marks], replicated=False)
        self._metrics.lost.inc(words.count("marked"))
        last = [v for v in verdicts if not isinstance(v, Mark)]
        words = await self._call([self._call_for(v) for v in last], replicated=True)
        self._metrics.ends.inc(words.count("ended"))
        await tell_all(self._nodes, {v.execution_id for v in verdicts})

    def _call_for(self, verdict: Verdict) -> Call:
        match verdict:
            case Mark(name, "", seen):
                return mark_call(name, "", seen, "worker lost: nobody has it open")
            case Mark(name, publisher, seen):
                silent = f"silent for {self._settings.lease_seconds:g} s"
                return mark_call(name, publisher, seen, f"worker lost: {silent}")
            case GiveUp(name, seen, publishers):
                return give_up_call(name, seen, publishers, "worker lost")
            case Finish(name):
                return finish_call(name)

    async def _call(self, calls: Sequence[Call], *, replicated: bool) -> list[str]:
        """Run *calls*; list the answers' words."""
        answers = await run_on_each_node(self._nodes, calls, replicated=replicated)
        return [answer.word for _, answer in answers]

    def _forget(self) -> None:
        self._metrics.running.set(0)
        self._metrics.silent.set(0)
        settings = self._settings
        portion = max(1, settings.sweep_index // _INDEX_PARTS)
        self._rounds = Rounds(portion, settings.sweep_running)
        self._leases = Leases(
            Windows(
                lease_seconds=settings.lease_seconds,
                finality_seconds=settings.finality_seconds,
                settle_seconds=settings.settle_seconds,
                gap_seconds=max(settings.lease_seconds / 3, settings.sweep_seconds * 2),
            )
        )
