"""A worker of the SDK that logs numbered lines, and notes what it is told of them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from tests.faults.witness import Record, WorkerWord, mark_of
from tests.proxy import Proxy

from runtail import Publisher, PublisherSettings
from runtail_broker.errors import RuntailError


@dataclass(frozen=True, slots=True)
class Direct:
    """No proxy: the servers of a cluster lead past any."""

    url: str

    def forward(self) -> None:
        """There is nothing in the way."""

    def close(self) -> None:
        """There is nothing to close."""


Link = Proxy | Direct


class LineWorker:
    """One publisher, which reaches the engine over *link*. The first one owns the execution."""

    def __init__(
        self, link: Link, execution_id: str, settings: PublisherSettings, *, owner: bool
    ) -> None:
        self.link = link
        self._publisher = Publisher(self.link.url, settings=settings)
        begin = self._publisher.execution if owner else self._publisher.join
        self._run = begin(execution_id)
        self.word = WorkerWord(self._publisher.id)
        self._forgiven = False

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
            took, self._forgiven = 0.0 if self._forgiven else time.monotonic() - began, False
            word.slowest_seconds = max(word.slowest_seconds, took)
            word.said += 1

    def forgive(self) -> None:
        """Leave out how long the call takes that is under way: the process was stopped in it."""
        self._forgiven = True

    async def flush(self, seconds: float) -> bool:
        """Wait until all is stored, and note it if so."""
        said = self.word.said
        if not await asyncio.to_thread(self._publisher.flush, seconds):
            return False
        self.word.acknowledged = said
        return True

    def look_for_it(self, stored: list[Record]) -> None:
        """See `look_for_last`."""
        look_for_last(self.word, stored)

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


def look_for_last(word: WorkerWord, stored: list[Record]) -> None:
    """Look whether the last acknowledged line can be read, or the worker's losses come last."""
    last = (word.name, word.acknowledged - 1)
    losses = [r for r in stored if r.get("publisher") == word.name and "lost" in r]
    if not losses and all(mark_of(record) != last for record in stored):
        word.unreadable = f"line {last[1]} was acknowledged and cannot be read"
