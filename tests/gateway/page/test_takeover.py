"""The page before two gateway processes behind one address, of which one is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.e2e.processes import Gateway, gateways
from tests.gateway.page.cut_link import CutLink
from tests.gateway.page.reading import statuses
from tests.gateway.page.watching import dot, rows, words
from tests.gateway.worker import Worker
from tests.polling import a_moment
from tests.proxy import proxy_to

pytestmark = pytest.mark.browser


@pytest.fixture
def both(engine_url: str, tmp_path: Path) -> Iterator[list[Gateway]]:
    with gateways(engine_url, tmp_path, 2) as both:
        yield both


async def work(worker: Worker, done: asyncio.Event) -> int:
    """Publish line after line until *done*; answer how many."""
    lines = 0
    while not done.is_set():
        await worker.log_many(1, 5)
        lines += 5
        await a_moment()
    return lines


async def more_lines_come(page: Page) -> None:
    newest = rows(page).last.locator(".rt-seq")
    await expect(newest).not_to_have_text(await newest.inner_text())


@pytest.mark.parametrize(
    ("leave", "sockets"),
    [
        pytest.param(Gateway.kill, True, id="killed"),
        pytest.param(Gateway.end, True, id="ended", marks=pytest.mark.full),
        pytest.param(Gateway.kill, False, id="killed, without sockets", marks=pytest.mark.full),
        pytest.param(Gateway.end, False, id="ended, without sockets", marks=pytest.mark.full),
    ],
)
async def test_when_its_gateway_goes_another_one_goes_on_without_a_repeat_or_a_hole(
    page: Page,
    both: list[Gateway],
    worker: Worker,
    leave: Callable[[Gateway], object],
    sockets: bool,
) -> None:
    """Start, watch, kill, watch on, end: and what stood beside the dot all the while."""
    first, other = both
    with proxy_to(first.http, other.http) as proxy:
        proxy.refusing_upgrades = not sockets
        link = CutLink(page, proxy, worker)
        await link.open()
        done = asyncio.Event()
        working = asyncio.create_task(work(worker, done))
        await more_lines_come(page)
        await asyncio.to_thread(leave, first)
        await expect(dot(page)).to_have_attribute("data-status", "connecting")
        await expect(words(page)).to_have_text("live")
        await more_lines_come(page)
        done.set()
        await link.ends_complete(100 + await working + 3)
    assert await statuses(page) == [
        "connecting", "connected", "connecting", "connected", "disconnected",
    ]  # fmt: skip
