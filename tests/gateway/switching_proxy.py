"""A TCP proxy before several gateways: each new connection is led to one of them, by a dice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

_CHUNK = 1 << 16


@asynccontextmanager
async def switching_proxy(ports: Sequence[int], seed: str) -> AsyncIterator[int]:
    """Run one on loopback; yield its port. The same *seed* leads to the same *ports*, in order."""
    chance = random.Random(seed)
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        task.add_done_callback(serving.discard)
        # ended by the test, it must not end as cancelled: that would end the test's runner too
        with suppress(OSError, asyncio.CancelledError):
            await _led(reader, writer, chance.choice(ports))
        with suppress(OSError, asyncio.CancelledError):
            writer.transport.abort()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)  # who came just now is among them then
        for task in (ended := [*serving]):
            task.cancel()
        if ended:
            await asyncio.wait(ended)


async def _led(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Forward both ways until one end has nothing more to say."""
    back, forth = await asyncio.open_connection("127.0.0.1", port)
    ways = [asyncio.create_task(_pump(*way)) for way in ((reader, forth), (back, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        forth.transport.abort()
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)
    with suppress(OSError):
        await forth.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward one way; who writes waits while the other end does not read."""
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
