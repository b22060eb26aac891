"""Run several gateway processes on one address: a parent that serves nobody, and its workers.

All workers accept from the same listening sockets, which the parent holds: a worker that dies
loses nobody who had not been accepted yet. One that dies is started again, later each time.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from tempfile import TemporaryDirectory
from typing import Any, Final

from runtail.delivery.backoff import Backoff
from runtail_gateway.app import create_app
from runtail_gateway.metrics.shared_metrics import share, vacated
from runtail_gateway.serving.serve import server
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.web.access_log import write_access_log

_SPAWN: Final = multiprocessing.get_context("spawn")  # a fork would share what has threads
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.2, 15.0  # before a worker is started again
_HEALTHY_SECONDS: Final = 30.0  # one that lived that long did not die of how it was started
_SLACK_SECONDS: Final = 5.0  # beyond what a worker allows itself for its end


@dataclass(frozen=True, slots=True)
class Job:
    """What each worker does."""

    redis_url: str
    settings: GatewaySettings
    sockets: list[socket.socket]


class Workers:
    """So many workers, kept alive until a signal ends them all."""

    def __init__(self, count: int, job: Job, on_started: Callable[[], None]) -> None:
        self._job, self._on_started = job, on_started
        self._metrics = TemporaryDirectory(prefix="runtail-metrics-")
        self._seats = [_Seat(job, number, self._metrics.name) for number in range(count)]
        self._told = False
        self._signals: list[int] = []

    def run(self) -> None:
        """Keep the workers alive; return after SIGTERM or SIGINT, once all have ended."""
        with self._metrics, _woken_by_signals(self._signals) as woken:
            try:
                while not self._signals:
                    self._look_after(woken)
                self._end(woken)
            finally:
                for seat in self._seats:
                    seat.kill()

    def _look_after(self, woken: int) -> None:
        for seat in self._seats:
            seat.fill()
        pause = min(seat.due_seconds() for seat in self._seats)
        told: list[Any] = [each for seat in self._seats for each in seat.waited_for()]
        wait([woken, *told], timeout=pause)
        for seat in self._seats:
            if seat.has_started() and not self._told:
                self._told = True
                self._on_started()

    def _end(self, woken: int) -> None:
        """Pass on the signal, and a second one too; the workers end within their own limits."""
        settings, passed = self._job.settings, 0
        seconds = settings.drain_seconds + settings.grace_seconds + _SLACK_SECONDS
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for number in self._signals[passed:]:
                for seat in self._seats:
                    seat.signal(number)
            passed = len(self._signals)
            living = [seat.process.sentinel for seat in self._seats if seat.lives()]
            if not living:
                return
            wait([woken, *living], timeout=until - time.monotonic())
            _empty(woken)


class _Seat:
    """The place of one worker, which may be empty for a while; it counts under its *number*."""

    def __init__(self, job: Job, number: int, metrics: str) -> None:
        self._job, self._number, self._metrics = job, number, metrics
        self._backoff = Backoff(_SHORTEST_SECONDS, _LONGEST_SECONDS)
        self._process: SpawnProcess | None = None
        self._since = 0.0
        self._started: Connection | None = None

    @property
    def process(self) -> SpawnProcess:
        assert self._process is not None
        return self._process

    def lives(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def fill(self) -> None:
        """Start a worker if there is none and it is time."""
        now = time.monotonic()
        if self._process is not None and not self._process.is_alive():
            self._bury(now)
        if self._process is None and now >= self._backoff.until:
            self._started, told = _SPAWN.Pipe(duplex=False)
            counting = (self._metrics, self._number)
            self._process = _SPAWN.Process(target=_work, args=(self._job, told, *counting))
            self._process.start()
            self._since = now
            told.close()

    def due_seconds(self) -> float:
        """How long until it has to be looked at, if nothing happens."""
        return 60.0 if self._process else max(0.0, self._backoff.until - time.monotonic())

    def waited_for(self) -> list[int | Connection]:
        """What becomes readable when something happens to it."""
        process = [] if self._process is None else [self._process.sentinel]
        return [*process, *([] if self._started is None else [self._started])]

    def has_started(self) -> bool:
        """Whether its worker has just begun to serve."""
        started = self._started
        if started is None or not started.poll():
            return False
        self._started = None
        with started, suppress(EOFError):  # the end comes instead if it died
            return bool(started.recv())
        return False

    def signal(self, number: int) -> None:
        if self._process is not None and self._process.pid and self._process.is_alive():
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def _bury(self, now: float) -> None:
        told = f"runtail: a worker ended with code {self.process.exitcode}, starting another"
        print(told, file=sys.stderr)  # noqa: T201
        if now - self._since > _HEALTHY_SECONDS:
            self._backoff.succeeded()
        self._backoff.failed(now)
        self.process.close()
        self._process = self._started = None
        vacated(self._metrics, self._number)


def _work(job: Job, started: Connection, metrics: str, seat: int) -> None:
    """Be a worker."""
    share(metrics, seat)
    os.setpgid(0, 0)  # Ctrl-C reaches the parent alone, which passes it on: once, not twice
    threading.Thread(target=_end_with_the_parent, daemon=True).start()

    def tell() -> None:
        with suppress(OSError):
            started.send(True)
            started.close()

    if job.settings.access_log:
        write_access_log()
    with suppress(KeyboardInterrupt):
        server(create_app(job.settings, job.redis_url), on_started=tell).run(sockets=job.sockets)


def _end_with_the_parent() -> None:
    """End as a service manager would, however the parent ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _woken_by_signals(received: list[int]) -> Iterator[int]:
    """Note the signals that end a service in *received*; yield what is readable when one came."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def note(number: int, _: object) -> None:
        received.append(number)
        os.write(writing, b"!")

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield reading
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _empty(readable: int) -> None:
    with suppress(BlockingIOError):
        os.read(readable, 64)
