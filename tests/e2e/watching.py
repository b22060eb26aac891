"""Watch for the length of a block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.e2e.processes import Gateway
from tests.e2e.watcher import Watcher


@asynccontextmanager
async def watching(
    gateways: Sequence[Gateway], *watchers: Watcher, **query: str
) -> AsyncIterator[None]:
    """Let *watchers* watch; those that are not done at the end of the block are cut off."""
    addresses = [gateway.ws for gateway in gateways]
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        tasks = [group.create_task(watcher.watch(addresses, **query)) for watcher in watchers]
        yield
        for task in tasks:
            task.cancel()


async def watched(gateways: Sequence[Gateway], watcher: Watcher, **query: str) -> Watcher:
    """Let *watcher* watch to the end, or until it is refused."""
    async with asyncio.timeout(60):
        await watcher.watch([gateway.ws for gateway in gateways], **query)
    return watcher
