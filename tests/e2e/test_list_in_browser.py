"""The list of executions in a real browser, with a real gateway, engine and workers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.browser import chromium, open_page
from tests.e2e.processes import Gateway, gateways
from tests.tracing import traced

from runtail_broker.engines.engine import Engine

PATIENCE_MS = 20_000
PROGRAM = Path(__file__).with_name("many_runs.py")

pytestmark = pytest.mark.browser


@pytest.fixture
def gateway(place: Path, own_engine: Engine) -> Iterator[Gateway]:
    with gateways(own_engine.url, place, 1) as (gateway,):
        yield gateway


@contextmanager
def runs(engine: Engine, count: int) -> Iterator[None]:
    """So many executions, each 10 records/s, while the block lasts."""
    words = [sys.executable, str(PROGRAM), engine.url, str(count)]
    pipes = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipes, stdout=pipes, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        yield
        process.communicate(timeout=30)


async def progress(page: Page) -> list[str]:
    """How far the executions in sight are, as they say."""
    return await page.locator(".runtail-row-percent").all_text_contents()


@pytest.mark.timeout(120)
@pytest.mark.full
@pytest.mark.parametrize(("count", "seconds"), [(20, 2), (200, 15)])
async def test_executions_at_10_records_a_second_each_leave_the_list_smooth(
    own_engine: Engine, gateway: Gateway, count: int, seconds: int
) -> None:
    """By the browser's own tracing, in processor time of the page's main thread."""
    with runs(own_engine, count):
        async with chromium() as browser, open_page(browser, 1440, 900) as page:
            async with traced(browser, page) as opening:
                await page.goto(f"{gateway.http}/monitoring")
                await expect(page.locator(".runtail-row")).not_to_have_count(0)
                await page.wait_for_timeout(1_500)
            told = page.locator(".runtail-status-line")
            await page.get_by_role("button", name="Running").click()
            await page.get_by_role("grid").focus()
            await page.keyboard.press("End")  # older ones are read as they are scrolled to
            await expect(told).to_contain_text(f"{count} of {count} executions")
            await page.keyboard.press("Home")
            async with traced(browser, page) as watching:
                before = await progress(page)
                for _ in range(seconds):
                    await page.mouse.move(700, 500)
                    await page.mouse.wheel(0, 150)
                    await page.wait_for_timeout(1_000)
                await page.keyboard.press("Home")
            assert before != await progress(page)
    sys.stdout.write(
        f"\nopening: first contentful paint {opening.first_contentful_paint_ms:.0f} ms, {opening}"
        f"\n{count} executions for {seconds} s: {watching}\n"
    )
    assert opening.first_contentful_paint_ms < 3_000
    assert opening.blocked_ms < 200
    assert max(watching.tasks) < 50
    assert watching.late_frames <= seconds  # of sixty a second
