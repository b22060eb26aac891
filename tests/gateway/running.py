"""Run a gateway in the test's own event loop: real uvicorn, real sockets, on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import uvicorn
from tests.gateway.switching_proxy import switching_proxy
from tests.gateway.watcher import Watcher
from tests.gateway.ways import EVENTS, FRAMES, MANY, PULLED, PUSHED, Way
from tests.polling import soon

from runtail_broker.connections.client import Nodes
from runtail_gateway.app import create_app
from runtail_gateway.logs.rest import Rest
from runtail_gateway.serving.serve import GatewayServer, server
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub

__all__ = ["EVENTS", "FRAMES", "MANY", "PULLED", "PUSHED", "Running", "running"]
SEND_BUFFER_BYTES = 64 * 1024  # of the kernel's, inherited by every viewer's socket


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that answers, or several *behind* the port of a proxy."""

    port: int
    hub: Hub
    server: uvicorn.Server
    http: aiohttp.ClientSession
    watcher: type[Watcher] = Watcher
    behind: tuple[Running, ...] = ()

    @property
    def tails(self) -> list[int]:
        """How many executions each gateway tails."""
        return [each.hub.tails for each in self.behind or (self,)]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sockets(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def watch(self, execution_id: str, query: str = "", token: str = "") -> Watcher:
        watcher = self.watcher(self.sockets, execution_id, query)
        watcher.headers = {"Authorization": f"Bearer {token}"} if token else {}
        return watcher

    async def metric(self, name: str) -> float:
        """Read one metric without labels; of several gateways the sum."""
        if self.behind:
            return sum([await each.metric(name) for each in self.behind])
        async with self.http.get(f"{self.address}/metrics") as answer:
            rows = (await answer.text()).splitlines()
        return next(float(row.split(" ")[1]) for row in rows if row.startswith(name + " "))

    def leave(self) -> None:
        """Do what SIGTERM does."""
        assert isinstance(self.server, GatewayServer)
        self.server.leave()

    def look_for_stalls(self) -> None:
        """Look now for viewers that take nothing."""
        assert isinstance(self.server, GatewayServer)
        self.server.look_for_stalls(time.monotonic())

    def waiting_bytes(self) -> list[int]:
        """How many bytes wait in the process for each connection."""
        return [
            connection.transport.get_write_buffer_size()
            for connection in self.server.server_state.connections
            if connection.transport is not None
        ]


@asynccontextmanager
async def running(
    settings: GatewaySettings, redis: str | Nodes, mode: str = PUSHED, seed: str = ""
) -> AsyncIterator[Running]:
    """Run a gateway as `runtail gateway` does, or as the way named *mode* says.

    Which of two a connection is led to is thrown with *seed*.
    """
    way = Way.named(mode)
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(_one(settings, redis, way))
        if way.two:
            other = await stack.enter_async_context(_one(settings, redis, way))
            ports = [gateway.port, other.port]
            port = await stack.enter_async_context(switching_proxy(ports, seed))
            gateway = replace(gateway, port=port, behind=(gateway, other))
        yield gateway


@asynccontextmanager
async def _one(settings: GatewaySettings, redis: str | Nodes, way: Way) -> AsyncIterator[Running]:
    app = create_app(settings, redis)
    uv = _plain(app) if way.pulled else server(app, port=0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        task = asyncio.create_task(uv.serve([listener]))
        try:
            await soon(lambda: uv.started or task.done(), "the gateway answers")
            async with aiohttp.ClientSession() as http:
                yield Running(listener.getsockname()[1], _hub(app), uv, http, way.watcher)
        finally:
            uv.should_exit = True
            await task


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Run any ASGI application under the gateway's server; yield its address."""
    uv = server(app, port=0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(uv.serve([listener]))
        try:
            await soon(lambda: uv.started or task.done(), "it answers")
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            uv.should_exit = True
            await task


@contextlib.contextmanager
def as_collector_was() -> Any:
    """The server tunes the garbage collector; give the tests theirs back."""
    threshold = gc.get_threshold()
    try:
        yield
    finally:
        gc.set_threshold(*threshold)


def _plain(app: Any) -> uvicorn.Server:
    """A server that has no transport to hand out: every viewer pulls."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            lifespan="on",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=3,
        )
    )


def _hub(app: Any) -> Hub:
    """Find the hub behind the routes."""
    rest = next(
        route.endpoint.__self__
        for route in app.routes
        if isinstance(getattr(route.endpoint, "__self__", None), Rest)
    )
    hub = rest._hub
    assert isinstance(hub, Hub)
    return hub
