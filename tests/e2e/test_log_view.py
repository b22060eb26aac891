"""The log view of the page in a real browser, over a real gateway and a real engine."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from tests.browser import chromium, open_page, show
from tests.e2e.conftest import private_folder
from tests.e2e.long_run import LONG_RUN, publish_long_run, write_lines
from tests.e2e.processes import Gateway, gateways
from tests.e2e.rows import Row, read_stream
from tests.ui.gallery import faults
from tests.ui.lines import in_sight, is_following, seqs, settle, top_of

from runtail import Execution, Publisher
from runtail_broker.engines.engine import Engine, start_engine

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.full]
PATIENCE_MS = 15_000


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with private_folder() as place, start_engine(place / "data") as engine:
        publish_long_run(engine.url)
        yield engine


@pytest.fixture(scope="module")
def gateway(engine: Engine) -> Iterator[Gateway]:
    with private_folder() as place, gateways(engine.url, place, 1) as (gateway,):
        yield gateway


@pytest.fixture(scope="module")
def stream(engine: Engine) -> list[Row]:
    return read_stream(engine.url, LONG_RUN)


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with open_page(browser, 1200, 700) as page:
        page.set_default_timeout(PATIENCE_MS)
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield page


@pytest.fixture
def running(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Execution]:
    """A run that goes on, named as its test is, with 200 lines."""
    with Publisher(engine.url) as publisher, publisher.execution(request.node.name[:60]) as run:
        write_lines(run, 200)
        assert publisher.flush()
        yield run


async def read(page: Page, gateway: Gateway, execution_id: str, place: str = "") -> None:
    """Open the log of *execution_id* at *place*, wait for its lines, and give them the keyboard."""
    await page.goto("about:blank")
    await page.goto(f"{gateway.http}/monitoring/executions/{execution_id}{place}")
    await expect(page.locator(".rt-row[data-seq]").first).to_be_visible()
    await settle(page)
    await page.locator(".rt-scroller").focus()


def line(page: Page, seq: int) -> Locator:
    return page.locator(f'.rt-row[data-seq="{seq}"]')


def step_seqs(stream: list[Row]) -> list[int]:
    """List the lines at which steps begin and end: extract, load, clean up."""
    return [row.seq for row in stream if row.text == "step"]


async def copied(page: Page, begins: str) -> list[str]:
    """Read the lines on the clipboard once they are those that begin so."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    text = ""
    while not text.startswith(begins):
        assert time.monotonic() < deadline, text[:200]
        text = await page.evaluate("navigator.clipboard.readText()")
    return text.splitlines()


async def test_a_failed_run_opens_at_the_last_lines_of_its_failed_step_long_before_its_end(
    page: Page, gateway: Gateway, stream: list[Row]
) -> None:
    began, failed = step_seqs(stream)[2:4]
    await read(page, gateway, LONG_RUN)
    await expect(line(page, failed)).to_be_in_viewport(timeout=PATIENCE_MS)
    await expect(line(page, failed)).to_contain_text("load · failed")
    await expect(line(page, failed - 1)).to_contain_text("page 900 of 900")
    assert not await is_following(page)
    await read(page, gateway, LONG_RUN, f"#L{began}")
    await expect(line(page, began).locator(".rt-facts")).to_contain_text("failed · ")


async def test_a_link_opens_at_its_lines_with_its_filter_and_stays_after_the_end(
    page: Page, gateway: Gateway, running: Execution, engine: Engine
) -> None:
    """Not following, highlighted, unmoved by 500 lines and by the end; so it is after a reload."""
    place = "#L100-L105&level=info,error"
    await read(page, gateway, running.id, place)
    await expect(page.locator(".rt-selected")).to_have_count(5)  # of six, one is a warning
    assert not await is_following(page)
    before = await in_sight(page)
    write_lines(running, 500)
    running.finish()
    await expect(page.locator(".runtail-words")).to_contain_text("complete, ")
    assert await in_sight(page) == before
    assert page.url.endswith(place)
    await page.reload()
    await expect(page.locator(".rt-selected").first).to_be_in_viewport()
    await settle(page)
    assert await seqs(page) == [seq for seq, _, _ in before]
    assert not await is_following(page)


async def test_steps_are_folded_and_unfolded_and_the_header_stays_where_it_is(
    page: Page, gateway: Gateway, stream: list[Row]
) -> None:
    extract, end, load = step_seqs(stream)[:3]
    await read(page, gateway, LONG_RUN, f"#L{load}")
    await page.keyboard.press("z")
    await expect(line(page, extract)).to_contain_text("302 lines folded")
    await expect(line(page, load)).not_to_contain_text("folded")  # it failed
    assert end not in await seqs(page)
    before = await top_of(page, extract)
    await line(page, extract).get_by_role("button", name="Unfold").click()
    await expect(line(page, extract + 1)).to_be_in_viewport()
    assert await top_of(page, extract) == before
    await line(page, extract).get_by_role("button", name="Fold").click()
    await expect(line(page, load)).to_be_in_viewport()
    assert await top_of(page, extract) == before


async def test_data_is_a_tree_that_is_opened_by_its_branches(
    page: Page, gateway: Gateway, stream: list[Row]
) -> None:
    seq = next(row.seq for row in stream if row.text == "a page with data")
    await read(page, gateway, LONG_RUN, f"#L{seq}")
    await page.keyboard.press("Enter")
    tree = line(page, seq).locator(".rt-tree")
    await tree.get_by_role("button", name="output_data").click()
    await expect(tree).to_contain_text("page 3")
    await tree.get_by_role("button", name="orders").click()
    await tree.get_by_role("button", name="1: 2 fields").click()
    await expect(tree).to_contain_text("paid false")
    await tree.get_by_role("button", name="output_data").click()
    await expect(tree).not_to_contain_text("paid")


