"""Look at a log view as its reader does: which lines are in sight, whether it follows."""

from __future__ import annotations

import time
from typing import cast

from playwright.async_api import Page, expect

_IN_SIGHT = """() => {
  const box = document.querySelector(".rt-scroller").getBoundingClientRect();
  return [...document.querySelectorAll(".rt-row[data-seq]")]
    .map((row) => [Number(row.dataset.seq), row.getBoundingClientRect()])
    .filter(([, at]) => at.bottom > box.top + 1 && at.top < box.bottom - 1)
    .map(([seq, at]) => [seq, Math.round(at.top), Math.round(at.bottom)]);
}"""


async def show(page: Page, address: str, query: str) -> None:
    """Open the page, wait for its lines, and give them the keyboard."""
    await page.goto(f"{address}{query}")
    await expect(page.locator(".rt-row[data-seq]").first).to_be_visible()
    await page.locator(".rt-scroller").focus()


async def in_sight(page: Page) -> list[tuple[int, int, int]]:
    """List the lines in sight: seq, top and bottom of each, in pixels of the window."""
    found = cast("list[list[int]]", await page.evaluate(_IN_SIGHT))
    return [(seq, top, bottom) for seq, top, bottom in found]


async def seqs(page: Page) -> list[int]:
    return [seq for seq, _, _ in await in_sight(page)]


async def top_of(page: Page, seq: int) -> int:
    return next(top for each, top, _ in await in_sight(page) if each == seq)


async def moved_to(page: Page, seq: int, top: int) -> None:
    """Wait until the line *seq* stands at *top*, and see that it stays there."""
    deadline = time.monotonic() + 5
    while await top_of(page, seq) != top and time.monotonic() < deadline:
        await page.wait_for_timeout(20)
    await page.wait_for_timeout(250)  # the scroll bar is put right when the wheel rests
    assert await top_of(page, seq) == top


async def settle(page: Page) -> None:
    """Wait until what was asked for is painted, and the scroll bar is put right."""
    await expect(page.locator(".rt-placeholder")).to_have_count(0)
    await page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


async def is_following(page: Page) -> bool:
    return (
        await page.get_by_role("button", name="Follow", exact=True).first.get_attribute(
            "aria-pressed"
        )
        == "true"
    )
