"""Where one has to sign in: a token for the tab alone, renewed in place; links for one run."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from playwright.async_api import Page, expect
from tests.gateway.conftest import QUICK
from tests.gateway.page.reading import Read, frames, read_all, statuses, take_notes, wrong_lines
from tests.gateway.page.watching import dot, listed, panes, rows, words
from tests.gateway.running import Running, running
from tests.gateway.signing import AUTH, token
from tests.gateway.worker import Worker
from tests.polling import soon
from tests.proxy import proxy_to

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import index_of
from runtail_gateway.access.share import ShareLinks

pytestmark = pytest.mark.browser
SAID = '"type":"auth"'


@pytest.fixture
async def signed(engine_nodes: Nodes, engine_url: str) -> AsyncIterator[Running]:
    """A gateway where one has to sign in."""
    async with running(replace(QUICK, auth=AUTH), engine_url) as gateway:
        yield gateway


@pytest.fixture
async def run(worker: Worker, engine_nodes: Nodes) -> Worker:
    await worker.open()
    await worker.log("one")
    key = index_of(worker.execution_id)
    await engine_nodes.at(key, lambda node: node.zadd(key, {worker.execution_id: 1}))
    return worker


async def sign_in(page: Page, with_token: str) -> None:
    await page.get_by_label("Token").fill(with_token)
    await page.locator(".sign-in").get_by_role("button", name="Sign in").click()


async def kept(page: Page) -> str:
    """All that the browser keeps for the page."""
    return str(await page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])"))


async def test_who_signs_in_sees_what_the_token_allows_and_stays_signed_in_for_the_tab(
    page: Page, signed: Running, run: Worker
) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("websocket", lambda socket: requested.append(socket.url))
    await page.goto(f"{signed.address}/monitoring/executions/{run.execution_id}")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(page.locator(".sign-in-why")).to_have_text("This gateway wants to know who comes.")
    await expect(dot(page)).to_have_attribute("data-status", "error")
    mine = token()
    await sign_in(page, f"Bearer {mine}\n")
    await expect(rows(page).last).to_contain_text("one")
    await expect(page.get_by_role("heading", name="Sign in")).to_have_count(0)
    await page.get_by_role("link", name="Executions").click()
    await expect(listed(page)).to_have_count(1)
    await page.go_back()
    await page.reload()
    await expect(rows(page).last).to_contain_text("one")
    assert mine not in "".join([*requested, page.url])
    assert await kept(page) == f'[{{"runtail-token":"{mine}"}},{{}}]'


async def test_who_signs_in_downloads_the_log_and_opens_it_raw(
    page: Page, signed: Running, run: Worker
) -> None:
    """An address carries no token: each gets a link of its own, for a moment."""
    await page.goto(f"{signed.address}/monitoring/executions/{run.execution_id}")
    await sign_in(page, token(scope="read", sub="ann"))
    await page.get_by_role("button", name="More").click()
    await page.get_by_text("Download", exact=True).click()
    async with page.expect_download() as saving:
        await page.get_by_role("link", name="Text, whole log").click()
    saved = await (await saving.value).path()
    assert "one" in saved.read_text()
    async with page.expect_popup() as opening:
        await page.get_by_role("link", name="Raw, in a tab").click()
    raw = await opening.value
    await expect(raw.locator("body")).to_contain_text("one")


async def test_a_token_that_is_none_or_over_is_told_before_it_is_sent(
    page: Page, signed: Running
) -> None:
    await page.goto(f"{signed.address}/monitoring")
    await sign_in(page, "nightly")
    await expect(page.locator(".sign-in-why")).to_contain_text("That is no token")
    await sign_in(page, token(lives=-5))
    await expect(page.locator(".sign-in-why")).to_contain_text("has expired")
    assert await kept(page) == "[{},{}]"


async def test_a_token_that_expires_while_watching_is_renewed_in_place(
    page: Page, signed: Running, run: Worker
) -> None:
    """The page asks for the newest one before the old one is over: the socket stays."""
    sent = frames(page, "framesent", SAID)
    await take_notes(page)
    await page.goto(f"{signed.address}/monitoring/executions/{run.execution_id}")
    over = time.time() + 4
    await sign_in(page, token(lives=4))
    await expect(rows(page).last).to_contain_text("one")
    first = sent[-1]
    await page.evaluate("token => sessionStorage.setItem('runtail-token', token)", token())
    await soon(lambda: time.time() > over + 0.5, "the first one is over")
    await run.log("two")
    await expect(rows(page).last).to_contain_text("two")
    assert sent[-1].socket == first.socket
    assert first.at < sent[-1].at < over
    assert await statuses(page) == ["connecting", "error", "connecting", "connected"]


async def test_when_a_token_is_over_what_is_on_screen_stays_and_a_new_one_goes_on_from_there(
    page: Page, signed: Running, run: Worker
) -> None:
    await take_notes(page)
    await page.goto(f"{signed.address}/monitoring/executions/{run.execution_id}")
    await sign_in(page, token(lives=2))
    await expect(rows(page).last).to_contain_text("one")
    await expect(words(page)).to_have_text("signed out")
    await expect(dot(page)).to_have_attribute("data-status", "error")
    await expect(rows(page).last).to_contain_text("one")
    await run.log_many(4, 250)
    await sign_in(page, token())
    await expect(rows(page).last.locator(".rt-seq")).to_have_text("1002")
    await run.end()
    await expect(words(page)).to_have_text("ended · complete, 1,004 lines")
    assert await read_all(page) == Read(first=1, last=1004, count=1004, wrong=[])
    assert await wrong_lines(page) == []
    assert await statuses(page) == [
        "connecting", "error", "connecting", "connected", "error",
        "connecting", "connected", "disconnected",
    ]  # fmt: skip


@pytest.mark.full
async def test_where_sockets_are_refused_a_token_is_renewed_by_another_request(
    page: Page, signed: Running, run: Worker
) -> None:
    with proxy_to(signed.address) as proxy:
        proxy.refusing_upgrades = True
        await take_notes(page)
        await page.goto(f"{proxy.http}/monitoring/executions/{run.execution_id}")
        over = time.time() + 4
        await sign_in(page, token(lives=4))
        await expect(rows(page).last).to_contain_text("one")
        await page.evaluate("token => sessionStorage.setItem('runtail-token', token)", token())
        await soon(lambda: time.time() > over + 0.5, "the first one is over")
        await run.log("two")
        await expect(rows(page).last).to_contain_text("two")
        await run.end()
        await expect(words(page)).to_have_text("ended · complete, 5 lines")
    assert await wrong_lines(page) == []
    assert (await statuses(page))[1:4] == ["error", "connecting", "connected"]


async def test_a_share_link_shows_its_execution_and_nothing_else(
    page: Page, signed: Running, run: Worker
) -> None:
    link = ShareLinks(AUTH).make(run.execution_id, "ann", int(time.time() + 60))
    await page.goto(f"{signed.address}/monitoring/executions/{run.execution_id}?share={link}")
    await expect(rows(page).last).to_contain_text("one")
    await run.log("two")
    await expect(rows(page).last).to_contain_text("two")
    await expect(panes(page)).to_have_count(1)
    await expect(listed(page)).to_have_count(0)
    assert await page.get_by_role("button", name=re.compile("Start|Sign in")).count() == 0
