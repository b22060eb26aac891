"""The page of one execution, with real gateways: what people see, share, stop and try out."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from tests.browser import open_page
from tests.gateway.conftest import QUICK
from tests.gateway.page.watching import rows, words
from tests.gateway.running import Running, running
from tests.gateway.signing import AUTH, bearer, token
from tests.gateway.worker import Worker
from tests.ui.gallery import AXE, faults

from runtail import AsyncPublisher
from runtail_gateway.access.share import ShareLinks

pytestmark = pytest.mark.browser

PATIENCE_SECONDS = 15

TWELVE = {
    "name": "twelve",
    "steps": [
        {"name": f"step {n}", "seconds": 0.2, "logs_per_second": 15}
        | ({"after": [f"step {n - 1}"]} if n > 1 else {})
        | ({"failure": 1} if n == 9 else {})
        for n in range(1, 13)
    ],
}


@pytest.fixture
async def two(engine_url: str) -> AsyncIterator[list[Running]]:
    """Two gateways of one engine."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running(QUICK, engine_url)) for _ in range(2)]


@pytest.fixture
async def worker(worker: Worker) -> Worker:
    await worker.open()
    for word in ("one", "two", "three"):
        await worker.log(word)
    return worker


async def open_execution(page: Page, gateway: Running, execution_id: str, more: str = "") -> None:
    await page.goto(f"{gateway.address}/monitoring/executions/{execution_id}{more}")


def notes(page: Page) -> Locator:
    return page.locator(".runtail-note .runtail-note-text")


async def pin(page: Page, text: str, name: str) -> None:
    """Write a note on the lines that are selected."""
    await page.get_by_role("button", name="Note", exact=True).click()
    await page.get_by_role("textbox", name="What is there to see?").fill(text)
    await page.get_by_role("textbox", name="Your name").fill(name)
    await page.get_by_role("button", name="Pin it").click()


async def test_two_people_at_two_gateways_see_each_others_notes_at_once_and_after_the_end(
    browser: Browser, two: list[Running], worker: Worker
) -> None:
    async with open_page(browser) as ann, open_page(browser) as bob:
        await open_execution(ann, two[0], worker.execution_id, "#L2-L3")
        await open_execution(bob, two[1], worker.execution_id)
        for page in (ann, bob):
            await expect(page.get_by_text("2 watching")).to_be_visible()
        await bob.get_by_role("tab", name="Notes").click()
        await pin(ann, "look at these", "Ann")
        await expect(notes(ann)).to_have_text("look at these")
        await expect(notes(bob)).to_have_text("look at these", timeout=1_000)
        await expect(bob.locator('.rt-row[data-seq="2"] .rt-note')).to_contain_text("Ann: look")
        assert await bob.get_by_role("button", name="Edit").count() == 0  # it is not Bob's

        await worker.end()
        await expect(words(bob)).to_contain_text("ended")
        await ann.get_by_role("button", name="Edit").click()
        await ann.locator(".runtail-note textarea").fill("look again")
        await ann.get_by_role("button", name="Save").click()
        await expect(notes(ann)).to_have_text("look again")
        await expect(notes(bob)).to_have_text("look again", timeout=1_000)

        await ann.get_by_role("button", name="Remove").click()
        await ann.get_by_role("button", name="Remove").click()
        await expect(notes(ann)).to_have_count(0)
        await expect(notes(bob)).to_have_count(0, timeout=1_000)


@pytest.fixture
async def signed(engine_url: str) -> AsyncIterator[Running]:
    """A gateway where one has to sign in."""
    async with running(replace(QUICK, auth=AUTH), engine_url) as gateway:
        yield gateway


async def test_a_link_is_shared_by_who_may_and_read_by_who_has_it(
    browser: Browser, signed: Running, worker: Worker
) -> None:
    async with open_page(browser) as owner, open_page(browser) as guest:
        await owner.add_init_script(
            f"sessionStorage.setItem('runtail-token', '{token(scope='read admin')}')"
        )
        await open_execution(owner, signed, worker.execution_id)
        await owner.get_by_role("button", name="Share").click()
        link = await owner.get_by_role("textbox", name="Link").input_value()
        await guest.goto(link)
        await expect(rows(guest).last).to_contain_text("three")
        await expect(guest.locator(".runtail-head .runtail-id")).to_have_text(worker.execution_id)
        assert await guest.get_by_role("button", name=re.compile("Share|Cancel|Start")).count() == 0
        address = f"{signed.address}/executions/{worker.execution_id}/notes"
        said = {"text": "for guests", "seq": 2}
        async with signed.http.post(address, json=said, headers=bearer(scope="publish")) as kept:
            assert kept.status == 201
        note = guest.locator('.rt-row[data-seq="2"] .rt-note')
        await expect(note).to_contain_text("ann: for guests")  # asked for every few seconds
        await guest.goto(link.replace(worker.execution_id, "another"))
        await expect(words(guest)).to_contain_text("refused")


