"""Trying out a workflow on the page: pasted, refused at its place, run, failed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests.browser import chromium_page
from tests.e2e.processes import Gateway, gateways

from runtail_broker.engines.engine import Engine

PATIENCE_MS = 30_000

pytestmark = [pytest.mark.browser, pytest.mark.full]


@pytest.fixture
def gateway(place: Path, own_engine: Engine) -> Iterator[Gateway]:
    with gateways(own_engine.url, place, 1) as (gateway,):
        yield gateway


def workflow(**failing: object) -> str:
    """Twelve steps, three side by side; the eighth fails."""
    steps: list[dict[str, object]] = [
        {
            "name": f"step-{n}",
            "after": [f"step-{n - 3}"] if n > 3 else [],
            "seconds": 0.3,
            "logs_per_second": 10,
        }
        for n in range(1, 13)
    ]
    steps[7] |= {"failure": 1} | failing
    return json.dumps({"name": "twelve", "steps": steps})


async def paste(page: Page, definition: str) -> None:
    """Put *definition* in the place of what is there, and start it."""
    await page.get_by_label("Definition").fill(definition)
    await page.get_by_role("button", name="Start", exact=True).click()


async def test_a_pasted_workflow_is_refused_at_its_place_then_run_and_its_failure_is_on_top(
    gateway: Gateway,
) -> None:
    async with chromium_page() as page:
        await page.goto(f"{gateway.http}/monitoring")
        await page.get_by_role("button", name="Start new execution").click()
        await page.get_by_role("tab", name="Paste JSON").click()
        await paste(page, workflow(after=["step-5", "nowhere"]))
        await expect(page.get_by_role("alert")).to_contain_text("steps[7].after[1]")
        await paste(page, workflow())
        await expect(page).to_have_url(re.compile(r"/monitoring/executions/try-"))
        shown = page.locator(".runtail-execution")
        await expect(shown).to_have_attribute("data-status", "failed", timeout=PATIENCE_MS)
        await expect(page.locator(".runtail-summary")).to_contain_text("step-8")
        await page.get_by_role("link", name="Executions").click()
        row = page.locator(".runtail-row")
        await expect(row).to_have_attribute("data-status", "failed")
        await expect(row.locator(".runtail-row-error")).not_to_be_empty()


async def test_a_run_that_fails_while_one_looks_at_the_list_is_told_once_with_its_last_lines(
    gateway: Gateway,
) -> None:
    async with chromium_page() as page:
        await page.goto(f"{gateway.http}/monitoring")
        await expect(page.get_by_text("Nothing has run here yet")).to_be_visible()
        answer = await page.request.post(
            f"{gateway.http}/executions/twelve-1/start-streaming",
            data=workflow(),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status == 202
        alert = page.locator(".runtail-alert")
        await expect(alert).to_have_count(1, timeout=PATIENCE_MS)
        await expect(alert).to_contain_text("twelve-1 failed Simulated: step-8 failed")
        lines = alert.get_by_role("region", name="Last lines")
        await expect(lines).to_contain_text(re.compile(r"step-\d+ │ record \d of 3"))
        await alert.get_by_role("button", name="Dismiss the alert about twelve-1").click()
        await page.wait_for_timeout(1_000)
        await expect(alert).to_have_count(0)
        await page.reload()
        await expect(page.locator(".runtail-row")).to_have_count(1)
        await expect(alert).to_have_count(0)
