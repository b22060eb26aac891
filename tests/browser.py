"""Chromium, as the machine has it, for the tests that need a real page."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-features=LocalNetworkAccessChecks",  # a page that a test fulfils comes from nowhere
]

# Whatever the policy of a page refuses, also what no console tells.
REFUSALS = """document.addEventListener("securitypolicyviolation", (refused) =>
  console.error("Policy", refused.effectiveDirective, refused.blockedURI, refused.sample))"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run the browser; the test is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@asynccontextmanager
async def open_page(browser: Browser, width: int = 1280, height: int = 800) -> AsyncIterator[Page]:
    """Open an empty page that must not see a script error nor anything that its policy refuses."""
    context = await browser.new_context(viewport={"width": width, "height": height})
    await context.add_init_script(REFUSALS)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    yield page
    await context.close()
    assert complaints == []


@asynccontextmanager
async def chromium_page() -> AsyncIterator[Page]:
    """Open an empty page in a browser of its own."""
    async with chromium() as browser, open_page(browser) as page:
        yield page


async def show(page: Page, address: str, html: str) -> None:
    """Show *html* as a page of the gateway at *address*."""
    shown = f"{address}/shown-by-a-test"
    await page.route(shown, lambda route: route.fulfill(body=html, content_type="text/html"))
    await page.goto(shown)
