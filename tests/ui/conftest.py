"""A browser, and the page of the log view's tests, built once and served from a folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page
from tests import web
from tests.browser import chromium, open_page
from tests.file_server import served


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the page; fails with what the build said."""
    made = tmp_path_factory.mktemp("log-view")
    for code, said in (
        web.installed(),
        web._run("npx", "vite", "build", "react/browser", "--outDir", str(made)),
    ):
        assert code == 0, said
    return made


@pytest.fixture(scope="session")
def address(built: Path) -> Iterator[str]:
    """Where the page is."""
    with served(built) as origin:
        yield f"{origin}/index.html"


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with open_page(browser, 1200, 700) as page:
        yield page
