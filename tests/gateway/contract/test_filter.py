"""A filter: exactly what passes, in order, once, and the rest is counted."""

from __future__ import annotations

import random

import orjson
from tests.gateway.filtered_watcher import filtered_watcher
from tests.gateway.running import Running
from tests.gateway.viewers.test_filtered_tail import mixed, passing
from tests.gateway.worker import Worker

from runtail_gateway.logs.log_filter import LogFilter
from runtail_gateway.viewers.sieve import Sieve


async def test_history_and_live_alike_are_filtered_and_the_rest_is_counted(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    chance = random.Random(1)
    await worker.log_records(mixed(chance, 500))
    sieve = Sieve.parse(["error,warning"], ["load"])
    watcher = filtered_watcher(gateway, worker.execution_id, "level=error,warning&step=load")
    async with watcher:
        await watcher.caught_up()
        await watcher.has_all(await passing(worker, sieve))
        for _ in range(10):
            await worker.log_records(mixed(chance, 7))
        await watcher.has_all(await passing(worker, sieve))
        await worker.end()
        await watcher.closed()
        await watcher.has_all(await passing(worker, sieve))
        assert watcher.close_code == 1000
        assert watcher.of("end")[0]["totals"]["last"] == watcher.cursor.number


async def test_a_cursor_moves_although_nothing_passes(gateway: Running, worker: Worker) -> None:
    await worker.open()
    async with filtered_watcher(gateway, worker.execution_id, "level=error") as watcher:
        await watcher.caught_up()
        await worker.log("one", "two")
        await watcher.has(3)
        assert watcher.texts == []


async def test_pages_find_what_passes_and_the_rest_is_counted(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_records(mixed(random.Random(1), 500))
    chosen = LogFilter.parse(["error,warning"], ["load"], "")
    async with filtered_watcher(
        gateway, worker.execution_id, "level=error,warning&step=load"
    ) as watcher:
        await watcher.caught_up()
        await worker.log_records(mixed(random.Random(2), 70))
        await worker.end()
        await watcher.closed()
        stored = await worker.stored()
        assert watcher.records == [r for r in stored if chosen.keeps(orjson.dumps(r))]
        assert watcher.of("end")[0]["totals"]["last"] == watcher.cursor.number == len(stored)