async def test_a_shared_link_dies_when_it_expires(
    page: Page, signed: Running, worker: Worker
) -> None:
    link = ShareLinks(AUTH).make(worker.execution_id, "ann", int(time.time() + 3))
    await open_execution(page, signed, worker.execution_id, f"?share={link}")
    await expect(rows(page).last).to_contain_text("three")
    await expect(words(page)).to_have_text(re.compile("signed out|refused"))
    await worker.log("a secret of later")
    await page.reload()
    await expect(words(page)).to_have_text(re.compile("signed out|refused"))
    assert await rows(page).count() == 0


async def test_a_workflow_of_twelve_steps_is_drawn_run_and_ends_with_the_failing_one_on_top(
    page: Page, two: list[Running]
) -> None:
    await page.goto(f"{two[0].address}/monitoring")
    await page.get_by_role("button", name="Start new execution").first.click()
    await page.get_by_role("tab", name="Paste JSON").click()
    await page.get_by_role("textbox", name="Definition").fill(json.dumps(TWELVE))
    await page.get_by_role("button", name="Start", exact=True).click()
    steps = page.locator(".runtail-graph-step")
    await expect(steps).to_have_count(12)
    await expect(page.locator('.runtail-graph-step[data-status="running"]')).to_have_count(1)
    failed = page.get_by_role("region", name="Failed in step 9")
    await expect(failed).to_be_visible(timeout=30_000)
    await expect(page).to_have_title("failed · twelve")
    statuses = await steps.evaluate_all("all => all.map(each => each.dataset.status)")
    assert statuses == ["completed"] * 8 + ["failed"] + ["skipped"] * 3
    await failed.get_by_role("link").click()
    line = await failed.get_by_role("link").text_content()
    await expect(page).to_have_url(re.compile(f"#L{re.sub(r'[^0-9]', '', line or '')}$"))
    await steps.nth(1).click()
    first = page.locator(".rt-row.rt-selected")
    await expect(first).to_contain_text("step 2")


async def test_a_cancel_reaches_the_worker_after_asking_once_more(
    page: Page, two: list[Running], engine_url: str
) -> None:
    heard = asyncio.Event()
    async with (
        AsyncPublisher(redis_url=engine_url) as publisher,
        publisher.execution("long-1") as run,
    ):
        run.on_cancel(heard.set)
        run.info("working")
        await publisher.flush()
        await open_execution(page, two[0], "long-1")
        await page.get_by_role("button", name="Cancel").click()
        assert not heard.is_set()
        await page.get_by_role("button", name="Yes, stop").click()
        await expect(page.get_by_text("Asked to stop")).to_be_visible()
        await asyncio.wait_for(heard.wait(), PATIENCE_SECONDS)


async def test_several_are_one_log_over_one_socket(
    page: Page, two: list[Running], worker: Worker, engine_url: str
) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    async with (
        AsyncPublisher(redis_url=engine_url) as publisher,
        publisher.execution("other-1") as run,
    ):
        run.info("of the other")
        await publisher.flush()
        query = f"?execution={worker.execution_id}&execution=other-1&view=merged"
        await page.goto(f"{two[0].address}/monitoring{query}")
        merged = page.get_by_role("region", name="Log of 2 executions, merged")
        await expect(merged.locator(".rt-row", has_text="three")).to_be_visible()
        await expect(merged.locator(".rt-row", has_text="of the other")).to_be_visible()
        await worker.log("four")
        run.info("and more of the other")
        await expect(merged.locator(".rt-row", has_text="four")).to_be_visible()
        await expect(merged.locator(".rt-row", has_text="and more")).to_be_visible()
    assert len(sockets) == 1


@pytest.mark.node
async def test_a_run_is_looked_through_by_keys_alone_and_nothing_is_wrong_with_its_page(
    page: Page, two: list[Running], engine_url: str
) -> None:
    if not AXE.exists():
        pytest.skip(f"no {AXE.name}: npm ci in gateway/ui puts it there")
    async with (
        AsyncPublisher(redis_url=engine_url) as publisher,
        publisher.execution("keys-1") as run,
    ):
        run.set_plan({"extract": [], "load": ["extract"]})
        async with run.step("extract"):
            run.info("extracting")
        async with run.step("load"):
            run.info("loading")
            await publisher.flush()
            await open_execution(page, two[0], "keys-1")
            await expect(page.locator(".runtail-graph-step")).to_have_count(2)
            await tab_to(page, "extract")
            await page.keyboard.press("ArrowDown")
            await page.keyboard.press("Enter")
            await expect(page.locator(".rt-row.rt-selected")).to_contain_text("load")
            await tab_to(page, "Plan", backwards=True)
            for tab in ("Steps", "Time line", "Values", "Notes"):
                await page.keyboard.press("ArrowRight")
                chosen = page.get_by_role("tab", selected=True)
                await expect(chosen).to_contain_text(tab)
                await expect(chosen).to_be_focused()
                assert await faults(page) == []


# What the focused button is called; of anything else nothing.
FOCUSED = """(() => {
  const { tagName, ariaLabel, textContent } = document.activeElement;
  return tagName === "BUTTON" ? (ariaLabel ?? textContent) : "";
})()"""


async def tab_to(page: Page, name: str, *, backwards: bool = False) -> None:
    """Press Tab until the focus is on what begins with *name*."""
    for _ in range(60):
        await page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if str(await page.evaluate(FOCUSED)).startswith(name):
            return
    raise AssertionError(f"no Tab leads to {name!r}")
