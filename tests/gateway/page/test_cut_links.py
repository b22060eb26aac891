"""The page behind a network that fails: what is on screen stays, nothing is twice or missing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect
from tests.gateway.page.cut_link import CutLink
from tests.gateway.page.reading import frames, place_of, statuses
from tests.gateway.page.watching import dot, pill, rows, scroll_by_wheel, words
from tests.gateway.running import Running
from tests.gateway.worker import Worker
from tests.polling import soon
from tests.proxy import Proxy, proxy_to

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import index_of

pytestmark = pytest.mark.browser
BEAT = '"type":"beat"'


@pytest.fixture
def proxy(real: Running) -> Iterator[Proxy]:
    with proxy_to(real.address) as proxy:
        yield proxy


@pytest.fixture
def link(page: Page, proxy: Proxy, worker: Worker) -> CutLink:
    return CutLink(page, proxy, worker)


async def go_offline(link: CutLink) -> None:
    """Cut the network: the browser's own emulation leaves open sockets alone."""
    await link.page.context.set_offline(True)
    link.proxy.refuse()


async def one_is_cut(proxy: Proxy) -> None:
    cuts = proxy.idle
    await soon(lambda: proxy.idle > cuts, "one more was cut as idle")


async def go_online(link: CutLink) -> None:
    link.proxy.forward()
    await link.page.context.set_offline(False)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (2_000, "try 3 in [34] s"),
        pytest.param(50_000, r"try 7 in (2\d|30) s", marks=pytest.mark.full),
    ],
    ids=["for seconds", "for a minute"],
)
@pytest.mark.timeout(240)
async def test_offline_and_back_nothing_is_lost_and_the_readers_place_stays(
    link: CutLink, lines: int, told: str
) -> None:
    """With the longest back-off there is: 1, 2, 4, 8, 16, 30 s, one after the other."""
    page = link.page
    await page.add_init_script("Math.random = () => 0.999")
    await link.open(300)
    await scroll_by_wheel(page, -2_000)
    await expect(pill(page)).to_be_visible()
    stood = await place_of(page)
    await go_offline(link)
    await link.worker.log_many(lines // 500, 500)
    await expect(words(page)).to_have_text(re.compile(f"^reconnecting, {told}$"), timeout=90_000)
    await expect(dot(page)).to_have_attribute("data-status", "connecting")
    assert await place_of(page) == stood
    await go_online(link)
    await expect(words(page)).to_have_text("live", timeout=2_500)
    await expect(pill(page)).to_have_text(f"↓ {lines:,} new lines")
    assert await place_of(page) == stood
    await link.ends_complete(300 + lines + 3)
    assert await statuses(page) == [
        "connecting",
        "connected",
        "connecting",
        "connected",
        "disconnected",
    ]


@pytest.mark.full
async def test_who_follows_is_at_the_end_again_when_the_network_is(link: CutLink) -> None:
    await link.open(300)
    await go_offline(link)
    await expect(words(link.page)).to_have_text(re.compile("^reconnecting"))
    await link.worker.log_many(4, 500)
    await go_online(link)
    await expect(rows(link.page).last.locator(".rt-seq")).to_have_text("2301")
    await expect(pill(link.page)).to_be_hidden()
    await link.ends_complete(2_303)


async def test_beats_keep_a_link_that_is_cut_when_it_carries_nothing(link: CutLink) -> None:
    beats = frames(link.page, "framereceived", BEAT)
    link.proxy.idle_seconds = 3.0
    await link.open()
    await soon(lambda: link.proxy.idle > 0, "the connections of its files were cut")
    heard = len(beats)
    await soon(lambda: len(beats) > heard, "a beat came after that")
    assert {beat.socket for beat in beats} == {1}
    assert await statuses(link.page) == ["connecting", "connected"]
    await link.worker.log_many(1, 10)
    await link.ends_complete(113)


@pytest.mark.full
@pytest.mark.parametrize("beat_seconds", [60.0])
async def test_a_link_that_is_cut_between_two_beats_is_made_anew(link: CutLink) -> None:
    await link.open()
    link.proxy.idle_seconds = 0.3
    for _ in range(3):
        await one_is_cut(link.proxy)
        await link.worker.log_many(1, 10)
    await link.ends_complete(133)
    assert "error" not in await statuses(link.page)


async def test_a_link_that_swallows_everything_is_noticed_by_its_silence(link: CutLink) -> None:
    """Half-open: nobody closes it, nothing comes. By the clock of the page 45 s pass at once."""
    await link.page.clock.install()
    await link.open()
    link.proxy.swallow()
    await link.worker.log_many(1, 10)
    await link.page.clock.run_for(30_000)
    assert await statuses(link.page) == ["connecting", "connected"]
    await link.page.clock.run_for(20_000)
    await expect(rows(link.page).last.locator(".rt-seq")).to_have_text("111")
    await link.ends_complete(113)


@pytest.mark.full
async def test_a_connection_begun_into_nothing_is_not_waited_for_when_the_network_is_back(
    link: CutLink,
) -> None:
    """A network that says nothing at all: by itself the page would give up after 15 s."""
    await link.open()
    link.proxy.cut()
    link.proxy.hold()
    led = link.proxy.led
    await soon(lambda: link.proxy.led > led, "it tries again")
    await link.worker.log_many(1, 10)
    began = time.monotonic()
    await soon(lambda: time.monotonic() > began + 1.2, "it has waited for a while")
    link.proxy.swallow()
    link.proxy.forward()
    await link.page.evaluate("dispatchEvent(new Event('online'))")
    await expect(words(link.page)).to_have_text("live", timeout=2_000)
    await link.ends_complete(113)


@pytest.mark.full
async def test_a_list_that_nobody_tells_anything_is_asked_for_anew(
    link: CutLink, engine_nodes: Nodes
) -> None:
    """Who watches the list alone hears no beats: the page asks for signs of life."""
    await link.page.clock.install()
    await link.page.goto(f"{link.proxy.http}/monitoring")
    await expect(link.page.get_by_text("live", exact=True).first).to_be_visible()
    link.proxy.swallow()
    await link.page.clock.run_for(46_000)
    await link.worker.open()
    key = index_of(link.worker.execution_id)
    await engine_nodes.at(
        key, lambda node: node.zadd(key, {link.worker.execution_id: time.time() * 1000})
    )
    await expect(link.page.get_by_text(link.worker.execution_id).first).to_be_visible()


@pytest.mark.full
async def test_a_link_that_swallows_everything_is_noticed_within_50_seconds(link: CutLink) -> None:
    await link.open()
    link.proxy.swallow()
    await link.worker.log_many(1, 10)
    await expect(rows(link.page).last.locator(".rt-seq")).to_have_text("111", timeout=50_000)
    await link.ends_complete(113)


async def test_where_sockets_are_refused_the_same_lines_come_as_event_streams(
    link: CutLink,
) -> None:
    streams: list[str] = []
    link.page.on(
        "request", lambda asked: streams.append(asked.url) if "/events" in asked.url else None
    )
    link.proxy.refusing_upgrades = True
    await link.open()
    assert len(streams) == 1
    await link.worker.log_many(1, 10)
    await expect(rows(link.page).last.locator(".rt-seq")).to_have_text("111")
    link.proxy.cut()
    await link.worker.log_many(1, 10)
    await expect(rows(link.page).last.locator(".rt-seq")).to_have_text("121")
    await link.ends_complete(123)
    assert len(streams) == 2
    assert await statuses(link.page) == [
        "connecting",
        "connected",
        "connecting",
        "connected",
        "disconnected",
    ]
