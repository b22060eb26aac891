"""A publisher that waits for nobody, against an engine that is full: what is lost is told."""

from __future__ import annotations

import asyncio
import random
import re
import sys
from dataclasses import replace

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import running
from tests.polling import until
from tests.producers.faults import FAST
from tests.server_process import Server, server

from runtail import Publisher
from runtail.delivery.buffer import Counters

CAP, ROOM = 1024 * 1024, 5 * 1024 * 1024  # more than a publisher holds: what runs stays
RUNS, LINES = 40, 300
HASTY = replace(FAST, max_buffer_records=4000)
KEEPING = replace(QUICK, housekeeping_seconds=0.05)


def publish(url: str) -> Counters:
    """Log many times the cap, in executions that end, while one runs from first to last."""
    chance = random.Random(1)
    with Publisher(url, settings=HASTY) as publisher:
        with publisher.execution("whole") as whole:
            for number in range(RUNS):
                with publisher.execution(f"run-{number}") as run:
                    for _ in range(LINES):
                        run.info(chance.randbytes(500).hex())
                whole.info(f"run {number} is over")
        assert publisher.flush(30)
        return publisher.counters


@pytest.mark.full
async def test_what_an_engine_that_is_full_does_not_take_is_counted_and_told() -> None:
    with server("valkey", (), ("maxmemory-policy noeviction",)) as engine:
        until(engine.answers, "it answers")
        url = _bounded(engine)
        async with running(KEEPING, url) as gateway, gateway.watch("whole", "wait=true") as viewer:
            counters = await asyncio.to_thread(publish, url)
            await viewer.closed()
            kept = await (await gateway.http.get(f"{gateway.address}/executions?limit=500")).json()
    assert counters.accepted == counters.stored + counters.dropped
    assert counters.dropped > 0
    sys.stdout.write(f"{counters}\n")
    (end,) = viewer.of("end")
    assert [r["seq"] for r in viewer.records] == list(range(1, end["totals"]["last"] + 1))
    told = sum(r["lost"] for r in viewer.records if r.get("kind") == "lost")
    assert len([r for r in viewer.records if "kind" not in r]) + told == RUNS
    assert (end["totals"]["levels"]["info"], end["totals"]["dropped"]) == (RUNS - told, told)
    assert viewer.gaps == []
    ended = [e for e in kept["executions"] if e["ended"] and e["id"] != "whole"]
    assert ended
    assert all(e["levels"]["info"] + e["dropped"] == LINES for e in ended)


def _bounded(engine: Server) -> str:
    (used,) = re.findall(rb"used_memory:(\d+)", engine.ask("INFO", "memory"))
    engine.ask("CONFIG", "SET", "maxmemory", int(used) + ROOM)
    engine.ask("HSET", "runtail:settings", "max_total_bytes", CAP)
    return f"redis://operator:change-me-operator@127.0.0.1:{engine.port}"
