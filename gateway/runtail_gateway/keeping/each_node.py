"""Run scripts of many executions, those of one node together."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from redis.asyncio import Redis

from runtail_broker.connections.client import Nodes
from runtail_broker.errors import RuntailError
from runtail_broker.script import Answer, Call

log = logging.getLogger("runtail.gateway")


async def run_on_each_node(
    nodes: Nodes, calls: Sequence[Call], *, replicated: bool
) -> list[tuple[str, Answer]]:
    """Run *calls*; list the executions and what was answered.

    What the engine refused is warned of and left out; raises what `Nodes` raises.
    """
    by_node: dict[Redis, list[Call]] = {}
    for call in calls:
        by_node.setdefault(await nodes.node_of(call.execution_id), []).append(call)
    answered: list[tuple[str, Answer]] = []
    for some in by_node.values():
        answers = await nodes.run_all(some, replicated=replicated)
        for call, answer in zip(some, answers, strict=True):
            if isinstance(answer, RuntailError):
                log.warning("%s of %s was refused: %s", call.script.name, call.execution_id, answer)
            else:
                answered.append((call.execution_id, answer))
    return answered
