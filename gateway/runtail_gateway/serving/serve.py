"""Run the gateway under uvicorn, set up for many long connections, and end without haste."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import math
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from runtail_broker.connections.ending import end
from runtail_gateway.access.admission import Viewers
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.push import pushing
from runtail_gateway.viewers.stalls import Stalls
from runtail_gateway.web.guarded_http import guarded

_QUICKLY_SECONDS: Final = 1.0  # after Ctrl-C: somebody waits for the prompt
_LOOK_SECONDS: Final = 1.0


def server(
    app: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    fd: int | None = None,
    on_started: Callable[[], None] | None = None,
    viewers: Viewers | None = None,
) -> GatewayServer:
    """Make a server for *app*; `run()` it in the main thread, or await `serve()`.

    *viewers* are those of the gateway inside *app*, to be drained and guarded by its settings; not
    needed for what `create_app` returned. Compression is off (59 KB a connection against 17).
    """
    viewers = viewers or _viewers_of(app)
    settings = viewers.door.settings
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        fd=fd,
        http=guarded(viewers.door) or "auto",
        ws=pushing() or "auto",
        ws_per_message_deflate=False,
        ws_max_size=settings.received_bytes,
        ws_ping_interval=20.0,
        ws_ping_timeout=150.0,
        timeout_keep_alive=max(1, round(settings.idle_seconds)),
        proxy_headers=False,  # it would believe every program on this machine
        log_level="warning",
        access_log=False,
        lifespan="on",
    )
    return GatewayServer(config, viewers, on_started)


def _viewers_of(app: ASGIApp) -> Viewers:
    found = getattr(getattr(app, "state", None), "viewers", None)
    return found if isinstance(found, Viewers) else Viewers(GatewaySettings(), Metrics())


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


class GatewayServer(uvicorn.Server):
    """uvicorn's server, which sends viewers elsewhere before it ends, and lets stalled ones go."""

    def __init__(
        self, config: uvicorn.Config, viewers: Viewers, on_started: Callable[[], None] | None
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._viewers, self._settings = viewers, viewers.door.settings
        self._stalls: Stalls[Any] = Stalls(
            self._settings.stall_seconds, self._settings.waiting_bytes
        )
        self._watch: asyncio.Task[None] | None = None
        self._drain_seconds, self._grace_seconds = 0.0, self._settings.grace_seconds

    # --- beginning and ending ----------------------------------------------------------------

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in sockets or ():
            _answer_at_once(listener)
        await super().startup(sockets)
        if self.started:
            keep_freed_memory()
            settle_collector()
            self._watch = asyncio.create_task(self._watch_stalls())
            if self._on_started is not None:
                self._on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end at SIGTERM or SIGINT; a second one ends at once."""
        again = self.should_exit
        super().handle_exit(sig, frame)
        if again:
            self.force_exit = True
        else:
            self.leave(quickly=sig == signal.SIGINT)

    def leave(self, *, quickly: bool = False) -> None:
        """Drain, then end: within `drain_seconds` and `grace_seconds` and a second at most."""
        settings, most = self._settings, _QUICKLY_SECONDS if quickly else float("inf")
        self._drain_seconds = min(settings.drain_seconds, most)
        self._grace_seconds = min(settings.grace_seconds, most)
        self._viewers.drain.begin()
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._drained()
        if self._watch is not None:
            await end(self._watch)
        self.config.timeout_graceful_shutdown = math.ceil(self._grace_seconds) + 1
        await asyncio.gather(super().shutdown(sockets), self._hurry())

    async def _drained(self) -> None:
        """Send all viewers elsewhere; who asks meanwhile is told that this process drains."""
        drain = self._viewers.drain
        drain.spread(self._drain_seconds)
        await self._while(lambda: bool(drain), self._drain_seconds)

    async def _hurry(self) -> None:
        """Cut what is still there when the grace is over: a peer that reads nothing never closes.

        uvicorn alone would wait for such a peer, or cancel the tasks and leave its connection.
        """
        await self._while(lambda: bool(self._transports()), self._grace_seconds)
        for transport in self._transports().values():
            transport.abort()

    async def _while(self, check: Callable[[], bool], seconds: float) -> None:
        """Wait while *check* holds, *seconds* at most, and not at all when told to end at once."""
        until = time.monotonic() + seconds
        while check() and not self.force_exit and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # a signal handler cannot set an event

    # --- while it runs -----------------------------------------------------------------------

    async def _watch_stalls(self) -> None:
        pause = min(_LOOK_SECONDS, self._settings.stall_seconds / 4)
        while True:
            await asyncio.sleep(pause)
            self.look_for_stalls(time.monotonic())

    def look_for_stalls(self, now: float) -> None:
        """Cut who takes nothing, and who must go if too much waits in this process."""
        transports = self._transports()
        waiting = dict(_waiting(transports))
        verdict = self._stalls.look(waiting, now)
        self._viewers.saw_waiting(sum(waiting.values()), verdict.still, full=verdict.full)
        for bound, keys in (("stall_seconds", verdict.stalled), ("waiting_bytes", verdict.slowest)):
            for key in keys:
                self._viewers.door.cut(bound)
                transports[key].abort()

    def _transports(self) -> dict[Any, asyncio.Transport]:
        """Find the transport of each connection."""
        found = {each: each.transport for each in self.server_state.connections}
        return {each: transport for each, transport in found.items() if transport is not None}


def _waiting(transports: dict[Any, asyncio.Transport]) -> Iterator[tuple[Any, int]]:
    for key, transport in transports.items():
        size = transport.get_write_buffer_size()
        if size:
            yield key, size


def _answer_at_once(listener: socket.socket) -> None:
    """Let no small answer wait 40 ms for the acknowledgement of what went before it.

    asyncio sees to that only for sockets that say they are TCP, and `create_server` makes others.
    """
    if listener.family in (socket.AF_INET, socket.AF_INET6):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones inherit it


def keep_freed_memory() -> None:
    """Let glibc keep what is freed: pages of history are as large as what it returns at once.

    Replaying 50,000 records to one viewer took 4,300 page faults instead of 11,000. Elsewhere than
    on glibc nothing is changed.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_THRESHOLD, 16 * 1024 * 1024)
        libc.mallopt(_M_TRIM_THRESHOLD, 64 * 1024 * 1024)


@cache
def settle_collector() -> None:
    """Keep the garbage collector away from what lives as long as the process.

    It was the largest source of tail latency and of connect cost: connections make no cycles, so
    the oldest generation is looked at rarely. Once in a process: a look at everything takes longer
    than all else that a start does, and a second server finds hardly anything new.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)
