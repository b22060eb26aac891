"""Look now and then whether the engine keeps logs safely; warn, and say it in a metric."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Self

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.ending import end
from runtail_broker.engines.examine import Examined, examine
from runtail_broker.errors import RuntailError
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.settings import GatewaySettings

log = logging.getLogger("runtail.gateway")


class EngineWatch:
    """Examines all primaries, at the start and again and again. Use as an async context manager.

    Each thing that is wrong is warned of once while it lasts.
    """

    def __init__(self, nodes: Nodes, settings: GatewaySettings, metrics: Metrics) -> None:
        self._nodes, self._seconds, self._metrics = nodes, settings.engine_check_seconds, metrics
        self._told: set[tuple[str, str, str]] = set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="examine the engine")
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._task)

    async def _run(self) -> None:
        while True:
            try:
                self._tell(await examine(self._nodes))
            except RuntailError as error:
                log.info("the engine was not examined: %s", error)
            except Exception:  # an INFO that nobody expected must not end the looks
                log.exception("the engine was not examined")
            await asyncio.sleep(self._seconds * random.uniform(0.8, 1.2))

    def _tell(self, examined: list[Examined]) -> None:
        wrong = [
            (each.place, finding)
            for each in examined
            for finding in each.findings
            if finding.level != "ok"
        ]
        self._metrics.unsafe({finding.subject for _, finding in wrong})
        for place, finding in wrong:
            if (place, finding.subject, finding.level) not in self._told:
                log.warning("%s: %s; %s", place, finding.text, finding.advice)
        self._told = {(place, finding.subject, finding.level) for place, finding in wrong}
