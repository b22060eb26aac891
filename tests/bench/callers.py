"""The ways to log whose cost `call_cost` compares.

Run as `python -m tests.bench.callers <contender> <redis url> <number>` in a process of its own; it
prints its figures as JSON. Masking is on, with one secret registered.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import queue
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psutil
from redis import Redis
from tests.bench.figures import percentile
from tests.bench.records import record
from tests.bench.results import Run

from runtail import Publisher
from runtail.masks.masking import mask, unmask_all
from runtail_broker.engines.engine import start_engine

_AT_ONCE = 500
_ROUND = 20_000  # calls between two flushes: far from a full buffer, so that none is dropped
_MANY = 64  # executions


def one_call(run: Any, n: int) -> None:
    """Log as workflow code does."""
    run.info(
        "row transformed",
        step_name="transform",
        input_data={"table": "orders", "offset": n},
        output_data={"rows": 500, "status": "ok"},
        duration_ms=12.5,
    )


def fields_of(n: int) -> dict[str, Any]:
    """Build the record that the call above builds, for those who build it themselves."""
    return {
        "execution_id": "plain",
        "level": "info",
        "message": "row transformed",
        "step_name": "transform",
        "input_data": {"table": "orders", "offset": n},
        "output_data": {"rows": 500, "status": "ok"},
        "duration_ms": 12.5,
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def info_calls(url: str, number: int) -> Run:
    """Call `run.info` with one secret registered, acknowledged."""
    mask("correct-horse-battery-staple")
    return _calls(url, number, 1)


def info_to_many(url: str, number: int) -> Run:
    """Do the same on 64 executions in turn."""
    mask("correct-horse-battery-staple")
    return _calls(url, number, _MANY)


def info_without_secrets(url: str, number: int) -> Run:
    """Call `run.info` with nothing registered: only names of credentials are looked for."""
    unmask_all()
    return _calls(url, number, 1)


def _calls(url: str, number: int, executions: int) -> Run:
    with Publisher(url) as publisher:
        runs = [publisher.execution(f"call-{time.time_ns()}-{i}") for i in range(executions)]
        _acknowledged(all(run.opened(10) for run in runs))
        one_call(runs[0], 0)
        _acknowledged(publisher.flush(10))
        caller, everything = 0.0, time.process_time()
        began = time.perf_counter()
        for start in range(0, number, _ROUND):
            used = time.thread_time()
            for i in range(start, min(start + _ROUND, number)):
                one_call(runs[i % executions], i)
            caller += time.thread_time() - used
            _acknowledged(publisher.flush(60))
        seconds = time.perf_counter() - began
        everything = time.process_time() - everything
        _acknowledged(not publisher.counters.dropped)
    return _costs(caller, everything, seconds, number)


def file_calls(url: str, number: int) -> Run:
    """Log the same text and data with stdlib logging to a file."""
    with tempfile.TemporaryDirectory() as folder:
        handler = logging.FileHandler(Path(folder) / "log")
        return _logged(handler, number)


def queue_calls(url: str, number: int) -> Run:
    """Log with a QueueHandler whose listener writes a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = logging.FileHandler(Path(folder) / "log")
        waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        listener = logging.handlers.QueueListener(waiting, file)
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        listener.start()
        return _logged(logging.handlers.QueueHandler(waiting), number, listener.stop)


def _logged(
    handler: logging.Handler, number: int, finish: Callable[[], None] = lambda: None
) -> Run:
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.Logger("bench", logging.INFO)
    log.addHandler(handler)
    began, everything, used = time.perf_counter(), time.process_time(), time.thread_time()
    for n in range(number):
        log.info(
            "row transformed step=%s input=%s output=%s duration_ms=%s",
            "transform",
            {"table": "orders", "offset": n},
            {"rows": 500, "status": "ok"},
            12.5,
        )
    caller = time.thread_time() - used
    finish()
    handler.close()
    everything = time.process_time() - everything
    return _costs(caller, everything, time.perf_counter() - began, number)


def xadd_calls(url: str, number: int) -> Run:
    """Build and encode the same record and pipeline it into a plain stream."""
    with Redis.from_url(url) as redis:
        redis.ping()
        stream = f"call-{time.time_ns()}"
        began, everything, used = time.perf_counter(), time.process_time(), time.thread_time()
        for start in range(0, number, _AT_ONCE):
            pipe = redis.pipeline(transaction=False)
            for n in range(start, min(start + _AT_ONCE, number)):
                pipe.xadd(stream, {"f": orjson.dumps(fields_of(n))})
            pipe.execute()
        caller = time.thread_time() - used
        everything = time.process_time() - everything
        return _costs(caller, everything, time.perf_counter() - began, number)


