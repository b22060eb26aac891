"""Run one seed: carry out its schedule in a world of its own, and judge what was seen."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.faults.checker import Violation, judge
from tests.faults.cluster import ClusterEngine
from tests.faults.cluster_world import ClusterWorld
from tests.faults.engine import Engine
from tests.faults.lone_world import LoneWorld
from tests.faults.schedule import Op, shortened
from tests.faults.scripts import Edit, edited
from tests.faults.world import World
from tests.gateway.running import as_collector_was

from runtail_broker.connections.client import Nodes

SETTLE_SECONDS = 20.0


@asynccontextmanager
async def world(engine: Engine | ClusterEngine, execution_id: str) -> AsyncIterator[World]:
    """Make a world on *engine*, which is emptied."""
    engine.ask("FLUSHALL")
    nodes = Nodes.connect(engine.url)
    made: World
    if isinstance(engine, ClusterEngine):
        made = ClusterWorld(engine, nodes, execution_id)
    else:
        made = LoneWorld(engine, nodes, execution_id)
    try:
        await made.begin()
        yield made
    finally:
        await made.close()
        await nodes.close()


async def broken_by(
    engine: Engine | ClusterEngine,
    ops: Sequence[Op],
    edits: Sequence[Edit] = (),
    settle_seconds: float = SETTLE_SECONDS,
) -> list[Violation]:
    """Carry out *ops* on *engine*, with scripts edited so; list the promises it broke."""
    clock = not isinstance(engine, ClusterEngine)  # its scripts reach the keys of one slot only
    with as_collector_was(), edited(edits, clock=clock):
        async with world(engine, f"run-{secrets.token_hex(4)}") as made:
            await made.run(ops)
            return judge(await made.settle(settle_seconds))


async def told(
    engine: Engine | ClusterEngine, ops: Sequence[Op], violations: Sequence[Violation]
) -> str:
    """Say what was broken, and the shortest schedule found that breaks it."""
    return "\n".join([*map(str, violations), await shortest(engine, ops)])


async def shortest(engine: Engine | ClusterEngine, ops: Sequence[Op]) -> str:
    """Say the shortest schedule found that breaks something as *ops* do."""

    async def breaks(fewer: Sequence[Op]) -> bool:
        return bool(await broken_by(engine, fewer))

    short = await shortened(ops, breaks, tries=30)
    return f"broken too by: {' '.join(map(str, short))}"
