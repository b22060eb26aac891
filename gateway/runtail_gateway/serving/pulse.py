"""Look at the process itself now and then: its loop, its collector, its memory, who is where."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Self

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.ending import end
from runtail_broker.errors import RuntailError
from runtail_gateway.access.access import Access
from runtail_gateway.metrics.engine_clock import ahead_seconds
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

log = logging.getLogger("runtail.gateway")
_TURN_SECONDS: Final = 0.5
_SELDOM: Final = 20  # turns between two looks at what takes longer to look at
_CLOCK_SECONDS: Final = 10.0
_FILES: Final = Path("/proc/self/fd")
_MEMORY: Final = Path("/proc/self/statm")


class Pulse:
    """Set the gauges of one process. Use as an async context manager, within one event loop."""

    def __init__(
        self,
        nodes: Nodes,
        hub: Hub,
        settings: GatewaySettings,
        metrics: Metrics,
        access: Access,
        draining: Callable[[], bool],
    ) -> None:
        self._nodes, self._hub, self._settings = nodes, hub, settings
        self._metrics, self._access, self._draining = metrics, access, draining
        self._cpu = 0.0
        self._pausing: float | None = None

    async def __aenter__(self) -> Self:
        metrics = self._metrics
        metrics.version.labels(version("runtail")).set(1)
        metrics.processes.set(1)
        metrics.started.set_to_current_time()
        metrics.viewers_most.set(self._settings.viewers)
        if resource is not None:
            metrics.open_files_most.set(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self._look_seldom()
        gc.callbacks.append(self._collected)
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._compare())]
        return self

    async def __aexit__(self, *_: object) -> None:
        gc.callbacks.remove(self._collected)
        await end(*self._tasks)

    def look(self) -> None:
        """Set what costs little: before a scrape, and twice a second for other processes' sake."""
        metrics, hub = self._metrics, self._hub
        at_the_head, behind = hub.readers()
        metrics.at_the_head.set(at_the_head)
        metrics.behind.set(behind)
        metrics.tails.set(hub.tails)
        metrics.probe_age.set(min(hub.silent_seconds(), 1e9))
        metrics.round_trip.set(hub.round_trip_seconds())
        deaf = hub.deaf_seconds() > self._settings.probe_timeout_seconds
        metrics.ready.set(not (deaf or self._draining()))
        cpu, self._cpu = self._cpu, time.process_time()
        metrics.cpu.inc(max(0.0, self._cpu - cpu))
        metrics.keys_age.set(self._access.keys_age_seconds())
        metrics.settle()

    async def _beat(self) -> None:
        loop, turn = asyncio.get_running_loop(), 0
        while True:
            due = loop.time() + _TURN_SECONDS
            await asyncio.sleep(_TURN_SECONDS)
            self._metrics.loop_lag.observe(max(0.0, loop.time() - due))
            self.look()
            turn += 1
            if turn % _SELDOM == 0:
                self._look_seldom()

    def _look_seldom(self) -> None:
        with suppress(OSError, ValueError):  # elsewhere than on Linux
            pages = int(_MEMORY.read_text().split()[1])
            self._metrics.resident.set(pages * os.sysconf("SC_PAGE_SIZE"))
            self._metrics.open_files.set(len(os.listdir(_FILES)))

    async def _compare(self) -> None:
        """Compare the engine's clock with one's own."""
        while True:
            try:
                mean, most = await ahead_seconds(self._nodes)
                self._metrics.engine_ahead_seconds = mean
                self._metrics.clock_ahead.set(most)
            except RuntailError as error:
                log.info("the engine's clock was not read: %s", error)
            await asyncio.sleep(_CLOCK_SECONDS)

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        """Observe a collection: the collector calls this before and after."""
        if phase == "start":
            self._pausing = time.perf_counter()
        elif self._pausing is not None:
            took, self._pausing = time.perf_counter() - self._pausing, None
            self._metrics.pauses[info["generation"]].observe(took)
