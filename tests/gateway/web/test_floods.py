"""Much of what one client may send or leave unread: requests at once, bodies, whole logs."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from dataclasses import replace

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.raw import connected, rest_of
from tests.gateway.running import Running, running
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.connections.client import Nodes

ASK = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"


def events_of(worker: Worker) -> bytes:
    return f"GET /executions/{worker.execution_id}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode()


async def cuts(gateway: Running, bound: str) -> float:
    """How many connections were cut because of *bound*."""
    async with gateway.http.get(f"{gateway.address}/metrics") as answer:
        rows = (await answer.text()).splitlines()
    name = f'runtail_gateway_cuts_total{{bound="{bound}"}} '
    return sum(float(row.removeprefix(name)) for row in rows if row.startswith(name))


@pytest.mark.parametrize("gateway_settings", [{"pipelined_requests": 20}], indirect=True)
async def test_as_many_requests_as_may_wait_are_answered_in_order(pushing: Running) -> None:
    """One under way and twenty behind it, and again when those are done."""
    async with connected(pushing) as (reader, writer):
        writer.write(ASK * 21)
        for _ in range(21):
            assert b" 200 " in await asyncio.wait_for(reader.readline(), 5)
            await reader.readuntil(b'"ok"}')
        writer.write(ASK * 20 + LAST)
        assert (await rest_of(reader)).count(b'"ok"}') == 21


@pytest.mark.parametrize("gateway_settings", [{"pipelined_requests": 20}], indirect=True)
async def test_thousands_of_requests_at_once_are_cut_before_they_pile_up(pushing: Running) -> None:
    """Neither tasks nor memory are taken for them; another client is served meanwhile."""
    tracemalloc.start()
    async with connected(pushing) as (reader, writer):
        writer.write(ASK * 20_000)
        assert (await rest_of(reader)).count(b'"ok"}') <= 21
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 2**20  # what was written is 800 KB, and is here too
    assert await cuts(pushing, "pipelined_requests") == 1


async def test_a_stream_with_a_request_behind_it_ends_with_its_connection(
    pushing: Running, worker: Worker
) -> None:
    """What waits behind a viewer does not keep it from learning that its client has gone."""
    await worker.open()
    async with connected(pushing) as (reader, writer):
        writer.write(events_of(worker) + ASK)
        await asyncio.wait_for(reader.readuntil(b"caught_up"), 5)
        assert pushing.hub.watchers(worker.execution_id) == 1
    await soon(lambda: pushing.hub.watchers(worker.execution_id) == 0, "it is over", 3)


async def test_a_websocket_behind_a_request_that_is_under_way_is_cut(
    pushing: Running, worker: Worker
) -> None:
    """Two would write to one connection, and only one of them would learn of its end."""
    await worker.open()
    upgrade = (
        b"GET /ws/executions HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    async with connected(pushing) as (reader, writer):
        writer.write(events_of(worker) + upgrade)
        assert b" 101 " not in await rest_of(reader)
    await soon(lambda: pushing.hub.watchers(worker.execution_id) == 0, "it is over", 3)


async def send_for_ever(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    async with asyncio.timeout(10):
        while True:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)


@pytest.mark.parametrize("gateway_settings", [{"head_seconds": 0.5}], indirect=True)
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/executions", 405), ("GET", "/healthz", 200), ("POST", "/nothing", 404)],
)
async def test_a_body_that_no_route_reads_costs_no_memory_and_is_cut(
    pushing: Running, method: str, path: str, status: int
) -> None:
    """The answer comes at once; what is still sent is dropped, and not for longer than a head."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    tracemalloc.start()
    async with connected(pushing) as (reader, writer):
        begun = time.monotonic()
        writer.write(head + chunk)
        assert f" {status} ".encode() in await asyncio.wait_for(reader.readline(), 5)
        with pytest.raises(ConnectionError):
            await send_for_ever(writer, chunk)
        assert time.monotonic() - begun < 5
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


async def test_a_download_that_is_not_read_is_cut_and_read_no_further(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    """Little of it waits here, and nothing is left of it once its client has stalled."""
    await worker.open()
    await worker.log_many(batches=60, records=100, size=4000)
    settings = replace(QUICK, stall_seconds=0.6)
    async with running(settings, engine_url) as gateway:
        path = f"/executions/{worker.execution_id}/logs.ndjson"
        async with connected(gateway, read_bytes=1024) as (_, writer):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await soon(lambda: sum(gateway.waiting_bytes()) > 0, "it waits for its client")
            assert sum(gateway.waiting_bytes()) < 2**20
            state = gateway.server.server_state
            assert len(state.tasks) == 1
            await soon(lambda: not state.connections, "it is cut")
            await soon(lambda: not state.tasks, "nothing goes on for it")
        assert await cuts(gateway, "stall_seconds") == 1
