"""Know how many watch each execution, over all gateways, at a bounded cost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from runtail_broker.audience import Audience
from runtail_broker.errors import RuntailError

log = logging.getLogger("runtail.gateway")
_GOODBYE_SECONDS: Final = 1.0  # in all; what was not taken back by then runs out by itself


class ViewerCounts:
    """The counts of the executions that are watched here.

    *here* says how many watch one at this gateway. One is counted when its first viewer comes, with
    every beat, and when a number changed, but not more often than every *every_seconds*.
    """

    def __init__(
        self, audience: Audience, here: Callable[[str], int], every_seconds: float
    ) -> None:
        self._audience, self._here, self._every_seconds = audience, here, every_seconds
        self._told: dict[str, int] = {}
        self._others: dict[str, int] = {}
        self._looked_at: dict[str, float] = {}
        self._heard: set[str] = set()

    def of(self, execution_id: str) -> int:
        """How many watch it, as far as is known: those at other gateways a few seconds ago."""
        return self._others.get(execution_id, 0) + self._here(execution_id)

    async def greeting(self, execution_id: str) -> int:
        """Count for a viewer that comes: of its own gateway alone if the engine does not answer."""
        if execution_id not in self._told:
            with suppress(RuntailError):
                await self.look(execution_id)
        return self.of(execution_id)

    def heard(self, execution_id: str) -> None:
        """Hear that another gateway has another number of viewers."""
        if execution_id in self._told:
            self._heard.add(execution_id)

    def due(self, now: float) -> list[str]:
        """List the executions of which a number changed, and that may be counted again."""
        return [
            name
            for name, told in self._told.items()
            if (told != self._here(name) or name in self._heard)
            and now - self._looked_at[name] >= self._every_seconds
        ]

    async def look(self, execution_id: str) -> None:
        """Tell the own number and learn the others'. Raises what `Nodes` raises."""
        here = self._here(execution_id)
        self._looked_at[execution_id] = time.monotonic()
        self._told.setdefault(execution_id, 0)
        self._heard.discard(execution_id)
        count = await self._audience.count(execution_id, here)
        if here or self._here(execution_id):
            self._told[execution_id], self._others[execution_id] = here, count - here
        else:
            self._forget(execution_id)

    async def let_go(self, names: list[str]) -> None:
        """Tell of those that nobody watches here any more that it is so, until one fails."""
        try:
            for name in names:
                await self.look(name)
        except RuntailError as error:
            log.info("viewers that left were not taken back: %s", error)

    async def close(self) -> None:
        """Take back what was told, as far as that goes quickly: viewers are elsewhere now."""
        with suppress(RuntailError, TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                for name in [name for name, told in self._told.items() if told]:
                    await self._audience.count(name, 0)

    def _forget(self, execution_id: str) -> None:
        self._told.pop(execution_id, None)
        self._others.pop(execution_id, None)
        self._looked_at.pop(execution_id, None)
