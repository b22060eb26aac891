"""Look at the page as a reader does: its rows, their line numbers, the words beside the dot."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect
from tests.gateway.fake_execution import FakeExecution
from tests.gateway.fake_gateway import FakeGateway


async def watch(page: Page, gateway: FakeGateway, execution: FakeExecution) -> None:
    """Open the page of *execution*, and wait until it has all there is."""
    await page.goto(f"{gateway.address}/executions/{execution.id}")
    await expect(words(page)).to_have_text(re.compile("^live|^ended"))


def words(page: Page) -> Locator:
    """How the page stands with its gateway, in words."""
    return page.locator(".runtail-words")


def dot(page: Page) -> Locator:
    """What carries the connection's status, which colours the dot."""
    return page.locator(".runtail-link")


def panes(page: Page) -> Locator:
    """The executions that are watched."""
    return page.locator(".runtail-execution, .runtail-monitor")


def names(page: Page) -> Locator:
    """Their ids, as they stand in their headers."""
    return panes(page).locator(":is(.runtail-head, .runtail-monitor-header) .runtail-id")


def listed(page: Page) -> Locator:
    """The executions in the list, as far as they are in sight."""
    return page.locator(".runtail-row")


def rows(page: Page | Locator) -> Locator:
    """The lines that are drawn; notices between them are none."""
    return page.locator(".rt-row[data-seq]")


def notices(page: Page) -> Locator:
    """What is said between the lines."""
    return page.locator(".rt-row.rt-notice")


def scroller(page: Page) -> Locator:
    """What scrolls the lines."""
    return page.locator(".rt-scroller")


def pill(page: Page) -> Locator:
    """What brings back to the end of the log; not there while it is followed."""
    return page.locator(".rt-pill")


async def seqs(page: Page) -> list[int]:
    """The line numbers as they stand on the screen."""
    return [int(text) for text in await rows(page).locator(".rt-seq").all_text_contents()]


async def scroll_by_wheel(page: Page, pixels: int) -> None:
    """Turn the wheel over the log."""
    await scroller(page).hover()
    await page.mouse.wheel(0, pixels)
