"""A gateway that is about to end sends its viewers elsewhere, and loses no request."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import aiohttp
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import EVENTS, MANY, PUSHED, Running, running
from tests.gateway.viewers.test_slow_viewer import SLOW, publish, stalled
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.connections.client import Nodes

LONG = replace(QUICK, drain_seconds=3600.0)
SPREAD = replace(QUICK, drain_seconds=1.0, grace_seconds=1.0)


@pytest.mark.parametrize("mode", [PUSHED, EVENTS, MANY])
async def test_a_viewer_of_a_gateway_that_ends_is_told_to_go_elsewhere(
    engine_nodes: Nodes, engine_url: str, worker: Worker, mode: str
) -> None:
    await worker.open()
    await worker.log("one")
    async with running(replace(QUICK, drain_seconds=0.1), engine_url, mode) as gateway:
        watcher = gateway.watch(worker.execution_id)
        await watcher.connect("")
        await watcher.caught_up()
        gateway.leave()
        await watcher.closed()
        assert watcher.close_code == 1012
    async with running(QUICK, engine_url, mode) as other:
        await watcher.come_back(other.sockets)
        await worker.log("two")
        await watcher.until(lambda: watcher.texts == ["one", "two"], "it goes on elsewhere")
        await watcher.leave()


async def test_viewers_are_sent_away_one_by_one(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    await worker.open()
    async with running(SPREAD, engine_url) as gateway:
        watchers = [gateway.watch(worker.execution_id) for _ in range(24)]
        for watcher in watchers:
            await watcher.connect("")
            await watcher.caught_up()
        left: list[float] = []
        gateway.leave()

        async def leaves(number: int) -> None:
            await watchers[number].closed()
            left.append(time.monotonic())

        await asyncio.gather(*(leaves(number) for number in range(24)))
        assert max(left) - min(left) > 0.4
        assert {watcher.close_code for watcher in watchers} == {1012}
        for watcher in watchers:
            await watcher.leave()


async def test_a_gateway_that_drains_is_unready_and_takes_no_new_viewer_but_answers(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    await worker.open()
    async with running(LONG, engine_url) as gateway, gateway.watch(worker.execution_id) as stays:
        await stays.caught_up()
        gateway.leave()
        assert await problem(gateway, "/readyz") == (503, "draining")
        assert await problem(gateway, f"/executions/{worker.execution_id}/events") == (
            503,
            "draining",
        )
        assert (await problem(gateway, "/executions"))[0] == 200
        async with gateway.watch(worker.execution_id) as late:
            await late.closed()
            assert (late.close_code, late.of("error")[0]["code"]) == (1012, "draining")


async def problem(gateway: Running, path: str) -> tuple[int, object]:
    async with gateway.http.get(gateway.address + path) as answer:
        return answer.status, (await answer.json()).get("code")


async def test_viewers_that_never_read_do_not_hold_a_gateway_that_ends(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    settings = replace(SLOW, drain_seconds=0.2, grace_seconds=0.4)
    await worker.open()
    async with running(settings, engine_url) as gateway, aiohttp.ClientSession() as http:
        slow = await stalled(gateway, worker)
        address = f"{gateway.address}/executions/{worker.execution_id}/events"
        async with http.get(address) as events:
            await publish(worker, 16 * 2**20)
            await soon(lambda: min(gateway.waiting_bytes()) > 1000, "both are full")
            begun = time.monotonic()
            gateway.leave()
            await soon(lambda: not gateway.server.server_state.connections, "they are cut")
            assert 0.3 < time.monotonic() - begun < 2
            events.close()
        await slow.leave()


async def test_a_download_in_flight_is_finished(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    await worker.open()
    await publish(worker, 24 * 2**20)  # more than the kernel holds for it
    async with running(replace(SPREAD, grace_seconds=10), engine_url) as gateway:
        address = f"{gateway.address}/executions/{worker.execution_id}/logs.ndjson"
        plain = {"Accept-Encoding": "identity"}
        async with aiohttp.ClientSession() as http, http.get(address, headers=plain) as answer:
            lines = (await answer.content.readline()).count(b"\n")
            gateway.leave()
            await soon(lambda: not gateway.server.servers[0].is_serving(), "it ends")
            async for chunk in answer.content.iter_any():
                lines += chunk.count(b"\n")
        assert lines == (await worker.stored())[-1]["seq"]
