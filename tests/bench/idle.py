"""Say what a viewer costs that only waits: each of an execution of its own, in one process."""

from __future__ import annotations

import asyncio
import time

from tests.bench.figures import Figure, Run, Section, figures, in_turn
from tests.bench.processes import gateway
from tests.bench.viewers import Plan, wait_until_ready, watching
from tests.bench.worker import Worker

from runtail_broker.connections.client import Nodes

_UNITS = {
    "connects": "viewers/s",
    "cpu": "ms of server CPU a viewer",
    "memory": "KiB a viewer",
    "idle": "% of a core while all wait",
}
_OPEN_AT_ONCE = 50
_WAIT_SECONDS = 5.0


def bench(url: str, *, repetitions: int, quick: bool) -> Section:
    """Connect many viewers to as many executions, and let them wait."""
    viewers = 500 if quick else 5000
    prefix = f"idle-{time.time_ns()}-"
    asyncio.run(_open(url, prefix, viewers))
    (runs,) = in_turn(repetitions, lambda: _idle(url, prefix, viewers))
    shown: list[Figure] = figures("runtail", _UNITS, runs)
    how = (
        f"{viewers:,} viewers, each of an execution of its own, forty connecting at a time: from "
        "the upgrade to `caught_up`, with the subscription and the proof of each tail. The memory "
        "is what the process grew by, the kernel's buffers not counted."
    )
    return Section("Idle viewers", how, tuple(shown), ())


async def _open(url: str, prefix: str, count: int) -> None:
    nodes = Nodes.connect(url)
    try:
        for start in range(0, count, _OPEN_AT_ONCE):
            some = range(start, min(start + _OPEN_AT_ONCE, count))
            await asyncio.gather(*(Worker(nodes, f"{prefix}{n}").open() for n in some))
    finally:
        await nodes.close()


def _idle(url: str, prefix: str, viewers: int) -> Run:
    with gateway(url) as (server, port):
        path = f"/ws/executions/{prefix}{{n}}/logs"
        plan = Plan(port, path, viewers, 2, viewers, '"caught_up"')  # the second never comes
        before, used, began = server.resident_mb(), server.cpu_seconds(), time.monotonic()
        with watching(plan) as crowd:
            wait_until_ready(crowd)
            seconds, cpu = time.monotonic() - began, server.cpu_seconds() - used
            grown, used = server.resident_mb() - before, server.cpu_seconds()
            time.sleep(_WAIT_SECONDS)
            idle = (server.cpu_seconds() - used) / _WAIT_SECONDS
    return {
        "connects": viewers / seconds,
        "cpu": cpu * 1000 / viewers,
        "memory": grown * 1e6 / 1024 / viewers,
        "idle": idle * 100,
    }