async def test_the_find_key_is_taken_once_and_given_back_twice(
    page: Page, gateway: Gateway
) -> None:
    await read(page, gateway, LONG_RUN)
    await page.evaluate(
        """() => {
          window.taken = [];
          addEventListener("keydown", (event) => {
            if (event.key === "f") taken.push(event.defaultPrevented);
          });
        }"""
    )
    await page.keyboard.press("Control+f")
    await expect(page.get_by_role("search").get_by_role("textbox")).to_be_focused()
    await page.keyboard.press("Control+f")
    assert await page.evaluate("taken") == [True, False]


async def test_a_traceback_is_unfolded_while_following(
    page: Page, gateway: Gateway, running: Execution
) -> None:
    """All of it is seen, and so are the lines that come after it."""
    traceback = "Traceback (most recent call last):\n" + "  File x\n" * 5 + "ValueError: no"
    running.error("it broke", error_message=traceback)
    await read(page, gateway, running.id)
    row = page.locator(".rt-row", has_text="it broke")
    await expect(row).to_contain_text("ValueError: no+6 lines")
    await expect(row).not_to_contain_text("File x")
    await row.get_by_role("button", name="Show all").click()
    await expect(row).to_contain_text("File x")
    write_lines(running, 3)
    await expect(page.locator(".rt-row", has_text="page 3 of 3")).to_be_in_viewport()
    await expect(row).to_be_in_viewport()
    assert await is_following(page)


async def test_lines_beyond_the_screen_are_selected_and_copied_as_text_and_as_json(
    page: Page, gateway: Gateway, stream: list[Row]
) -> None:
    """By Shift and a click far away, also where nothing was loaded before."""
    await read(page, gateway, LONG_RUN, "#L400")
    await line(page, 400).locator(".rt-seq").click()
    await page.keyboard.press("End")
    await line(page, len(stream)).locator(".rt-seq").click(modifiers=["Shift"])
    count = len(stream) - 399
    bar = page.locator(".rt-selection")
    await expect(bar).to_contain_text(f"{count:,} lines selected")
    await bar.get_by_role("button", name="Copy", exact=True).click()
    await expect(bar).to_contain_text(f"{count:,} lines copied")
    text = await copied(page, "2")
    assert text[0].endswith(stream[399].text)
    assert sum("of 2000" in each for each in text) == 2000
    await bar.get_by_role("button", name="Copy JSON").click()
    records = [Row.of(json.loads(each)) for each in await copied(page, "{")]
    assert records == stream[399:]


async def test_the_log_is_saved_whole_and_as_shown_and_opened_raw(
    page: Page, gateway: Gateway, stream: list[Row], tmp_path: Path
) -> None:
    await read(page, gateway, LONG_RUN, "#level=warning")
    await expect(page.locator(".rt-shown")).to_contain_text("32 of ")

    await page.get_by_role("button", name="More").click()  # beside the plan there is little room

    async def saved(name: str) -> tuple[str, list[str]]:
        await page.locator(".rt-menu summary").click()
        async with page.expect_download() as coming:
            await page.locator(".rt-menu-items").get_by_text(name).click()
        download = await coming.value
        await download.save_as(tmp_path / "saved")
        await page.locator(".rt-menu summary").click()
        return download.suggested_filename, (tmp_path / "saved").read_text().splitlines()

    name, lines = await saved("NDJSON, whole log")
    assert name == f"{LONG_RUN}.ndjson"
    assert [Row.of(json.loads(each)) for each in lines] == stream
    name, lines = await saved("Text, whole log")
    assert name == f"{LONG_RUN}.txt"
    assert sum("of 2000" in each for each in lines) == 2000
    name, lines = await saved("Text, as shown")
    assert name == f"{LONG_RUN}.txt"
    assert lines[0].endswith("warning extract page 100 of 300")
    assert len(lines) == 32
    await page.locator(".rt-menu summary").click()
    async with page.context.expect_page() as coming:
        await page.get_by_role("link", name="Raw, in a tab").click()
    tab = await coming.value
    await expect(tab.locator("body")).to_contain_text("page 900 of 900")


async def test_nothing_is_seriously_wrong_with_the_log_alone(page: Page, gateway: Gateway) -> None:
    """What axe finds in the log view, with its search, its details and its selection open."""
    await read(page, gateway, LONG_RUN, "#L303-L304")
    await page.keyboard.press("Enter")
    await page.keyboard.press("/")
    await page.keyboard.type("page")
    await expect(page.locator(".rt-search-state")).to_contain_text("3,2")
    assert await faults(page, ".rt-log") == []


async def test_elements_of_one_gateway_share_a_connection(page: Page, gateway: Gateway) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    html = """<!doctype html><html lang="en"><title>Two</title>
      <script type="module" src="HERE/monitoring/runtail-log.js"></script>
      <runtail-log execution="nightly-1" line="20-22"></runtail-log>
      <runtail-log execution="another-one"></runtail-log>"""
    await show(page, gateway.http, html.replace("HERE", gateway.http))
    first, second = page.locator("runtail-log").first, page.locator("runtail-log").last
    await expect(first.locator(".rt-selected")).to_have_count(3)
    await expect(second).to_contain_text("waiting for the first record")
    assert len(sockets) == 1
