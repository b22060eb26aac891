"""Look at the page as a reader does: its rows, their line numbers, the words beside the dot."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect
from tests.gateway.fake_gateway import FakeExecution, FakeGateway


async def watch(page: Page, gateway: FakeGateway, execution: FakeExecution) -> None:
    await page.goto(f"{gateway.address}#{execution.id}")
    await expect(words(page)).to_have_text(re.compile("^live|^complete"))


def words(page: Page) -> Locator:
    return page.locator(".words")


def rows(page: Page) -> Locator:
    return page.locator(".log .row[data-seq]")


async def seqs(page: Page) -> list[int]:
    return [int(text) for text in await rows(page).locator(".seq").all_text_contents()]


async def scroll_by_wheel(page: Page, pixels: int) -> None:
    await page.locator(".log").hover()
    await page.mouse.wheel(0, pixels)
