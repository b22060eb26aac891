"""Publish what workers log: the part that a worker makes once and keeps."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import secrets
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from runtail.ask import Leave, Role
from runtail.buffer import Buffer, Counters
from runtail.courier import Courier
from runtail.held import Held
from runtail.journal import Journal
from runtail.run import Execution
from runtail.settings import DEFAULTS, PublisherSettings
from runtail_broker.engine import find_engine

_EXIT_SECONDS = 5.0  # for a publisher that nobody closed, at the exit of its process
_STOP_SECONDS = 2.0


class Publisher:
    """Publish the logs of executions, from a thread of its own; safe from any thread.

    Nothing here blocks (but `flush` and `close`) or raises, whatever the engine does: records wait
    in a bounded buffer and are stored once, in order; what had to be dropped is counted and told to
    the viewers. Without *redis_url* it is `$RUNTAIL_REDIS_URL`, else the engine that runs on this
    machine; it may start later than the worker.
    """

    def __init__(
        self, redis_url: str | None = None, *, settings: PublisherSettings = DEFAULTS
    ) -> None:
        self.id = secrets.token_hex(8)
        self._settings = settings
        self._given_url = redis_url
        self._buffer = Buffer(settings)
        self._held = Held(settings.max_held_bytes, settings.held_seconds)
        self._courier = Courier(self._buffer, self._held, settings, self._find_engine)
        self._openings: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closed: bool | None = None
        self._at_exit = _close_at_exit(self)

    def execution(self, execution_id: str, *, workflow_id: str = "") -> Execution:
        """Begin the execution *execution_id*, as its owner: this worker's leaving ends it.

        If it has finished before, the records go to `<id>.2`, `.3` …: see `Execution.opened`.
        Raises InvalidExecutionId, a programming error, before any work is done.
        """
        return self._open(execution_id, "owner", workflow_id)

    def join(self, execution_id: str) -> Execution:
        """Take part in an execution that another worker owns; it ends after all have left.

        Raises InvalidExecutionId, a programming error, before any work is done.
        """
        return self._open(execution_id, "participant", "")

    @property
    def counters(self) -> Counters:
        """What became of the records so far."""
        return self._buffer.counters(self._courier.retried)

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was published before is stored; False after *timeout* seconds.

        Executions that were left before have then ended as far as this publisher can tell.
        """
        return self._flushed(timeout) if self._closed is None else self._closed

    def close(self, timeout: float = 5.0) -> bool:
        """Leave all executions, flush, end the thread; return whether everything is stored.

        Waits a little more than *timeout* seconds at most. What is published later is dropped.
        Doing it twice is safe.
        """
        with self._lock:
            if self._closed is None:
                self._leave_all()
                self._closed = self._flushed(timeout)
                self._buffer.close()
                self._courier.stop(_STOP_SECONDS)
                atexit.unregister(self._at_exit)
            return self._closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _flushed(self, timeout: float) -> bool:
        waiting = self._courier.flush()
        concurrent.futures.wait([waiting], timeout)
        return waiting.done() and waiting.result()

    def _leave_all(self) -> None:
        for journal in self._courier.journals:
            journal.leave(Leave())
            self._courier.notice(journal)

    def _open(self, execution_id: str, role: Role, workflow_id: str) -> Execution:
        with self._lock:
            self._openings[execution_id] += 1
            count = self._openings[execution_id]
        # batches are numbered by publisher and execution: a second opening needs an id of its own
        publisher = self.id if count == 1 else f"{self.id}-{count}"
        journal = Journal(
            publisher, execution_id, role, workflow_id, held=self._held, settings=self._settings
        )
        return Execution(journal, self._buffer, self._courier, self._settings)

    def _find_engine(self) -> str | None:
        return self._given_url or os.environ.get("RUNTAIL_REDIS_URL") or find_engine()


class AsyncPublisher:
    """Publish from asyncio code: the same publisher, of which only `flush` and `close` wait.

    Its thread is its own, so a blocked event loop does not stop its beats.
    """

    def __init__(
        self, redis_url: str | None = None, *, settings: PublisherSettings = DEFAULTS
    ) -> None:
        self._publisher = Publisher(redis_url, settings=settings)

    @property
    def id(self) -> str:
        """The publisher's id, new in every process."""
        return self._publisher.id

    @property
    def counters(self) -> Counters:
        """What became of the records so far."""
        return self._publisher.counters

    def execution(self, execution_id: str, *, workflow_id: str = "") -> Execution:
        """Do what `Publisher.execution` does; leave by `async with` or `with`."""
        return self._publisher.execution(execution_id, workflow_id=workflow_id)

    def join(self, execution_id: str) -> Execution:
        """Do what `Publisher.join` does; leave by `async with` or `with`."""
        return self._publisher.join(execution_id)

    async def flush(self, timeout: float = 5.0) -> bool:
        """Do what `Publisher.flush` does, without blocking the event loop."""
        return await asyncio.to_thread(self._publisher.flush, timeout)

    async def close(self, timeout: float = 5.0) -> bool:
        """Do what `Publisher.close` does, without blocking the event loop."""
        return await asyncio.to_thread(self._publisher.close, timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _close_at_exit(publisher: Publisher) -> Callable[[], None]:
    reference = weakref.ref(publisher)  # else every publisher would live until the exit

    def close() -> None:
        forgotten = reference()
        if forgotten is not None:
            forgotten.close(_EXIT_SECONDS)

    return atexit.register(close)
