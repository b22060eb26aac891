"""A browser, a page in it, a gateway that obeys the test, and a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page, expect
from tests.browser import chromium, open_page
from tests.gateway.conftest import QUICK
from tests.gateway.fake_execution import FakeExecution
from tests.gateway.fake_gateway import FakeGateway
from tests.gateway.running import Running, running

from runtail_broker.connections.client import Nodes

PATIENCE_MS = 15_000

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    async with FakeGateway().serve() as gateway:
        yield gateway


@pytest.fixture
def run(gateway: FakeGateway) -> FakeExecution:
    execution = gateway.execution("run-1")
    execution.make(kind="status", status="running")
    return execution


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with open_page(browser, 1200, 700) as page:
        yield page


@pytest.fixture
def beat_seconds() -> float:
    """By the dice they may be 2 s later: between two of them are at most 2.4 s."""
    return 0.2


@pytest.fixture
async def real(engine_nodes: Nodes, engine_url: str, beat_seconds: float) -> AsyncIterator[Running]:
    """A real gateway over the empty engine."""
    # nobody beats for the worker: it is not to be called silent within these tests
    settings = replace(QUICK, beat_seconds=beat_seconds, lease_seconds=300)
    async with running(settings, engine_url) as gateway:
        yield gateway
