"""Compare a burst to many viewers with the naive gateway, in server CPU for 1,000 deliveries."""

from __future__ import annotations

import asyncio
import time

from redis import Redis
from tests.bench.figures import Claim, Run, Section, figures, in_turn
from tests.bench.processes import Child, gateway, serving
from tests.bench.viewers import Plan, Seen, seen_by, wait_until_ready, watching
from tests.bench.worker import Worker, add_plainly

from runtail_broker.connections.client import Nodes

_UNITS = {"cpu": "ms for 1,000 deliveries", "p50": "ms", "p99": "ms"}
_SAMPLE_EVERY = 10


def bench(url: str, *, repetitions: int, quick: bool) -> Section:
    """Send the burst to the gateway, and a smaller one to the naive gateway, in turn."""
    viewers, records = (50, 2000) if quick else (200, 5000)
    few = records // 10
    ours, naive = in_turn(
        repetitions, lambda: _ours(url, viewers, records), lambda: _naive(url, viewers, few)
    )
    mine = figures("runtail", _UNITS, ours)
    theirs = figures("naive gateway", _UNITS, naive)
    return Section(
        "A burst to many viewers",
        f"{records:,} records in frames of 100 to {viewers} viewers of one execution; the naive "
        "gateway (an `XREAD BLOCK` a viewer, a message a record, under uvicorn's defaults) gets "
        f"{few:,}, since it is slow. CPU is the server process's; latency runs from publishing to "
        "receiving.",
        (*mine, *theirs),
        (
            Claim("server CPU a delivery, naive over runtail", theirs[0], mine[0], 50, True),
            Claim("p99, naive (a tenth of the burst) over runtail", theirs[2], mine[2], 1, True),
        ),
    )


def _ours(url: str, viewers: int, records: int) -> Run:
    execution_id = f"burst-{time.time_ns()}"
    with gateway(url) as (server, port):
        return asyncio.run(_burst(url, execution_id, server, port, viewers, records))


async def _burst(
    url: str, execution_id: str, server: Child, port: int, viewers: int, records: int
) -> Run:
    nodes = Nodes.connect(url)
    try:
        worker = Worker(nodes, execution_id)
        await worker.open()
        path = f"/ws/executions/{execution_id}/logs?after=$"
        with watching(Plan(port, path, viewers, records, _SAMPLE_EVERY, '"caught_up"')) as crowd:
            wait_until_ready(crowd)
            used = server.cpu_seconds()
            await worker.publish(records)
            return _run(seen_by(crowd), server.cpu_seconds() - used)
    finally:
        await nodes.close()


def _naive(url: str, viewers: int, records: int) -> Run:
    stream = f"burst-{time.time_ns()}"
    with serving("tests.bench.naive", url) as (server, (port,)):
        plan = Plan(port, f"/ws/{stream}", viewers, records, _SAMPLE_EVERY, "")
        with watching(plan) as crowd:
            wait_until_ready(crowd)
            _wait_until_blocked(url, viewers)
            used = server.cpu_seconds()
            asyncio.run(add_plainly(url, stream, records))
            return _run(seen_by(crowd), server.cpu_seconds() - used)


def _wait_until_blocked(url: str, viewers: int, deadline_seconds: float = 20.0) -> None:
    """Wait until each viewer's own XREAD stands, so that no connecting is measured."""
    deadline = time.monotonic() + deadline_seconds
    with Redis.from_url(url) as redis:
        while redis.info("clients")["blocked_clients"] < viewers:
            if time.monotonic() > deadline:
                raise RuntimeError(f"fewer than {viewers} viewers wait in XREAD")
            time.sleep(0.05)


def _run(seen: Seen, cpu_seconds: float) -> Run:
    cpu = cpu_seconds * 1e6 / seen.records
    return {"cpu": cpu, "p50": seen.p50_ms, "p99": seen.p99_ms}
