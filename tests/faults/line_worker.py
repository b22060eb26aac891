"""A worker of the SDK that logs numbered lines, and notes what it is told of them."""

from __future__ import annotations

import asyncio
import time

from tests.faults.witness import Record, WorkerWord, mark_of
from tests.proxy import Proxy

from runtail import Publisher, PublisherSettings
from runtail_broker.errors import RuntailError


class LineWorker:
    """One publisher behind a proxy of its own. The first one owns the execution."""

    def __init__(
        self, url: str, execution_id: str, settings: PublisherSettings, *, owner: bool
    ) -> None:
        self.link = Proxy(url)
        self._publisher = Publisher(self.link.url, settings=settings)
        begin = self._publisher.execution if owner else self._publisher.join
        self._run = begin(execution_id)
        self.word = WorkerWord(self._publisher.id)

    def say(self, count: int, size: int) -> None:
        """Log *count* lines of about *size* characters."""
        word = self.word
        for _ in range(count):
            line = f"{word.name} {word.said} ".ljust(size, "x")
            began = time.monotonic()
            try:
                self._run.info(line)
            except Exception as error:  # noqa: BLE001 - whatever it is, a call may not raise
                word.error = repr(error)
            word.slowest_seconds = max(word.slowest_seconds, time.monotonic() - began)
            word.said += 1

    async def flush(self, seconds: float) -> bool:
        """Wait until all is stored, and note it if so."""
        said = self.word.said
        if not await asyncio.to_thread(self._publisher.flush, seconds):
            return False
        self.word.acknowledged = said
        return True

    def look_for_it(self, stored: list[Record]) -> None:
        """Look whether the last acknowledged line can be read, or the worker's losses come last."""
        last = (self.word.name, self.word.acknowledged - 1)
        losses = [r for r in stored if r.get("publisher") == self.word.name and "lost" in r]
        if not losses and all(mark_of(record) != last for record in stored):
            self.word.unreadable = f"line {last[1]} was acknowledged and cannot be read"

    def finish(self) -> None:
        """Leave the execution; an owner completes it."""
        self._run.finish()

    async def close(self) -> None:
        """End the publisher, and note its figures."""
        try:
            await asyncio.to_thread(self._publisher.close, 2.0)
            self.word.counters = self._publisher.counters
        except RuntailError as error:
            self.word.error = repr(error)
        finally:
            await asyncio.to_thread(self.link.close)
