"""The page over a very long log, with a real gateway and engine: quick, small, and even.

The bounds asserted are those for a machine that does other things beside; the figures are printed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page
from tests.browser import chromium, open_page
from tests.e2e.processes import gateways
from tests.gateway.long_run import LongRun
from tests.tracing import traced
from tests.ui.tab import Tab, frames_for, frames_while_scrolling, lines_seen

from runtail_broker.connections.client import Nodes
from runtail_broker.engines.engine import Engine

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ROWS = ".rt-row[data-seq]:not(.rt-placeholder)"
SCROLLER = ".rt-scroller"
SIZES = [20_000, pytest.param(1_000_000, marks=pytest.mark.full)]

MOST_MS = 2_000.0  # alone on the machine: less than 1,000
MOST_TASK_MS = 100.0
MOST_MIB = 150.0


@dataclass(frozen=True, slots=True)
class Watched:
    """A run, and the page that shows it."""

    run: LongRun
    page: str


@pytest.fixture
async def watched(own_engine: Engine, place: Path) -> AsyncIterator[Watched]:
    """An execution that has begun, and a gateway."""
    nodes = Nodes.connect(own_engine.url)
    run = LongRun(nodes, "long")
    await run.open()
    with gateways(own_engine.url, place, 1) as (gateway,):
        yield Watched(run, f"{gateway.http}/monitoring/executions/long")
    await nodes.close()


@asynccontextmanager
async def tab(address: str) -> AsyncIterator[tuple[Browser, Page]]:
    """Begin to load the page in a browser of its own."""
    async with chromium() as browser, open_page(browser, 1200, 800) as page:
        await page.goto(address, wait_until="commit")
        yield browser, page


def tell(what: str, figure: object) -> None:
    print(f"{what}: {figure}")  # noqa: T201


@pytest.mark.parametrize("lines", SIZES)
async def test_any_place_of_a_long_log_is_there_in_a_moment(watched: Watched, lines: int) -> None:
    """Its end, a line that an address names, the middle of an open page, the other end."""
    await watched.run.write(lines)
    middle = lines // 2
    async with tab(watched.page) as (_, page):
        first = (await lines_seen(page, ROWS, f"line {lines} "))["loaded"]
        await page.locator(SCROLLER).focus()
        await page.keyboard.press("Home")
        home = (await lines_seen(page, ROWS, "line 2 "))["since"]
        await page.evaluate(f"log = document.querySelector('{SCROLLER}'); 0")
        await page.evaluate("log.scrollTop = (log.scrollHeight - log.clientHeight) / 2")
        about = f"line ({str(middle - 1)[:-2]}|{str(middle)[:-2]})\\d\\d "
        jumped = (await lines_seen(page, ROWS, about))["since"]
    async with tab(f"{watched.page}#L{middle}") as (_, page):
        named = (await lines_seen(page, ROWS, f"line {middle} "))["loaded"]
    found = {"end": first, f"#L{middle}": named, "middle": jumped, "first": home}
    tell(f"ms until it is there, of {lines} lines", found)
    assert max(found.values()) < MOST_MS


@pytest.mark.full
async def test_a_tab_stays_small_while_a_long_run_streams_through_it(watched: Watched) -> None:
    """A million lines come over the socket, and none is missing at the end."""
    lines = 1_000_000
    async with tab(watched.page) as (browser, page):
        await lines_seen(page, ROWS, "running")
        watcher = await Tab.of(browser, page)
        async with watcher.memory() as memory:
            await watched.run.write(lines)
            await lines_seen(page, ROWS, f"line {lines} ")
        await watched.run.end()
        await page.get_by_text(f"complete, {lines + 2:,} lines").first.wait_for()
    tell(f"MiB while {lines} lines streamed through", memory)
    assert memory.heap_peak < MOST_MIB
    assert memory.private_left < MOST_MIB
    assert memory.private_peak < MOST_MIB


@pytest.mark.full
@pytest.mark.parametrize(("lines", "seconds"), [(20_000, 2.0), (1_000_000, 10.0)])
async def test_no_task_is_long_at_5000_records_a_second_and_frames_keep_coming(
    watched: Watched, lines: int, seconds: float
) -> None:
    """The page follows the end; then its reader scrolls back, as fast as a wheel can turn."""
    await watched.run.write(lines)
    async with tab(watched.page) as (browser, page):
        await lines_seen(page, ROWS, f"line {lines} ")
        async with traced(browser, page) as trace:
            stream = asyncio.create_task(watched.run.stream(5_000, seconds))
            following = await frames_for(page, seconds)
            await stream
        await lines_seen(page, ROWS, f"line {watched.run.last} ")
        await page.locator(SCROLLER).focus()
        await page.keyboard.press("Home")
        scrolling = await frames_while_scrolling(page, SCROLLER, seconds / 2)
    tell("tasks", trace)
    tell("following", following)
    tell("scrolling", scrolling)
    assert watched.run.last - lines > 4_000 * seconds
    assert len(trace.tasks) > 50 * seconds
    assert trace.longest_ms < MOST_TASK_MS
    assert min(following.per_second, scrolling.per_second) > 5
