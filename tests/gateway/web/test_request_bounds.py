"""Requests that are too long, too large or too slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running, serving
from tests.gateway.worker import Worker
from websockets.asyncio.client import connect

from runtail_broker.connections.client import Nodes
from runtail_broker.errors import RuntailError
from runtail_gateway.protocol import problem
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.web.request_bounds import RequestBounds

SMALL = replace(QUICK, url_bytes=100, head_bytes=1000, body_bytes=1000, body_seconds=0.3)


async def refusal(gateway: Running, path: str, **headers: str) -> tuple[int, object]:
    async with gateway.http.get(gateway.address + path, headers=headers) as answer:
        return answer.status, (await answer.json()).get("code")


async def test_an_address_beyond_the_bound_is_answered_414(
    engine_nodes: Nodes, engine_url: str
) -> None:
    async with running(SMALL, engine_url) as gateway:
        most = "/healthz?" + "x" * (100 - len("/healthz"))
        assert (await refusal(gateway, most))[0] == 200
        assert await refusal(gateway, most + "x") == (414, "url_too_long")


async def test_headers_beyond_the_bound_are_answered_431(
    engine_nodes: Nodes, engine_url: str
) -> None:
    async with running(SMALL, engine_url) as gateway:
        assert (await refusal(gateway, "/healthz", X="x" * 500))[0] == 200
        assert await refusal(gateway, "/healthz", X="x" * 1000) == (431, "head_too_large")


async def test_a_viewer_with_an_address_beyond_the_bound_is_told_so(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    async with (
        running(SMALL, engine_url) as gateway,
        gateway.watch(worker.execution_id, "after=" + "1" * 100) as viewer,
    ):
        await viewer.closed()
        assert (viewer.close_code, viewer.of("error")[0]["code"]) == (4400, "bad_request")


async def test_a_message_of_a_viewer_beyond_the_bound_is_closed_with_1009(
    engine_nodes: Nodes, engine_url: str
) -> None:
    async with (
        running(replace(QUICK, received_bytes=1000), engine_url) as gateway,
        connect(f"{gateway.sockets}/ws/executions", proxy=None) as socket,
    ):
        await socket.send('{"type":"unsubscribe","execution_id":"a"}'.ljust(1000))
        assert '"unsubscribed"' in str(await socket.recv())
        await socket.send("x" * 1001)
        await socket.wait_closed()
        assert socket.close_code == 1009


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


def echoing(settings: GatewaySettings) -> Starlette:
    """An application that reads bodies, within bounds."""
    return Starlette(
        routes=[Route("/", echo, methods=["POST"])],
        middleware=[Middleware(RequestBounds, settings)],
        exception_handlers={RuntailError: problem.answer},
    )


async def sent(data: bytes, chunks: int = 1, pause: float = 0.0) -> AsyncIterator[bytes]:
    for _ in range(chunks):
        yield data
        await asyncio.sleep(pause)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_beyond_the_bound_is_answered_413(chunked: bool) -> None:
    async with serving(echoing(SMALL)) as address, aiohttp.ClientSession() as http:
        for size, status in ((1000, 200), (1001, 413)):
            data = sent(b"x" * size) if chunked else b"x" * size
            async with http.post(address, data=data) as answer:
                assert answer.status == status


async def test_a_body_that_does_not_come_whole_in_time_is_answered_408() -> None:
    async with (
        serving(echoing(SMALL)) as address,
        aiohttp.ClientSession() as http,
        http.post(address, data=sent(b"x", chunks=10, pause=0.1)) as answer,
    ):
        assert (answer.status, (await answer.json())["code"]) == (408, "too_slow")
