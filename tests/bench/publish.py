"""Compare publishing with the plain way: a pipelined XADD of the same bytes, one entry a record.

Run as `python -m tests.bench.publish <contender> <redis url> <number>` in a process of its own; it
prints the records (or calls) a second and the CPU that each one cost this process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from redis import Redis
from tests.bench.figures import Claim, Run, Section, figures, in_turn
from tests.bench.processes import running
from tests.bench.worker import record

from runtail import Publisher

_AT_ONCE = 500
_UNITS = {"speed": "records/s", "cpu": "µs a record"}


def write_records(url: str, number: int) -> Run:
    """Publish ready-made records, acknowledged."""
    execution_id = f"publish-{time.time_ns()}"
    ready = [record(execution_id, i) for i in range(number)]
    with Publisher(url) as publisher, publisher.execution(execution_id) as run:
        _acknowledged(run.opened(10))

        def write() -> None:
            for start in range(0, number, _AT_ONCE):
                run.write(ready[start : start + _AT_ONCE])
            _acknowledged(publisher.flush(60))

        measured = _measured(write, number)
        _acknowledged(not publisher.counters.dropped)
    return measured


def add_records(url: str, number: int) -> Run:
    """Pipeline the same records into a plain stream."""
    stream = f"publish-{time.time_ns()}"
    ready = [record(stream, i) for i in range(number)]
    redis = Redis.from_url(url)
    redis.ping()

    def add() -> None:
        for start in range(0, number, _AT_ONCE):
            pipe = redis.pipeline(transaction=False)
            for one in ready[start : start + _AT_ONCE]:
                pipe.xadd(stream, {"f": one})
            pipe.execute()

    return _measured(add, number)


def log_records(url: str, number: int) -> Run:
    """Call `run.info` as workflow code does; the CPU of the calling thread is what it feels."""
    with Publisher(url) as publisher:
        with publisher.execution(f"publish-{time.time_ns()}") as run:
            _acknowledged(run.opened(10))
            began, used = time.perf_counter(), time.thread_time()
            for i in range(number):
                run.info("request served", step_name="load", input_data={"table": "orders", "n": i})
            seconds, cpu = time.perf_counter() - began, time.thread_time() - used
            _acknowledged(publisher.flush(60))
        _acknowledged(not publisher.counters.dropped)
    return {"speed": number / seconds, "cpu": cpu * 1e6 / number}


def _measured(act: Callable[[], None], number: int) -> Run:
    began, used = time.perf_counter(), time.process_time()
    act()
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    return {"speed": number / seconds, "cpu": cpu * 1e6 / number}


def _acknowledged(truth: bool) -> None:
    if not truth:
        raise RuntimeError("records were dropped or not acknowledged, expected all stored")


CONTENDERS = {"write": write_records, "xadd": add_records, "info": log_records}


def bench(url: str, *, repetitions: int, quick: bool) -> Section:
    """Run the contenders in turn, each in a fresh process."""
    number = 20_000 if quick else 80_000
    alone = (lambda name=name: _alone(name, url, number) for name in CONTENDERS)
    runs = dict(zip(CONTENDERS, in_turn(repetitions, *alone), strict=True))
    ours = figures("`run.write(records)` + flush", _UNITS, runs["write"])
    plain = figures("pipelined `XADD`, 500 a round trip", _UNITS, runs["xadd"])
    calls = figures(
        "`run.info(…)`, calling thread", {"speed": "calls/s", "cpu": "µs a call"}, runs["info"]
    )
    return Section(
        "Publishing",
        f"{number:,} ready-made records of 340 bytes from one process, all acknowledged; the CPU "
        "is that of the whole process. The last two rows, for information: calls that encode.",
        (*ours, *plain, *calls),
        (
            Claim("records/s, runtail over XADD", ours[0], plain[0], 2, at_least=True),
            Claim("CPU a record, XADD over runtail", plain[1], ours[1], 2, at_least=True),
        ),
    )


def _alone(name: str, url: str, number: int) -> Run:
    with running("tests.bench.publish", name, url, str(number)) as child:
        measured: Run = child.answer()
        return measured


if __name__ == "__main__":
    print(json.dumps(CONTENDERS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))), flush=True)
