"""A process that only writes ready-made messages to plain sockets: what delivery costs at least.

Run as `python -m tests.bench.writer`; prints the address for viewers and the one for the worker,
whose every message goes, as it is, to every viewer.
"""

from __future__ import annotations

import asyncio
import signal
from typing import cast

import uvloop

from runtail_gateway.serving.serve import settle_collector


class _Viewer(asyncio.Protocol):
    def __init__(self, transports: set[asyncio.Transport]) -> None:
        self._transports = transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transports.add(self._transport)
        self._transport.write(b"welcome\r\n\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transports.discard(self._transport)


class _Worker(asyncio.Protocol):
    def __init__(self, transports: set[asyncio.Transport]) -> None:
        self._transports = transports

    def data_received(self, data: bytes) -> None:
        for transport in self._transports:
            transport.write(data)


async def _main() -> None:
    loop, transports, stop = asyncio.get_running_loop(), set[asyncio.Transport](), asyncio.Event()
    viewers = await loop.create_server(lambda: _Viewer(transports), "127.0.0.1", 0, backlog=2048)
    worker = await loop.create_server(lambda: _Worker(transports), "127.0.0.1", 0)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    ports = [listening.sockets[0].getsockname()[1] for listening in (viewers, worker)]
    settle_collector()
    print(" ".join(f"127.0.0.1:{port}" for port in ports), flush=True)
    await stop.wait()


if __name__ == "__main__":
    uvloop.run(_main())
