"""Compare the replay of history with a server that sends ready-made messages."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from tests.bench.figures import Claim, Figure, Run, Section, figures, in_turn
from tests.bench.processes import Child, gateway, serving
from tests.bench.viewers import Plan, seen_by, wait_until_ready, watching
from tests.bench.worker import Worker

from runtail_broker.connections.client import Nodes

_UNITS = {"speed": "records/s", "cpu": "µs a record"}
_CROWDS = (1, 20)
_FRAME_RECORDS = 500


def bench(url: str, *, repetitions: int, quick: bool) -> Section:
    """Replay one execution to one viewer and to twenty, in turn with the ready-made messages."""
    records = 10_000 if quick else 50_000
    execution_id = f"replay-{time.time_ns()}"
    asyncio.run(_publish(url, execution_id, records))
    shown: list[Figure] = []
    claims: list[Claim] = []
    with (
        gateway(url) as (mine, my_port),
        serving("tests.bench.ready", str(records)) as (theirs, (their_port,)),
    ):
        for crowd in _CROWDS:
            path = f"/ws/executions/{execution_id}/logs"
            ours = Plan(my_port, path, crowd, records + 1, crowd, "")  # it opens with a status
            ready = Plan(their_port, "/ws/history", crowd, records, crowd, "")
            runs = in_turn(
                repetitions, partial(_replay, mine, ours), partial(_replay, theirs, ready)
            )
            some = figures(f"runtail to {crowd}", _UNITS, runs[0])
            others = figures(f"ready-made to {crowd}", _UNITS, runs[1])
            shown += some + others
            text = f"records/s to {crowd}, runtail over ready-made"
            claims.append(Claim(text, some[0], others[0], 0.6, at_least=True))
        memory = Figure("runtail", "most resident memory", "MB", (mine.peak_mb(),))
    how = (
        f"{records:,} records in frames of {_FRAME_RECORDS}, read by 1 and by 20 viewers that come "
        "at once, against the same server with the same protocol class sending ready-made messages "
        "of fifty records. Speed is that of all viewers together, from before they connect."
    )
    return Section("Replay", how, (*shown, memory), tuple(claims))


async def _publish(url: str, execution_id: str, records: int) -> None:
    nodes = Nodes.connect(url)
    try:
        worker = Worker(nodes, execution_id)
        await worker.open()
        await worker.publish(records, _FRAME_RECORDS)
    finally:
        await nodes.close()


def _replay(server: Child, plan: Plan) -> Run:
    used = server.cpu_seconds()
    with watching(plan) as crowd:
        wait_until_ready(crowd)
        seen = seen_by(crowd)
    return {
        "speed": seen.records / seen.seconds,
        "cpu": (server.cpu_seconds() - used) * 1e6 / seen.records,
    }