def frozen_calls(url: str, number: int) -> Run:
    """Time each call while the engine stands still; then go on until the buffer is full."""
    mask("correct-horse-battery-staple")
    with (
        tempfile.TemporaryDirectory() as folder,
        start_engine(Path(folder), appendonly="no") as engine,
        Publisher(engine.url) as publisher,
    ):
        run = publisher.execution("frozen")
        _acknowledged(run.opened(10))
        before = psutil.Process().memory_info().rss
        with _stopped(engine.url):
            walls = [_wall(run, n) for n in range(number // 2)]
            for n in range(110_000 - number // 2):  # the buffer holds 100,000
                one_call(run, n)
            grown = psutil.Process().memory_info().rss - before
            _acknowledged(publisher.counters.dropped > 0)
    quantiles = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    shares = {name: percentile(walls, share) for name, share in quantiles.items()}
    return shares | {"memory": grown / 1e6}


def _wall(run: Any, n: int) -> float:
    began = time.perf_counter_ns()
    one_call(run, n)
    return (time.perf_counter_ns() - began) / 1000


@contextmanager
def _stopped(url: str) -> Iterator[None]:
    with Redis.from_url(url) as redis:
        engine = int(redis.info("server")["process_id"])
    os.kill(engine, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(engine, signal.SIGCONT)


def write_to_one(url: str, number: int) -> Run:
    """Write ready-made records to one execution, acknowledged."""
    return _written(url, number, 1)


def write_to_many(url: str, number: int) -> Run:
    """Write ready-made records to 64 executions in turn, acknowledged."""
    return _written(url, number, _MANY)


def _written(url: str, number: int, executions: int) -> Run:
    mask("correct-horse-battery-staple")
    with Publisher(url) as publisher:
        runs = [publisher.execution(f"write-{time.time_ns()}-{i}") for i in range(executions)]
        _acknowledged(all(run.opened(10) for run in runs))
        ready = [[record(run.id, i) for i in range(number // executions)] for run in runs]
        began, everything = time.perf_counter(), time.process_time()
        for start in range(0, number // executions, _AT_ONCE):
            for run, records in zip(runs, ready, strict=True):
                run.write(records[start : start + _AT_ONCE])
        _acknowledged(publisher.flush(60))
        seconds, everything = time.perf_counter() - began, time.process_time() - everything
        _acknowledged(not publisher.counters.dropped)
    return {"speed": number / seconds, "all": everything * 1e6 / number}


def wrapped_lines(url: str, number: int) -> Run:
    """Run `seq` under `runtail run`, from start to end, all lines acknowledged."""
    lines = 10 * number
    command = [sys.executable, "-m", "runtail", "run", "--quiet", "--", "seq", str(lines)]
    began, used = time.perf_counter(), _children_seconds()
    ended = subprocess.run(
        command,
        env=os.environ | {"RUNTAIL_REDIS_URL": url, "BENCH_PASSWORD": "correct-horse"},
        stderr=subprocess.PIPE,
        check=True,
    )
    _acknowledged(not ended.stderr)  # there it says what was not stored
    seconds = time.perf_counter() - began
    return {"speed": lines / seconds, "all": (_children_seconds() - used) * 1e6 / lines}


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _costs(caller: float, everything: float, seconds: float, number: int) -> Run:
    scale = 1e6 / number
    return {"caller": caller * scale, "all": everything * scale, "speed": number / seconds}


def _acknowledged(truth: bool) -> None:
    if not truth:
        raise RuntimeError("records were dropped or not acknowledged, expected otherwise")


CONTENDERS: dict[str, Callable[[str, int], Run]] = {
    "info": info_calls,
    "spread": info_to_many,
    "bare": info_without_secrets,
    "file": file_calls,
    "queue": queue_calls,
    "xadd": xadd_calls,
    "frozen": frozen_calls,
    "one": write_to_one,
    "many": write_to_many,
    "wrap": wrapped_lines,
}


if __name__ == "__main__":
    print(json.dumps(CONTENDERS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))), flush=True)
