"""The page around the logs: starting, choosing, linking."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect
from tests.gateway.fake_execution import FakeExecution
from tests.gateway.fake_gateway import FakeGateway
from tests.gateway.page.watching import listed, names, panes, rows, watch, words

pytestmark = pytest.mark.browser


async def test_the_start_button_starts_executions_side_by_side(
    page: Page, gateway: FakeGateway
) -> None:
    await page.goto(gateway.address)
    await page.locator(".runtail-empty .runtail-start").click()
    await expect(panes(page)).to_have_count(1)
    await page.locator(".runtail-bar .runtail-start").click()
    await expect(panes(page)).to_have_count(2)
    one, two = gateway.executions.values()
    assert re.fullmatch(r"demo-\d{8}-\d{6}-[a-z0-9]{4}", one.id)
    await expect(words(page).nth(1)).to_have_text(re.compile("^live"))
    await two.log("only in the second")
    await expect(rows(panes(page).nth(1))).to_have_count(2)
    await expect(rows(panes(page).nth(0))).to_have_count(1)


async def test_what_is_open_is_open_again_after_a_reload(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    gateway.execution("run-2").make("hello")
    await page.goto(f"{gateway.address}#run-1")
    await listed(page).get_by_text("run-2").click()
    await page.reload()
    await expect(names(page)).to_have_text(["run-1", "run-2"])
    await page.get_by_role("button", name="Close run-1").click()
    await page.reload()
    await expect(names(page)).to_have_text(["run-2"])


async def test_who_comes_without_a_name_sees_at_once_what_runs(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await page.goto(gateway.address)
    await expect(names(page)).to_have_text(["run-1"])
    await page.get_by_role("button", name="Close run-1").click()
    await listed(page).get_by_text("run-1").wait_for()
    await expect(panes(page)).to_have_count(0)


async def test_the_page_works_under_a_prefix(page: Page) -> None:
    async with FakeGateway("/team/monitoring-tools").serve() as gateway:
        run = gateway.execution("run-1")
        run.make("hello")
        await watch(page, gateway, run)
        await expect(rows(page)).to_have_count(1)
        await expect(listed(page)).to_have_count(1)
