"""The page in a real browser, with a real gateway, a real engine and the demo run."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect
from tests.browser import chromium_page
from tests.e2e.processes import Gateway, gateways
from tests.e2e.rows import read_stream

from runtail_broker.engines.engine import Engine

RUN_MS = 40_000  # the demo run takes 20 s, and a busy machine more
PATIENCE_MS = 15_000

DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
LINK = ".runtail-execution .runtail-words"  # how the page stands with its gateway

pytestmark = pytest.mark.browser


@pytest.fixture
def both(place: Path, own_engine: Engine) -> Iterator[list[Gateway]]:
    with gateways(own_engine.url, place, 2) as both:
        yield both


async def shoot(page: Page, name: str) -> None:
    """Keep a picture, if `$RUNTAIL_SCREENSHOTS` names a folder for them."""
    folder = os.environ.get("RUNTAIL_SCREENSHOTS")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def shown_seqs(page: Page) -> list[int]:
    """Page through the whole log by keyboard and collect the line numbers as they stand there."""
    log = page.locator(".runtail-execution .rt-scroller")
    await log.focus()
    await page.keyboard.press("Home")
    await expect(log.locator('.rt-row[data-seq="1"]')).to_be_visible()
    seqs: list[int] = []
    while True:
        texts = await log.locator(".rt-row[data-seq] .rt-seq").all_text_contents()
        fresh = [int(text.replace(",", "")) for text in texts]
        beyond = fresh[fresh.index(seqs[-1]) + 1 :] if seqs and seqs[-1] in fresh else fresh
        if seqs and not beyond:
            return seqs
        seqs += beyond
        await page.keyboard.press("PageDown")
        await page.evaluate(
            "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )


@pytest.mark.full
async def test_the_demo_run_is_watched_from_start_to_completed_through_a_killed_gateway(
    own_engine: Engine, both: list[Gateway]
) -> None:
    gateway, demo_host = both
    async with chromium_page() as page:
        # the run lives in the other gateway, so that killing this one hurts nobody but the page
        async def elsewhere(route: Route) -> None:
            url = route.request.url.replace(gateway.http, demo_host.http)
            await route.fulfill(response=await page.request.post(url))

        await page.route("**/start-streaming", elsewhere)
        await page.goto(f"{gateway.http}/monitoring")
        await shoot(page, "1-empty")
        await page.locator(".runtail-start:visible").first.click()
        rows = page.locator(".runtail-execution .rt-row[data-seq]")
        await expect(rows.nth(5)).to_be_visible(timeout=PATIENCE_MS)
        await shoot(page, "2-running")
        await asyncio.to_thread(gateway.kill)
        await expect(page.locator(LINK)).to_contain_text("reconnecting", timeout=PATIENCE_MS)
        await shoot(page, "3-gateway-killed")
        await asyncio.to_thread(gateway.start)
        await expect(page.locator(LINK)).to_contain_text("live", timeout=PATIENCE_MS)
        await shoot(page, "4-resumed")
        await expect(page.locator(LINK)).to_contain_text("complete,", timeout=RUN_MS)
        execution_id = (await page.locator(".runtail-head .runtail-id").inner_text()).strip()
        stream = read_stream(own_engine.url, execution_id)
        await expect(page.locator(LINK)).to_have_text(f"ended · complete, {len(stream)} lines")
        await expect(page.locator(".runtail-execution .runtail-status-word")).to_have_text(
            re.compile("completed|failed")
        )
        await shoot(page, "5-completed")
        seqs = await shown_seqs(page)
        assert seqs == [row.seq for row in stream]
