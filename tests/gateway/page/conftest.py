"""A browser, a page in it, and a gateway that obeys the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect
from tests.browser import chromium, open_page
from tests.gateway.fake_execution import FakeExecution
from tests.gateway.fake_gateway import FakeGateway

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
