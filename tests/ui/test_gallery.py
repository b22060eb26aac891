"""Every state of every part, as people with a keyboard, a screen reader or weak eyes meet it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect
from tests.browser import chromium, open_page
from tests.ui.gallery import AXE, faults, served, states

pytestmark = [pytest.mark.browser, pytest.mark.node]

LOOKS = {"a phone by night": (360, "dark"), "a desk by day": (1440, "light")}


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    if not AXE.exists():
        pytest.skip(f"no {AXE.name}: npm ci in gateway/ui puts it there")
    async with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
async def address(anyio_backend: str) -> AsyncIterator[str]:
    async with served() as address:
        yield address


async def test_nothing_is_seriously_wrong_with_all_states_on_one_page(
    browser: Browser, address: str
) -> None:
    """Names, roles, contrast, focus: axe finds nothing serious in everything at once."""
    async with open_page(browser) as page:
        assert len(await states(page, address)) > 30
        assert await faults(page) == []


@pytest.mark.full
@pytest.mark.timeout(300)  # a second for each state
@pytest.mark.parametrize(("width", "scheme"), LOOKS.values(), ids=LOOKS)
async def test_nothing_is_seriously_wrong_with_any_state(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    """Each state alone, by day and by night, on a phone and on a desk."""
    found = {}
    async with open_page(browser, width) as page:
        for state in await states(page, address):
            await page.goto(f"{address}?only={state}&scheme={scheme}")
            await page.locator("main").wait_for()
            if grave := await faults(page):
                found[state] = grave
            await _fits(page, state, width)
    assert found == {}


@pytest.mark.full
async def test_a_run_is_opened_read_and_closed_by_keys_alone(
    browser: Browser, address: str
) -> None:
    """Tab, Enter and Space reach everything, the focus is always to be seen, and never lost."""
    async with open_page(browser, 1200) as page:
        await page.goto(f"{address}?only=demo-list")
        await _tab_to(page, "completed-3")
        await page.keyboard.press("Enter")
        pane = page.get_by_role("article", name="Execution completed-3")
        await expect(pane).to_be_visible()
        await _tab_to(page, "Hide logs")
        await page.keyboard.press("Space")
        await expect(pane.get_by_role("region", name="Log of completed-3")).to_be_hidden()
        await page.keyboard.press("Enter")
        await expect(pane.get_by_role("region", name="Log of completed-3")).to_be_visible()
        await _tab_to(page, "Close completed-3")
        await page.keyboard.press("Enter")
        await expect(pane).to_be_hidden()
        assert await page.evaluate("document.activeElement.tagName") == "MAIN"
        await _tab_to(page, "Start new execution")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("article")).to_be_visible()


async def test_the_list_is_searched_sorted_and_opened_by_keys_alone(
    browser: Browser, address: str
) -> None:
    """Tab reaches each part once; arrows walk through ten thousand rows; keys act from anywhere."""
    async with open_page(browser, 1200) as page:
        await page.goto(f"{address}?only=list-many")
        await page.locator(".runtail-row").first.wait_for()
        seen = [await _tab(page) for _ in range(14)]
        assert {"Running", "Failed", "Duration", "Executions"} <= set(seen)
        assert (
            sum("nightly" in str(name) for name in seen) <= 1
        )  # of rows none is a stop of its own
        grid = page.get_by_role("grid")
        await grid.focus()
        await page.keyboard.press("End")
        await expect(page.locator(".runtail-row[data-active=true]")).to_be_in_viewport()
        await expect(page.locator(".runtail-row[data-active=true]")).to_contain_text(
            "nightly-00001"
        )
        await page.keyboard.press("Home")
        await page.keyboard.press("j")
        await page.keyboard.press("x")
        await expect(page.get_by_text("1 chosen")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_text("1 chosen")).to_be_hidden()
        await page.keyboard.press("/")
        await page.keyboard.type("05001")
        await expect(page.locator(".runtail-row")).to_have_count(1)
        await page.keyboard.press("Escape")
        await expect(page.locator(".runtail-row")).not_to_have_count(1)
        await _tab_to(page, "Duration")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("columnheader", name="Duration")).to_have_attribute(
            "aria-sort", "descending"
        )
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_a_workflow_is_built_by_keys_alone_and_told_what_is_wrong(
    browser: Browser, address: str
) -> None:
    """The focus stays in the dialog, and what the gateway objects to is read at its field."""
    async with open_page(browser, 1200) as page:
        await page.goto(f"{address}?only=start")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await _tab_to(page, "Demo run")
        await page.keyboard.press("ArrowRight")
        await _tab_to(page, "Add step")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("group", name="Step 5")).to_be_visible()
        await _tab_to(page, "Start")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("2 things are wrong with it:")
        seconds = page.get_by_role("group", name="Step 2").get_by_label("Seconds")
        await expect(seconds).to_have_accessible_description(
            "Seconds: is 900, expected at most 600"
        )
        assert await faults(page) == []


async def test_the_focus_goes_through_a_log_and_out_again(browser: Browser, address: str) -> None:
    """No part of a viewer keeps the Tab key to itself."""
    async with open_page(browser, 1200) as page:
        await page.goto(f"{address}?only=viewer-retrying")
        await _tab_to(page, "Reconnect")
        seen = []
        while (name := await _tab(page)) is not None:
            seen.append(name)
            assert len(seen) < 60, f"the focus never leaves: {seen[-5:]}"
        assert {"Search", "Follow", "Download"} <= {name.split(" (")[0] for name in seen}


@pytest.mark.full
@pytest.mark.parametrize("width", [360, 1440])
async def test_a_monitor_alone_gives_its_log_room(
    browser: Browser, address: str, width: int
) -> None:
    """As high as its variable says, where nothing around it says how high it is."""
    async with open_page(browser, width) as page:
        await page.goto(f"{address}?only=monitor-open")
        log = await page.locator(".runtail-monitor-logs").bounding_box()
        lines = await page.locator(".rt-scroller").bounding_box()
        assert log is not None
        assert lines is not None
        assert log["height"] == pytest.approx(24 * 16, abs=2)
        assert lines["height"] > 200


async def test_who_wants_less_motion_sees_none(browser: Browser, address: str) -> None:
    """Spinners and pulses stand still."""
    async with open_page(browser) as page:
        await page.emulate_media(reduced_motion="reduce")
        await page.goto(f"{address}?only=monitors")
        await page.locator("[data-icon=running]").first.wait_for()
        assert await page.evaluate("document.getAnimations().length") == 0
        await page.emulate_media(reduced_motion="no-preference")
        assert await page.evaluate("document.getAnimations().length") > 0


async def _tab(page: Page) -> str | None:
    """Press Tab; answer the name of what has the focus now, which must be seen; None: the end."""
    await page.keyboard.press("Tab")
    told: dict[str, object] | None = await page.evaluate(
        """() => {
          const at = document.activeElement;
          if (at === null || at === document.body) return null;
          const { width, height } = at.getBoundingClientRect();
          const ring = getComputedStyle(at);
          return {
            name: at.getAttribute("aria-label") ?? at.innerText.trim() ?? at.tagName,
            shown: width > 0 && height > 0 && ring.outlineStyle !== "none",
            html: at.outerHTML.slice(0, 200),
          };
        }"""
    )
    if told is None:
        return None
    assert told["shown"], f"the focus is not to be seen on {told['html']}"
    return str(told["name"])


async def _tab_to(page: Page, name: str, most: int = 60) -> None:
    passed = []
    for _ in range(most):
        at = await _tab(page)
        if at is not None and name in at:
            return
        passed.append(at)
    raise AssertionError(f"{most} tabs did not reach {name!r}, but {passed}")


async def _fits(page: Page, state: str, width: int) -> None:
    """Nothing makes the page wider than the window."""
    wide: int = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{state} is {wide} px wide, in a window of {width} px"
