"""W5: publish until it is acknowledged, each way in a process of its own.

Run as `python -m tests.bench.acknowledged <way> <feed as JSON> <records>`; prints what it took.
`write` hands ready-made records to the SDK, and `xadd` writes the same bytes with redis-py; `info`
calls the SDK as workflow code does, and `built` builds and encodes the same record for `XADD`.
The peers publish ready-made records by their own clients.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from psutil import Process
from redis import Redis
from tests.bench.callers import fields_of, one_call
from tests.bench.contender import Engine, contender, feeder
from tests.bench.processes import Usage, running
from tests.bench.records import numbered, record
from tests.bench.results import Run
from tests.bench.store import bytes_of_files, kept
from tests.bench.workloads import Sizes, names

from runtail import Publisher, PublisherSettings

_AT_ONCE = 500
_ROUND = 10_000  # calls between two flushes: far from a full buffer, so that none is dropped
WAYS = {
    "write": "`run.write(records)`, SDK, ready-made",
    "xadd": "`XADD` of the same bytes, redis-py, 500 a round trip",
    "info": "`run.info(…)`, SDK, by calls",
    "built": "`XADD` of records built and encoded, redis-py, 500 a round trip",
    "write64": "`run.write`, 64 executions",
    "info64": "`run.info`, 64 executions",
    "write disk": '`run.write`, `acks="disk"`',
}
_PEERS = ("socketio", "channels", "nats")
_MANY = 64
PEER_WAYS = {
    way: (peer, executions)
    for peer in _PEERS
    for way, executions in ((peer, 1), (f"{peer}, {_MANY} executions", _MANY))
}


def ways() -> list[str]:
    """Name those that can run here."""
    return [*WAYS, *(way for way, (peer, _) in PEER_WAYS.items() if not contender(peer).missing())]


def acknowledged(way: str, engine: Engine, sizes: Sizes) -> Run:
    """Measure one way on an empty engine: speed, CPU, and what is kept of a record."""
    if way in WAYS:
        return _measured(way, {"url": engine.url}, engine, sizes.acknowledged, Usage(engine.pid))
    number = sizes.acknowledged // 4
    with contender(PEER_WAYS[way][0]).serving(engine) as served:
        store: Usage = served.store or Usage(engine.pid)
        run = _measured(way, dict(served.feed), engine, number, store)
        if served.store is None:
            return run
        del run["memory"]  # the engine's, which is not its store
        return run | {"file": bytes_of_files(served) / number}


def _measured(way: str, feed: dict[str, Any], engine: Engine, number: int, store: Usage) -> Run:
    before, cpu = kept(engine), store.cpu_seconds()
    with running("tests.bench.acknowledged", way, json.dumps(feed), str(number)) as child:
        run: Run = child.answer()
    time.sleep(1.1)  # the append-only file is written each second
    after = kept(engine)
    run["all"] = run["process"] + (store.cpu_seconds() - cpu) * 1e6 / number
    grown = {key: (after[key] - before[key]) / number for key in after}
    return run | grown


def _write(url: str, number: int, executions: int = 1, acks: str = "memory") -> Run:
    settings = PublisherSettings(acks=acks)
    with Publisher(url, settings=settings) as publisher:
        called = names("write", executions)
        runs = [publisher.execution(name) for name in called]
        _must(all(run.opened(10) for run in runs))
        ready = [record(called[i // _AT_ONCE % executions], i) for i in range(number)]

        def write() -> None:
            for n, start in enumerate(range(0, number, _AT_ONCE)):
                runs[n % executions].write(ready[start : start + _AT_ONCE])
            _must(publisher.flush(60))

        measured = _timed(write, number)
        _must(not publisher.counters.dropped)
    return measured


def _info(url: str, number: int, executions: int = 1) -> Run:
    with Publisher(url) as publisher:
        runs = [publisher.execution(name) for name in names("info", executions)]
        _must(all(run.opened(10) for run in runs))

        def call() -> None:
            for start in range(0, number, _ROUND):
                for i in range(start, min(start + _ROUND, number)):
                    one_call(runs[i % executions], i)
                _must(publisher.flush(60))

        measured = _timed(call, number)
        _must(not publisher.counters.dropped)
    return measured


def _xadd(url: str, number: int, made: Callable[[int], bytes], ready: bool) -> Run:
    redis, (stream,) = Redis.from_url(url), names("xadd", 1)
    redis.ping()
    texts = [made(i) for i in range(number)] if ready else []

    def add() -> None:
        for start in range(0, number, _AT_ONCE):
            pipe = redis.pipeline(transaction=False)
            for i in range(start, min(start + _AT_ONCE, number)):
                pipe.xadd(stream, {"f": texts[i] if ready else made(i)})
            pipe.execute()

    return _timed(add, number)


def _peer(peer: str, executions: int, feed: dict[str, Any], number: int) -> Run:
    called = names("peer", executions)
    batches = [
        (n % executions, first, min(_AT_ONCE, number + 1 - first))
        for n, first in enumerate(range(1, number + 1, _AT_ONCE))
    ]
    ready = {
        (called[execution], seq): numbered(called[execution], seq)
        for execution, first, count in batches
        for seq in range(first, first + count)
    }

    async def publish() -> Run:
        feeding = feeder(peer, feed, make=lambda execution, seq: ready[execution, seq])
        await feeding.open(called)
        helpers = [Usage(child.pid) for child in Process().children()]  # of another language
        before = sum(helper.cpu_seconds() for helper in helpers)
        began, used, thread = time.perf_counter(), time.process_time(), time.thread_time()
        for batch in batches:
            await feeding.publish([batch])
        run = _run(began, used, thread, number)
        after = sum(helper.cpu_seconds() for helper in helpers)
        run["process"] += (after - before) * 1e6 / number
        await feeding.close()
        return run

    return asyncio.run(publish())


def _timed(act: Callable[[], None], number: int) -> Run:
    began, used, thread = time.perf_counter(), time.process_time(), time.thread_time()
    act()
    return _run(began, used, thread, number)


def _run(began: float, used: float, thread: float, number: int) -> Run:
    return {
        "speed": number / (time.perf_counter() - began),
        "caller": (time.thread_time() - thread) * 1e6 / number,
        "process": (time.process_time() - used) * 1e6 / number,
    }


def _must(truth: bool) -> None:
    if not truth:
        raise RuntimeError("records were dropped or not acknowledged, expected all stored")


def main(arguments: Sequence[str]) -> Run:
    """Run one way in this process."""
    way, feed, number = arguments[0], json.loads(arguments[1]), int(arguments[2])
    if way in PEER_WAYS:
        return _peer(*PEER_WAYS[way], feed, number)
    url = feed["url"]
    return {
        "write": lambda: _write(url, number),
        "write64": lambda: _write(url, number, 64),
        "write disk": lambda: _write(url, number, acks="disk"),
        "info": lambda: _info(url, number),
        "info64": lambda: _info(url, number, 64),
        "xadd": lambda: _xadd(url, number, lambda i: record("xadd", i), ready=True),
        "built": lambda: _xadd(url, number, lambda i: orjson.dumps(fields_of(i)), ready=False),
    }[way]()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])), flush=True)
