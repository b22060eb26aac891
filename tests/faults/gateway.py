"""A gateway of the suite's own, to be cut off from its engine and its viewers, and replaced."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from tests.faults.line_worker import Link
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.proxy import Proxy

from runtail_broker.connections.client import Nodes

SETTINGS = replace(
    QUICK,
    sweep_seconds=0.1,
    settle_seconds=1.0,  # all workers are back by then: a beat, an answer's time and a retry
    claim_seconds=0.5,
    probe_timeout_seconds=2.0,
    lease_seconds=3.0,
    finality_seconds=1.0,
    retry_seconds=0.05,
    write_mark_bytes=32 * 1024,
    drain_seconds=0.2,
    grace_seconds=0.1,
    ring_bytes=32 * 1024,
)
ENGINE_SECONDS = 1.0  # until gateways take an engine that says nothing for dead


class Gateway:
    """A gateway behind a proxy that stays when it is replaced; *link* leads to the engine."""

    def __init__(self, link: Link, mode: str) -> None:
        self._mode = mode
        self.engine = link
        self.front = Proxy("http://127.0.0.1:9")
        self.running: Running | None = None
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Start one, and lead viewers to it."""
        nodes = Nodes.connect(self.engine.url, timeout_seconds=ENGINE_SECONDS)
        way = running(SETTINGS, nodes, self._mode)
        self._stack.push_async_callback(nodes.close)
        self.running = await self._stack.enter_async_context(way)
        self.front.lead_to(self.running.address)

    async def replace(self) -> None:
        """Cut everybody off, as a kill does, and start another one."""
        self.front.refuse()
        await self._stack.aclose()
        await self.start()
        self.front.forward()

    async def close(self) -> None:
        """End it."""
        self.front.refuse()
        await self._stack.aclose()
        for proxy in (self.front, self.engine):
            await asyncio.to_thread(proxy.close)
