"""Move executions into the archive, a few at a time, beside whatever else a gateway does.

Whoever keeps house says which; what is lost here (the queue is full, this process ends) is found
again in the next round.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Self

from runtail_broker.archives.archiving import Archiving, Changed
from runtail_broker.connections.ending import end
from runtail_broker.errors import ArchiveUnavailable, RuntailError
from runtail_gateway.keeping.housekeeping import FileNotes, Moving, PutAway
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.settings import GatewaySettings

log = logging.getLogger("runtail.gateway")


class Archivist:
    """Archive and release what it is told. Use as an async context manager, within one loop."""

    def __init__(self, archiving: Archiving, settings: GatewaySettings, metrics: Metrics) -> None:
        self.archiving = archiving
        self._settings, self._metrics = settings, metrics
        self._waiting: asyncio.Queue[Moving] = asyncio.Queue(settings.archive_queue)
        self._known: set[str] = set()

    async def __aenter__(self) -> Self:
        at_once = range(self._settings.archives_at_once)
        self._tasks = [asyncio.create_task(self._run(), name="archivist") for _ in at_once]
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(*self._tasks)

    def want(self, verdict: Moving) -> None:
        """Do *verdict* soon, unless it is under way or too many wait."""
        if verdict.id not in self._known and not self._waiting.full():
            self._known.add(verdict.id)
            self._waiting.put_nowait(verdict)

    async def _run(self) -> None:
        while True:
            verdict = await self._waiting.get()
            try:
                await self._carry_out(verdict)
            finally:
                self._known.discard(verdict.id)

    async def _carry_out(self, verdict: Moving) -> None:
        """Do it; whatever goes wrong, it stays in the engine and comes again."""
        try:
            if isinstance(verdict, PutAway):
                self._metrics.archived_bytes.inc(await self.archiving.archive(verdict.id))
                self._metrics.archived.inc()
            elif isinstance(verdict, FileNotes):
                await self.archiving.archive_notes(verdict.id)
            else:
                await self.archiving.release(verdict.id, self._settings.archive_grace_seconds)
                self._metrics.released.inc()
        except Changed as error:
            log.info("not archived now: %s", error)
        except RuntailError as error:
            self._metrics.archive_errors.inc()
            log.warning("%s was not archived, it stays in the engine: %s", verdict.id, error)
            if isinstance(error, ArchiveUnavailable):
                await asyncio.sleep(random.uniform(0, self._settings.housekeeping_seconds))
        except Exception:  # whatever it is, the next one must get its turn
            self._metrics.archive_errors.inc()
            log.exception("%s was not archived, it stays in the engine", verdict.id)
