"""Run one seed: carry out its schedule in a world of its own, and judge what was seen."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from tests.faults.checker import Violation, judge
from tests.faults.engine import Engine
from tests.faults.schedule import Op, shortened
from tests.faults.scripts import Edit, edited
from tests.faults.world import world
from tests.gateway.running import as_collector_was

SETTLE_SECONDS = 20.0


async def broken_by(
    engine: Engine,
    ops: Sequence[Op],
    edits: Sequence[Edit] = (),
    settle_seconds: float = SETTLE_SECONDS,
) -> list[Violation]:
    """Carry out *ops* on *engine*, with scripts edited so; list the promises it broke."""
    with as_collector_was(), edited(edits):
        async with world(engine, f"run-{secrets.token_hex(4)}") as made:
            await made.run(ops)
            return judge(await made.settle(settle_seconds))


async def told(engine: Engine, ops: Sequence[Op], violations: Sequence[Violation]) -> str:
    """Say what was broken, and the shortest schedule found that breaks it."""

    async def breaks(fewer: Sequence[Op]) -> bool:
        return bool(await broken_by(engine, fewer))

    short = await shortened(ops, breaks, tries=30)
    words = "\n".join(map(str, violations))
    return f"{words}\nbroken too by: {' '.join(map(str, short))}"
