"""How many viewers a gateway takes: in all, of one address, of one execution, and how often."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.gateway.viewers.test_slow_viewer import SLOW, publish, stalled
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.connections.client import Nodes

COUNTED: dict[str, Any] = {"exempt_addresses": ("192.0.2.1",)}  # not this machine


async def refused(gateway: Running, worker: Worker) -> tuple[int | None, str, str]:
    """How one viewer more is refused."""
    async with gateway.watch(worker.execution_id) as viewer:
        await viewer.closed()
        error = viewer.of("error")[0]
        return viewer.close_code, error["code"], error["message"]


@pytest.mark.parametrize(
    ("bound", "told"),
    [
        ({"viewers": 2}, "2 viewers, the most allowed"),
        ({"viewers_per_address": 2, **COUNTED}, "2 viewers from 127.0.0.1, the most allowed"),
        ({"viewers_per_execution": 2}, "the most allowed"),
    ],
)
async def test_one_viewer_beyond_the_bound_is_refused_and_taken_when_another_has_left(
    engine_nodes: Nodes, engine_url: str, worker: Worker, bound: dict[str, Any], told: str
) -> None:
    await worker.open()
    async with running(replace(QUICK, **bound), engine_url) as gateway, AsyncExitStack() as stack:
        first = await stack.enter_async_context(gateway.watch(worker.execution_id))
        second = await stack.enter_async_context(gateway.watch(worker.execution_id))
        await first.caught_up()
        await second.caught_up()
        code, name, message = await refused(gateway, worker)
        assert (code, name) == (4329, "too_many")
        assert told in message
        await second.leave()
        await soon(lambda: gateway.hub.watchers(worker.execution_id) == 1, "it has left")
        async with gateway.watch(worker.execution_id) as third:
            await third.caught_up()


async def test_over_http_the_refusal_says_when_to_come_again(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    await worker.open()
    async with (
        running(replace(QUICK, viewers=1), engine_url) as gateway,
        gateway.watch(worker.execution_id) as viewer,
    ):
        await viewer.caught_up()
        address = f"{gateway.address}/executions/{worker.execution_id}/events"
        async with gateway.http.get(address) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")


async def test_this_machine_is_not_counted_by_address(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    await worker.open()
    settings = replace(QUICK, viewers_per_address=1, connects_per_minute=1)
    async with (
        running(settings, engine_url) as gateway,
        gateway.watch(worker.execution_id) as one,
        gateway.watch(worker.execution_id) as other,
    ):
        await one.caught_up()
        await other.caught_up()


async def test_who_connects_too_often_is_cut(engine_nodes: Nodes, engine_url: str) -> None:
    settings = replace(QUICK, connects_per_minute=3, **COUNTED)
    async with running(settings, engine_url) as gateway:
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector) as http:
            for _ in range(3):
                async with http.get(f"{gateway.address}/healthz") as answer:
                    assert answer.status == 200
            with pytest.raises(aiohttp.ClientConnectionError):
                await http.get(f"{gateway.address}/healthz")


async def test_while_too_much_waits_nobody_is_taken_and_who_is_slowest_goes(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    settings = replace(SLOW, waiting_bytes=200 * 1024)
    async with running(settings, engine_url) as gateway:
        await worker.open()
        slow = [await stalled(gateway, worker) for _ in range(2)]
        await publish(worker, 16 * 2**20)
        await soon(lambda: sum(gateway.waiting_bytes()) > 200 * 1024, "too much waits")
        gateway.look_for_stalls()
        assert await refused(gateway, worker) == (
            4330,
            "full",
            "204800 bytes wait for viewers that do not read, the most allowed",
        )
        await soon(lambda: gateway.hub.watchers(worker.execution_id) == 1, "one of them is cut")
        gateway.look_for_stalls()
        async with gateway.watch(worker.execution_id, "after=$") as another:
            await another.caught_up()
        assert gateway.hub.watchers(worker.execution_id) >= 1
        for watcher in slow:
            await watcher.leave()


async def test_a_viewer_that_never_reads_is_let_go_and_gets_the_rest_when_it_comes_back(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    async with running(replace(SLOW, stall_seconds=0.6), engine_url) as gateway:
        await worker.open()
        slow = await stalled(gateway, worker)
        await publish(worker, 16 * 2**20)
        await soon(lambda: gateway.hub.tails == 0, "the viewer and the tail are gone")
        async with gateway.http.get(f"{gateway.address}/metrics") as answer:
            assert 'runtail_gateway_cuts_total{bound="stall_seconds"} 1.0' in await answer.text()
        await slow.leave()
        await slow.come_back()
        await slow.has_all(await worker.stored())
        await slow.leave()
