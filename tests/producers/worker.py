"""A worker with one execution, whose logs can be read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.producers.stored import Stored

from runtail import Execution, Publisher, PublisherSettings


class Worker:
    """A publisher, its execution `run`, and what the engine holds of that."""

    def __init__(self, publisher: Publisher, run: Execution, stored: Stored) -> None:
        self.publisher, self.run, self._stored = publisher, run, stored

    def logs(self) -> list[dict[str, Any]]:
        """List the log records that were published until now."""
        assert self.publisher.flush(15)
        return [record for record in self._stored.records(self.run.id) if "kind" not in record]

    def messages(self) -> list[str]:
        """List their messages."""
        return [record["message"] for record in self.logs()]

    def log(self) -> dict[str, Any]:
        """Return the only log record."""
        (record,) = self.logs()
        return record


@contextmanager
def working(engine_url: str, stored: Stored, execution_id: str) -> Iterator[Worker]:
    """Open *execution_id* with a publisher of its own."""
    with Publisher(engine_url, settings=PublisherSettings(beat_seconds=0.2)) as publisher:
        yield Worker(publisher, publisher.execution(execution_id), stored)
