"""Claim work that one process at a time does: a lease in the engine that its holder renews."""

from __future__ import annotations

import secrets
import time

from redis.asyncio import Redis

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import claim
from runtail_broker.script import script


class Claim:
    """One process's view of the lease *name*. Raises what `Nodes` raises.

    Two processes may believe for a moment that they hold it (after a failover that lost it), so
    what is done under it must be safe to do twice.
    """

    def __init__(self, nodes: Nodes, name: str, seconds: float) -> None:
        self._nodes, self._seconds = nodes, seconds
        self._key, self._token = claim(name), secrets.token_hex(8)
        self._until = float("-inf")

    @property
    def held(self) -> bool:
        """Whether it is held for certain, by this process's clock."""
        return time.monotonic() < self._until

    async def hold(self) -> bool:
        """Take or renew it; whether it is held now. The holder's death frees it after the lease."""
        asked = time.monotonic()  # the engine counts from later on
        self._until = asked + self._seconds if await self._ask(self._seconds) else float("-inf")
        return self.held

    async def release(self) -> None:
        """Give it back, so that the next process need not wait."""
        if self.held:
            self._until = float("-inf")
            await self._ask(0)

    async def _ask(self, seconds: float) -> bool:
        async def act(node: Redis) -> bool:
            text, ms = script("claim").text, int(seconds * 1000)
            return bool(await node.eval(text, 1, self._key, self._token, str(ms)))

        answer: bool = await self._nodes.at(self._key, act)
        return answer
