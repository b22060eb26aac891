"""Ending tasks for certain: a cancellation may get lost on its way."""

from __future__ import annotations

import asyncio

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.ending import end
from runtail_broker.cursor import START
from runtail_broker.stream import StreamReader


async def test_a_task_that_reads_for_ever_ends_wherever_it_is_cancelled(
    nodes: Nodes,
) -> None:
    reader = StreamReader(nodes)

    async def read_for_ever() -> None:
        while True:
            await reader.after("run", START)

    for turns in range(12):  # in one of them the command is being written
        task = asyncio.create_task(read_for_ever())
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await end(task)
        assert task.done()


async def test_ending_what_has_ended_returns_at_once() -> None:
    async def nothing() -> None:
        return

    task = asyncio.create_task(nothing())
    await task
    await end(task)
