"""Figures at 100,000 finished executions: bounded in commands, whatever the engine holds."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio import Redis
from tests.gateway.executions.test_figures import figures_of
from tests.gateway.running import Running

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import ExecutionKeys, index_of

EXECUTIONS, DAYS = 100_000, 30
_AT_ONCE = 2000


def made(now_ms: int) -> Iterator[tuple[str, dict[Any, Any], dict[Any, Any]]]:
    """Make states and steps of executions that ended in the last 30 days."""
    chance = random.Random(1)
    for number in range(EXECUTIONS):
        started = now_ms - int(number / EXECUTIONS * DAYS * 86_400_000) - 60_000
        ended = started + chance.randint(1000, 50_000)
        status = "failed" if chance.random() < 0.1 else "completed"
        state = {
            "epoch": 1, "status": status, "workflow": f"wf-{number % 20}", "created": started,
            "started": started, "ended_at": ended, "ms": ended, "n": 0, "seq": 100, "end": "{}",
        }  # fmt: skip
        steps = {f"step {n}": f"1 {int(status == 'failed')} {1000 * n}" for n in range(3)}
        yield f"run-{number}", state, steps


async def fill(node: Redis) -> None:
    now_ms = int(time.time() * 1000)
    pipe = node.pipeline(transaction=False)
    for number, (name, state, steps) in enumerate(made(now_ms), 1):
        keys = ExecutionKeys.of(name)
        pipe.hset(keys.state, mapping=state)
        pipe.hset(keys.steps, mapping=steps)
        pipe.zadd(index_of(name), {name: state["created"]})
        if number % _AT_ONCE == 0:
            await pipe.execute()


async def commands(node: Redis) -> int:
    """How many commands the engine has done."""
    return int((await node.info("stats"))["total_commands_processed"])


@pytest.mark.full
@pytest.mark.parametrize("gateway_settings", [{"figures_seconds": 1e-9}], indirect=True)
async def test_figures_of_100000_finished_executions_cost_a_bounded_number_of_commands(
    pushing: Running, engine_nodes: Nodes
) -> None:
    (shard,) = await engine_nodes.shards()
    await fill(shard.node)
    for seconds, most in ((3600, 5000), (86_400, 10_000), (DAYS * 86_400, 25_000)):
        costs = []
        for _ in "cold", "warm":
            before, begun = await commands(shard.node), time.perf_counter()
            answer = await figures_of(pushing, f"?window_seconds={seconds}")
            took = time.perf_counter() - begun
            costs.append(await commands(shard.node) - before)
            told = f"{answer['counted']} counted, {costs[-1]} commands, {took:.3f} s"
            print(f"{seconds} s: {told}")  # noqa: T201 - what the README tells
        assert costs[0] < most
        assert costs[1] < 500, "what has ended is not read again"
        assert answer["complete"] == (seconds <= 86_400)
        assert answer["workflows"]
        assert answer["steps"]
