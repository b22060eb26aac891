"""Do work now and then that one gateway at a time does."""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from typing import Self

from prometheus_client import Gauge

from runtail_broker.claim import Claim
from runtail_broker.connections.client import Nodes
from runtail_broker.connections.ending import end
from runtail_broker.errors import RuntailError

log = logging.getLogger("runtail.gateway")


class ClaimedWork(ABC):
    """Work from a task of its own, about every *every_seconds* s, while this process holds *name*.

    Use as an async context manager, within one event loop. *holding* shows whether it holds the
    lease, which another process may take after *lease_seconds*. Two may believe to hold it at once,
    so the work must be safe to do twice.
    """

    def __init__(
        self, nodes: Nodes, name: str, every_seconds: float, lease_seconds: float, holding: Gauge
    ) -> None:
        self._name, self._every_seconds, self._holding = name, every_seconds, holding
        self._claim = Claim(nodes, name, lease_seconds)
        self._forget()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=self._name)
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._task)
        try:
            await self._claim.release()
        except RuntailError as error:
            log.info("the %s's claim was not given back: %s", self._name, error)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_seconds * random.uniform(0.8, 1.2))
            try:
                await self._turn()
            except RuntailError as error:
                log.info("the %s broke off: %s", self._name, error)
            except Exception:  # whatever it is, the next turn must come
                log.exception("the %s failed", self._name)

    async def _turn(self) -> None:
        holds = await self._claim.hold()
        self._holding.set(holds)
        if holds:
            await self._work()
        else:
            self._forget()  # another one does it now: what was seen before does not go on

    @abstractmethod
    async def _work(self) -> None:
        """Do it once; look at `_claim.held` before anything is changed."""

    @abstractmethod
    def _forget(self) -> None:
        """Begin anew: drop whatever was seen so far."""
