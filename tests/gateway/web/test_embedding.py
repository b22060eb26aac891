"""The gateway inside somebody's FastAPI application, under a path of their choice."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from fastapi import FastAPI
from tests.gateway.conftest import QUICK
from tests.gateway.event_watcher import EventWatcher
from tests.gateway.running import serving
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_gateway.app import create_app


@asynccontextmanager
async def embedded(engine_url: str) -> AsyncIterator[str]:
    """What the README says; yields `host:port/path`."""
    gateway = create_app(QUICK, engine_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with gateway.router.lifespan_context(gateway):
            yield

    app = FastAPI(lifespan=lifespan)
    app.mount("/internal/logs", gateway)

    @app.get("/")
    async def home() -> str:
        return "somebody's own"

    async with serving(app) as address:
        yield address.removeprefix("http://") + "/internal/logs"


@pytest.mark.parametrize("kind", [Watcher, EventWatcher])
async def test_a_viewer_of_a_mounted_gateway_gets_history_and_what_is_live(
    engine_nodes: Nodes, engine_url: str, worker: Worker, kind: type[Watcher]
) -> None:
    await worker.open()
    await worker.log("one")
    async with (
        embedded(engine_url) as address,
        kind(f"ws://{address}", worker.execution_id) as viewer,
    ):
        await viewer.caught_up()
        await worker.log("two")
        await viewer.until(lambda: viewer.texts == ["one", "two"], "it has both")


async def test_the_page_of_a_mounted_gateway_finds_its_files(
    engine_nodes: Nodes, engine_url: str
) -> None:
    async with embedded(engine_url) as address, aiohttp.ClientSession() as http:
        async with http.get(f"http://{address}/") as answer:
            assert str(answer.url) == f"http://{address}/monitoring"
            files = re.findall(r'(?:href|src)="(monitoring/[^"]+)"', await answer.text())
        assert len(files) >= 3
        for path in [*files, "executions", "readyz"]:
            async with http.get(f"http://{address}/{path}") as answer:
                assert answer.status == 200


async def test_the_application_around_it_stays_as_it_was(
    engine_nodes: Nodes, engine_url: str
) -> None:
    async with (
        embedded(engine_url) as address,
        aiohttp.ClientSession() as http,
        http.get(f"http://{address.partition('/')[0]}/") as answer,
    ):
        assert await answer.json() == "somebody's own"
        assert "Content-Security-Policy" not in answer.headers
