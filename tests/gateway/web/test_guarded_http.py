"""Connections that bring no request, or a head without an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.connections.client import Nodes

HASTY = replace(QUICK, head_seconds=0.3, idle_seconds=30)
ASK = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"


@asynccontextmanager
async def connected(
    gateway: Running,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """All that still comes, until the gateway ends the connection."""
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        return b""


async def answered(reader: asyncio.StreamReader) -> bytes:
    """The status line of one answer to ASK."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    await reader.readexactly(len(b'{"status":"ok"}'))
    return head.split(b"\r\n")[0]


@pytest.mark.parametrize("said", [b"", b"GET /heal", ASK[:-2], b"\r\n"])
async def test_a_head_that_does_not_come_whole_in_time_ends_the_connection(
    engine_nodes: Nodes, engine_url: str, said: bytes
) -> None:
    async with running(HASTY, engine_url) as gateway, connected(gateway) as (reader, writer):
        writer.write(said)
        begun = time.monotonic()
        assert await rest_of(reader) == b""
        assert 0.2 < time.monotonic() - begun < 2


async def test_a_head_that_comes_byte_by_byte_has_no_longer(
    engine_nodes: Nodes, engine_url: str
) -> None:
    async with running(HASTY, engine_url) as gateway, connected(gateway) as (reader, writer):
        begun = time.monotonic()

        async def dribble() -> None:
            for byte in ASK * 100:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        dribbling = asyncio.create_task(dribble())
        assert await rest_of(reader) == b""
        assert time.monotonic() - begun < 1
        dribbling.cancel()


async def test_the_second_request_of_a_connection_has_its_own_time(
    engine_nodes: Nodes, engine_url: str
) -> None:
    async with running(HASTY, engine_url) as gateway, connected(gateway) as (reader, writer):
        writer.write(ASK)
        assert await answered(reader) == b"HTTP/1.1 200 OK"
        idle = time.monotonic() + 0.5  # longer than a head may take
        await soon(lambda: time.monotonic() > idle, "it was idle")
        writer.write(ASK + ASK[:9])
        assert await answered(reader) == b"HTTP/1.1 200 OK"
        assert await rest_of(reader) == b""


async def test_an_idle_connection_ends_after_its_time(engine_nodes: Nodes, engine_url: str) -> None:
    settings = replace(HASTY, idle_seconds=1, head_seconds=30)
    async with running(settings, engine_url) as gateway, connected(gateway) as (reader, writer):
        writer.write(ASK)
        await answered(reader)
        assert await rest_of(reader) == b""


async def test_a_head_without_end_is_answered_431(engine_nodes: Nodes, engine_url: str) -> None:
    settings = replace(QUICK, head_bytes=4096)
    async with running(settings, engine_url) as gateway, connected(gateway) as (reader, writer):
        writer.write(ASK[:-2] + b"X: " + b"x" * 5000)
        assert (await rest_of(reader)).startswith(b"HTTP/1.1 431 ")


async def test_one_connection_too_many_is_cut_and_taken_when_another_has_left(
    engine_nodes: Nodes, engine_url: str
) -> None:
    async with running(replace(QUICK, connections=1), engine_url) as gateway:
        async with connected(gateway) as (first, writer):
            writer.write(ASK)
            await answered(first)
            async with connected(gateway) as (second, another):
                another.write(ASK)
                assert await rest_of(second) == b""
        await soon(lambda: not gateway.server.server_state.connections, "it has left")
        async with connected(gateway) as (third, writer):
            writer.write(ASK)
            assert await answered(third) == b"HTTP/1.1 200 OK"


async def test_a_viewer_outlives_the_time_for_its_head(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    await worker.open()
    async with (
        running(HASTY, engine_url) as gateway,
        gateway.watch(worker.execution_id) as viewer,
    ):
        await viewer.caught_up()
        later = time.monotonic() + 0.5
        await soon(lambda: time.monotonic() > later, "the time is over")
        await worker.log("still here")
        await viewer.until(lambda: viewer.texts == ["still here"], "it goes on")


@pytest.mark.full
async def test_2000_half_open_sockets_do_not_keep_others_from_being_served(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    await worker.open()
    async with running(replace(QUICK, head_seconds=3), engine_url) as gateway:
        opening = (asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(2000))
        half_open = [writer for _, writer in await asyncio.gather(*opening)]
        async with gateway.watch(worker.execution_id) as viewer:
            await viewer.caught_up()
            begun = time.monotonic()
            await worker.log("served")
            await viewer.until(lambda: viewer.texts == ["served"], "it is served")
            assert time.monotonic() - begun < 1
            connections = gateway.server.server_state.connections
            await soon(lambda: len(connections) < 10, "the others are cut")
        for writer in half_open:
            writer.transport.abort()
