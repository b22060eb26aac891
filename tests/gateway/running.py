"""Run a gateway in the test's own event loop: real uvicorn, real sockets, on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvicorn
from tests.gateway.event_watcher import EventWatcher
from tests.gateway.frames_watcher import FramesWatcher
from tests.gateway.many_watcher import ManyWatcher
from tests.gateway.watcher import Watcher
from tests.polling import soon

from runtail_broker.client import Nodes
from runtail_gateway.app import create_app
from runtail_gateway.hub import Hub
from runtail_gateway.rest import Rest
from runtail_gateway.serve import GatewayServer, server
from runtail_gateway.settings import GatewaySettings

PUSHED, PULLED, EVENTS, MANY, FRAMES = "pushed", "pulled", "events", "many", "frames"
_WATCHERS = {EVENTS: EventWatcher, MANY: ManyWatcher, FRAMES: FramesWatcher}
SEND_BUFFER_BYTES = 64 * 1024  # of the kernel's, inherited by every viewer's socket


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that answers."""

    port: int
    hub: Hub
    server: uvicorn.Server
    http: aiohttp.ClientSession
    watcher: type[Watcher] = Watcher

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sockets(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def watch(self, execution_id: str, query: str = "") -> Watcher:
        return self.watcher(self.sockets, execution_id, query)

    async def metric(self, name: str) -> float:
        """Read one metric without labels."""
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
    settings: GatewaySettings, redis: str | Nodes, mode: str = PUSHED
) -> AsyncIterator[Running]:
    """Run a gateway as `runtail gateway` does (pushed), or under plain uvicorn (pulled).

    With *events* it is watched over Server-Sent Events, with *many* over `/ws/executions`,
    with *frames* as stored frames.
    """
    app = create_app(settings, redis)
    uv = _plain(app) if mode == PULLED else server(app, port=0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        task = asyncio.create_task(uv.serve([listener]))
        try:
            await soon(lambda: uv.started or task.done(), "the gateway answers")
            async with aiohttp.ClientSession() as http:
                watcher = _WATCHERS.get(mode, Watcher)
                yield Running(listener.getsockname()[1], _hub(app), uv, http, watcher)
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
