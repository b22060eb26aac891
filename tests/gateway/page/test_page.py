"""The page around the logs: starting, choosing, linking."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect
from tests.gateway.fake_execution import FakeExecution
from tests.gateway.fake_gateway import FakeGateway
from tests.gateway.page.watching import listed, names, panes, rows, watch, words

pytestmark = pytest.mark.browser


async def test_what_is_started_is_shown_and_several_are_opened_side_by_side(
    page: Page, gateway: FakeGateway
) -> None:
    await page.goto(gateway.address)
    await page.locator(".runtail-empty .runtail-start").click()
    await expect(panes(page)).to_have_count(1)
    await page.get_by_role("link", name="Executions").click()
    await expect(listed(page)).to_have_count(1)
    await page.get_by_role("button", name="Start new execution").click()
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(panes(page)).to_have_count(1)
    one, two = gateway.executions.values()
    assert re.fullmatch(r"demo-\d{8}-\d{6}-[a-z0-9]{4}", one.id)
    await expect(names(page)).to_have_text([two.id])
    await page.go_back()
    for box in await listed(page).get_by_role("checkbox").all():
        await box.check()
    await page.get_by_role("button", name="Open side by side").click()
    await expect(panes(page)).to_have_count(2)
    await expect(words(page).nth(1)).to_have_text(re.compile("^live"))
    await two.log("only in the second")
    pane = panes(page).filter(has_text=two.id)
    await expect(rows(pane)).to_have_count(2)
    await expect(rows(panes(page).filter(has_text=one.id))).to_have_count(1)


async def test_what_is_open_is_open_again_after_a_reload(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    gateway.execution("run-2").make("hello")
    await page.goto(f"{gateway.address}?execution=run-1&execution=run-2")
    await expect(names(page)).to_have_text(["run-1", "run-2"])
    await page.get_by_role("button", name="Close run-1").click()
    await page.reload()
    await expect(names(page)).to_have_text(["run-2"])


async def test_who_comes_without_a_name_sees_the_list_and_the_back_button_leads_to_it(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    gateway.execution("other-1").status = "failed"
    await page.goto(gateway.address)
    await expect(listed(page)).to_have_count(2)
    await page.get_by_role("button", name="Running").click()
    await expect(listed(page)).to_have_count(1)
    await expect(page).to_have_url(f"{gateway.address}?status=running")
    await listed(page).click()
    await expect(names(page)).to_have_text(["run-1"])
    await expect(page).to_have_url(f"{gateway.address}/executions/run-1")
    await page.go_back()
    await expect(listed(page)).to_have_count(1)
    await page.reload()
    await expect(page.get_by_role("button", name="Running")).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.go_back()
    await expect(listed(page)).to_have_count(2)


async def test_an_older_link_with_a_name_behind_the_hash_still_leads_to_it(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await page.goto(f"{gateway.address}#run-1")
    await expect(names(page)).to_have_text(["run-1"])


async def test_a_page_in_a_page_has_no_frame(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await page.goto(f"{gateway.address}?embed=1")
    await expect(listed(page)).to_have_count(1)
    await expect(page.get_by_role("banner")).to_have_count(0)
    await listed(page).click()
    await expect(page).to_have_url(f"{gateway.address}/executions/run-1?embed=1")
    await expect(names(page)).to_have_text(["run-1"])
    await expect(page.get_by_role("banner")).to_have_count(0)


async def test_the_page_works_under_a_prefix(page: Page) -> None:
    async with FakeGateway("/team/monitoring-tools").serve() as gateway:
        run = gateway.execution("run-1")
        run.make("hello")
        await watch(page, gateway, run)
        await expect(rows(page)).to_have_count(1)
        await page.get_by_role("link", name="Executions").click()
        await expect(listed(page)).to_have_count(1)
