"""A worker that was really killed: people are told, with its last words, and when it is over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.e2e.processes import told, worker
from tests.gateway.alerts.test_alerts import alerting, quiet
from tests.gateway.receiver import receiver
from tests.polling import soon

from runtail_broker.connections.client import Nodes

pytestmark = pytest.mark.full  # a lease, and a window in which it might speak again
RULES = """
[[rule]]
when = "lost"
resolved = true
[[rule]]
when = "failed"
"""
QUICK: dict[str, Any] = {
    "lease_seconds": 1.5,
    "finality_seconds": 2.0,
    "settle_seconds": 0.2,
    "sweep_seconds": 0.1,
}


async def test_a_killed_worker_is_told_as_lost_and_then_as_failed(
    engine_nodes: Nodes, engine_url: str
) -> None:
    with receiver() as hook, worker("endless", engine_url, "gone", 0) as process:
        async with alerting(engine_url, hook, RULES, **QUICK):
            for number in range(50):
                assert await asyncio.to_thread(told, process) == str(number)
            await quiet()
            assert hook.came == []
            process.kill()
            await asyncio.to_thread(process.wait, 10)
            await soon(lambda: hook.came, "it is told as lost", 30)
            lost = hook.told[0]
            await soon(lambda: len(hook.came) == 3, "that it has failed is told", 30)
    assert (lost["when"], lost["turn"], lost["execution_id"]) == ("lost", "fired", "gone")
    assert lost["status"] == "lost"
    assert lost["reason"] == "worker lost: silent for 1.5 s"
    *_, last_word, mark = [line["text"] for line in lost["lines"]]
    assert int(last_word.removeprefix("line ")) >= 49
    assert mark == "status lost worker lost: silent for 1.5 s"
    assert sorted(hook.whens[1:]) == [("failed", "fired", "gone"), ("lost", "resolved", "gone")]
