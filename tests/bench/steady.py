"""Compare a steady 100 records/s with a process that only writes ready-made messages to sockets."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

from tests.bench.figures import Claim, Run, Section, figures, in_turn
from tests.bench.processes import Child, gateway, serving
from tests.bench.viewers import Plan, Seen, seen_by, wait_until_ready, watching
from tests.bench.worker import Worker, record

from runtail_broker.connections.client import Nodes

_UNITS = {"cpu": "% of a core", "p50": "ms", "p99": "ms"}
_PER_SECOND = 100
_SAMPLE_EVERY = 5


def bench(url: str, *, repetitions: int, quick: bool) -> Section:
    """Keep the pace for both contenders in turn."""
    viewers, records = (50, 300) if quick else (200, 1000)
    ours, plain = in_turn(
        repetitions, lambda: _ours(url, viewers, records), lambda: _plain(viewers, records)
    )
    mine = figures("runtail", _UNITS, ours)
    theirs = figures("plain writer", _UNITS, plain)
    return Section(
        "A steady run to many viewers",
        f"{_PER_SECOND} records/s for {records // _PER_SECOND} s, one at a time, to {viewers} "
        "viewers. The plain writer has no Redis behind it: the worker sends it each message by a "
        "socket, and it writes those very bytes to every viewer's plain socket.",
        (*mine, *theirs),
        (
            Claim("server CPU, runtail over plain writer", mine[0], theirs[0], 1.5, False),
            Claim("p99, runtail over plain writer", mine[2], theirs[2], 1.5, False),
        ),
    )


def _ours(url: str, viewers: int, records: int) -> Run:
    with gateway(url) as (server, port):
        return asyncio.run(_to_gateway(url, server, port, viewers, records))


async def _to_gateway(url: str, server: Child, port: int, viewers: int, records: int) -> Run:
    execution_id = f"steady-{time.time_ns()}"
    nodes = Nodes.connect(url)
    try:
        worker = Worker(nodes, execution_id)
        await worker.open()
        path = f"/ws/executions/{execution_id}/logs?after=$"
        plan = Plan(port, path, viewers, records, _SAMPLE_EVERY, '"caught_up"')

        async def publish(number: int) -> None:
            await worker.publish(1)

        return await _paced(plan, server, publish)
    finally:
        await nodes.close()


def _plain(viewers: int, records: int) -> Run:
    with serving("tests.bench.writer") as (server, (port, worker_port)):
        plan = Plan(port, "", viewers, records, _SAMPLE_EVERY, "")
        with socket.create_connection(("127.0.0.1", worker_port)) as worker:
            worker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            async def publish(number: int) -> None:
                worker.sendall(_message(number + 1))

            return asyncio.run(_paced(plan, server, publish))


def _message(seq: int) -> bytes:
    """Make what a viewer of the gateway gets for one record, as large as there."""
    ended = b'%b,"id":"1767608430123-0","seq":%d}' % (record(f"steady-{10**18}", seq)[:-1], seq)
    cursor = b"1767608430123-0:%d:0123abcd" % seq
    return b'\x81\x7e\x01\xff{"type":"records","records":[%b],"cursor":"%b"}' % (ended, cursor)


async def _paced(plan: Plan, server: Child, publish: Callable[[int], Awaitable[None]]) -> Run:
    with watching(plan) as crowd:
        wait_until_ready(crowd)
        used, began = server.cpu_seconds(), time.monotonic()
        for number in range(plan.expected):
            await asyncio.sleep(began + number / _PER_SECOND - time.monotonic())
            await publish(number)
        seen = seen_by(crowd)
        return _run(seen, (server.cpu_seconds() - used) / (time.monotonic() - began))


def _run(seen: Seen, cores: float) -> Run:
    return {"cpu": cores * 100, "p50": seen.p50_ms, "p99": seen.p99_ms}
