"""A browser, a page in it, and a gateway that obeys the test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from tests.gateway.fake_gateway import FakeExecution, FakeGateway

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE_MS = 15_000

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


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
    """A page that must not see a script error nor anything that its policy refuses."""
    context = await browser.new_context(viewport={"width": 1200, "height": 700})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    yield page
    await context.close()
    assert complaints == []
