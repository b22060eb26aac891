"""Publish what workers log: the part that a worker makes once and keeps."""

from __future__ import annotations

import concurrent.futures
import itertools
import logging
import os
import secrets
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, overload

from runtail import debugging
from runtail.block import ExecutionBlock
from runtail.delivery.ask import Leave, Role
from runtail.delivery.backoff import RareWarnings
from runtail.delivery.buffer import Buffer, Counters
from runtail.delivery.courier import Courier
from runtail.delivery.held import Held
from runtail.delivery.journal import Journal
from runtail.delivery.spill import Spill
from runtail.process import follow_exit, follow_forks, may_wait
from runtail.process import handle_sigterm as _handle_sigterm
from runtail.run import Execution
from runtail.settings import DEFAULTS, PublisherSettings
from runtail_broker.engines.engine import find_engine
from runtail_broker.records.record import encode

if TYPE_CHECKING:
    from runtail.delivery.http_nodes import Token

_STOP_SECONDS: Final = 2.0
_SPILL_SECONDS: Final = 10.0  # in all, for what still has to be written down at the exit
_LOGGER: Final = logging.getLogger("runtail")
_UNPICKLED: Final[weakref.WeakValueDictionary[str, Publisher]] = weakref.WeakValueDictionary()


class Publisher:
    """Publish the logs of executions, from a thread of its own; safe from any thread.

    Nothing here blocks (but `flush` and `close`) or raises, whatever the engine does: records wait
    in a bounded buffer and are stored once, in order; what had to be dropped is counted and told to
    the viewers. The engine is at *redis_url*, or behind the gateway at *url* (http or https), which
    is shown *token*, a text or a function that gives one (`$RUNTAIL_TOKEN`). Without either it is
    `$RUNTAIL_REDIS_URL`, `$RUNTAIL_GATEWAY_URL`, else the engine that runs on this machine; it may
    start later than the worker. Both at once raise ValueError.

    A forked child has another publisher in it, with an id, a thread and a connection of its own and
    an empty buffer; its executions take part in those of the parent. A pickled one is made anew in
    the process that unpickles it, once. With *handle_sigterm* (from the main thread only) SIGTERM
    first brings everything to safety and cancels the executions, then does what it did before.
    """

    def __init__(
        self,
        redis_url: str | None = None,
        *,
        url: str | None = None,
        token: Token | None = None,
        settings: PublisherSettings = DEFAULTS,
        handle_sigterm: bool = False,
    ) -> None:
        if redis_url is not None and url is not None:
            raise ValueError("redis_url and url are both given, expected one of them")
        self.id = secrets.token_hex(8)
        self._settings = settings
        self._given_url = redis_url if url is None else url
        self._token = os.environ.get("RUNTAIL_TOKEN") if token is None else token
        self._handles_sigterm = handle_sigterm
        self._buffer = Buffer(settings, may_wait)
        self._held = Held(settings.max_held_bytes, settings.held_seconds)
        self._courier = Courier(
            self._buffer,
            self._held,
            settings,
            self._find_engine,
            self._follow_exit,
            self._token,
        )
        self._runs: weakref.WeakSet[Execution] = weakref.WeakSet()
        self._closed: bool | None = None
        self._forget_exit: list[Callable[[], None]] = []
        self._begin()
        follow_forks(self)
        if handle_sigterm:
            _handle_sigterm(self)
        if settings.spill_folder is not None:
            self._courier.start(self._new_spill())

    def begin_anew(self) -> None:
        """Be another publisher, as a forked child must; called by itself there."""
        self.id = secrets.token_hex(8)
        self._begin()
        self._buffer.begin_anew()
        self._held.begin_anew()
        for run in self._runs:
            run.begin_anew(self._id_for(run.id))
        self._courier.begin_anew(self._new_spill())

    def _follow_exit(self) -> None:
        self._forget_exit.append(follow_exit(self))

    def _begin(self) -> None:
        self._openings: dict[str, Iterator[int]] = {}
        # a signal handler may do anything too, whatever it interrupts
        self._lock = threading.RLock()
        self._runs_lock = threading.RLock()

    @overload
    def execution(self, execution_id: str, *, workflow_id: str = "") -> Execution: ...
    @overload
    def execution(self, execution_id: None = None, *, workflow_id: str = "") -> ExecutionBlock: ...
    def execution(
        self, execution_id: str | None = None, *, workflow_id: str = ""
    ) -> Execution | ExecutionBlock:
        """Begin the execution *execution_id*, as its owner: this worker's leaving ends it.

        If it has finished before, the records go to `<id>.2`, `.3` …: see `Execution.opened`.
        Without an id it begins, with an id made for it, when the block is entered or the decorated
        function is called: see `ExecutionBlock`.
        Raises InvalidExecutionId, a programming error, before any work is done.
        """
        if execution_id is None:
            return ExecutionBlock(self.execution, workflow_id)
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
        self._flush_progress()
        return self._flushed(timeout) if self._closed is None else self._closed

    def close(self, timeout: float = 5.0) -> bool:
        """Leave all executions, flush, end the thread; return whether everything is stored.

        Waits a little more than *timeout* seconds at most. What is published later is dropped.
        Doing it twice is safe.
        """
        with self._lock:
            if self._closed is None:
                self._flush_progress()
                self._leave_all()
                self._closed = self._flushed(timeout)
                self._buffer.close()
                self._courier.stop(_SPILL_SECONDS if self._settings.spill_folder else _STOP_SECONDS)
                for forget in self._forget_exit:
                    forget()
                debugging.say("closed", publisher=self.id, counters=self.counters)
            return self._closed

    def close_at_exit(self) -> None:
        """Do what `close` does, in the time that the settings give the exit of a process."""
        self.close(self._settings.exit_seconds)

    def interrupt(self, signal_name: str) -> None:
        """Say that *signal_name* interrupts the worker, cancel its executions, flush or spill.

        Waits at most as long as the settings give the exit of a process, and for the spilling.
        """
        self._flush_progress()
        for journal in self._courier.journals:
            if journal.leaving is None:
                fields = {"level": "warning", "message": f"interrupted by {signal_name}"}
                self._buffer.add(journal, encode(journal.execution_id, fields))
                journal.leave(Leave("cancelled", signal_name))
                self._courier.notice(journal)
        if not self._flushed(self._settings.exit_seconds):
            concurrent.futures.wait([self._courier.spill()], _SPILL_SECONDS)

    def __reduce__(self) -> tuple[object, ...]:
        way = self._given_url, self._token
        return _unpickled, (self.id, *way, self._settings, self._handles_sigterm)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def flushing(self) -> concurrent.futures.Future[bool]:
        """Begin what `flush` waits for; at once, without waiting."""
        return self._courier.flush()

    def _flushed(self, timeout: float) -> bool:
        waiting = self.flushing()
        concurrent.futures.wait([waiting], timeout)
        return waiting.done() and waiting.result()

    def _leave_all(self) -> None:
        for journal in self._courier.journals:
            journal.leave(Leave())
            self._courier.notice(journal)

    def _open(self, execution_id: str, role: Role, workflow_id: str) -> Execution:
        journal = Journal(
            self._id_for(execution_id),
            execution_id,
            role,
            workflow_id,
            held=self._held,
            settings=self._settings,
        )
        execution = Execution(journal, self._buffer, self._courier, self._settings)
        with self._runs_lock:
            self._runs.add(execution)
        return execution

    def _id_for(self, execution_id: str) -> str:
        """Name this publisher for one more opening: batches are numbered by name and execution."""
        count = next(self._openings.setdefault(execution_id, itertools.count(1)))  # one step each
        return self.id if count == 1 else f"{self.id}-{count}"

    def _flush_progress(self) -> None:
        with self._runs_lock:
            runs = list(self._runs)
        for run in runs:
            run.flush_progress()

    def _new_spill(self) -> Spill | None:
        settings = self._settings
        if settings.spill_folder is None:
            return None
        warnings = RareWarnings(_LOGGER, settings.warning_seconds)
        folder = Path(settings.spill_folder)
        return Spill(self.id, folder, settings, self._buffer, self._held, warnings)

    def _find_engine(self) -> str | None:
        named = os.environ.get("RUNTAIL_REDIS_URL") or os.environ.get("RUNTAIL_GATEWAY_URL")
        return self._given_url or named or find_engine()


def _unpickled(
    pickled_id: str,
    given_url: str | None,
    token: Token | None,
    settings: PublisherSettings,
    handles_sigterm: bool,
) -> Publisher:
    """Make a publisher in place of a pickled one, or give the one that was made for it before."""
    publisher = _UNPICKLED.get(pickled_id)
    if publisher is None:
        publisher = Publisher(
            given_url, token=token, settings=settings, handle_sigterm=handles_sigterm
        )
        _UNPICKLED[pickled_id] = publisher
    return publisher
