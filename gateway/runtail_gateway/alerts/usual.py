"""Know what is usual: how long the executions of each workflow took that completed lately."""

from __future__ import annotations

import statistics
import time
from typing import Final

from runtail_broker.connections.client import Nodes
from runtail_broker.tally import Tally
from runtail_gateway.executions.ledger import Ledger
from runtail_gateway.settings import GatewaySettings

_LATELY_MS: Final = 8 * 86_400_000
_BELIEVED_SECONDS: Final = 10.0
_LEAST_BELIEVED_SECONDS: Final = 0.5
_NEWEST: Final = 200  # executions of a workflow that count


class Usual:
    """The newest executions (`figures_looked` of them), read again now and then."""

    def __init__(self, nodes: Nodes, settings: GatewaySettings) -> None:
        self._ledger, self._settings = Ledger(nodes, settings), settings
        self._tallies: list[Tally] = []
        self._medians: dict[str | None, tuple[float, int]] = {}
        self._until = 0.0

    async def medians(self, now_ms: int) -> dict[str | None, tuple[float, int]]:
        """Say, by workflow, the median of what completed ones took (ms), and of how many it is."""
        await self._read(now_ms)
        return self._medians

    async def tallies(self, now_ms: int) -> list[Tally]:
        """List those created lately, the newest first."""
        await self._read(now_ms)
        return self._tallies

    async def _read(self, now_ms: int) -> None:
        if time.monotonic() < self._until:
            return
        begun = time.monotonic()
        looked = await self._ledger.look(now_ms - _LATELY_MS)
        self._tallies = looked.tallies
        took: dict[str | None, list[int]] = {}
        for tally in looked.tallies:
            durations = took.setdefault(tally.workflow_id, [])
            if tally.status == "completed" and tally.is_over and len(durations) < _NEWEST:
                durations.append(tally.duration_ms)
        self._medians = {
            name: (statistics.median(each), len(each)) for name, each in took.items() if each
        }
        cost = time.monotonic() - begun  # a hundred times as long as that took
        seconds = min(_BELIEVED_SECONDS, max(_LEAST_BELIEVED_SECONDS, cost * 100))
        self._until = time.monotonic() + seconds
