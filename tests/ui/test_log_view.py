"""The log view in a real browser, over a log in the page's memory."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from playwright.async_api import Browser, Page, expect
from tests.tracing import traced
from tests.ui.lines import in_sight, is_following, moved_to, seqs, settle, show, top_of

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.full]

MILLION = "?records=1000000&window=10000"


async def test_a_running_log_opens_at_its_end_and_follows(page: Page, address: str) -> None:
    await show(page, address, "?records=5000")
    assert (await seqs(page))[-1] == 5000
    await page.evaluate("memory.append(3)")
    await expect(page.locator('[data-seq="5003"]')).to_be_in_viewport()


async def test_home_end_and_pages_go_where_they_say(page: Page, address: str) -> None:
    await show(page, address, MILLION)
    await page.keyboard.press("Home")
    await settle(page)
    first = await seqs(page)
    assert first[0] == 1
    await page.keyboard.press("PageDown")
    await settle(page)
    second = await seqs(page)
    assert first[0] < second[0] <= first[-1]
    await page.keyboard.press("PageUp")
    assert (await seqs(page))[0] == 1
    await page.keyboard.press("End")
    await settle(page)
    assert (await seqs(page))[-1] == 1_000_000
    assert await is_following(page)


async def test_the_wheel_moves_as_far_as_it_says_in_the_middle_of_a_million_lines(
    page: Page, address: str
) -> None:
    """The element is shorter than the log; the wheel must not be scaled with it."""
    await show(page, address, f"{MILLION}#L500000")
    await settle(page)
    before = await top_of(page, 500_000)
    await page.mouse.move(500, 400)
    await page.mouse.wheel(0, 100)
    await moved_to(page, 500_000, before - 100)


async def test_a_line_in_the_middle_of_a_million_is_open_within_a_second(
    page: Page, address: str
) -> None:
    began = time.monotonic()
    await page.goto(f"{address}{MILLION}#L500000-L500003")
    await expect(page.locator(".rt-selected")).to_have_count(4)
    await expect(page.locator('[data-seq="500000"]')).to_contain_text("row 500000 was read")
    assert time.monotonic() - began < 1
    assert not await is_following(page)
    await page.evaluate("memory.end()")
    await expect(page.locator('[data-seq="500000"]')).to_be_in_viewport()


async def test_only_the_readers_own_act_ends_following(page: Page, address: str) -> None:
    await show(page, address, "?records=5000")
    await page.set_viewport_size({"width": 600, "height": 400})
    await page.keyboard.press("w")
    await page.evaluate("memory.append(500)")
    await page.evaluate("document.querySelector('.rt-scroller').scrollTop -= 200")  # a browser's
    await expect(page.locator('[data-seq="5500"]')).to_be_in_viewport()
    assert await is_following(page)
    await page.mouse.move(300, 250)
    await page.mouse.wheel(0, -300)
    await expect(page.locator(".rt-pill")).to_be_visible()
    await page.evaluate("memory.append(37)")
    await expect(page.locator(".rt-pill")).to_have_text("↓ 37 new lines")
    await page.locator(".rt-pill").click()
    await expect(page.locator('[data-seq="5537"]')).to_be_in_viewport()
    assert await is_following(page)


async def test_nothing_moves_when_lines_come_or_are_trimmed(page: Page, address: str) -> None:
    await show(page, address, "?records=5000#L2500")
    await settle(page)
    before = await in_sight(page)
    await page.evaluate("memory.append(500); memory.trim(1000)")
    await page.wait_for_timeout(200)
    assert await in_sight(page) == before


async def test_nothing_moves_when_what_is_above_is_folded_and_unfolded(
    page: Page, address: str
) -> None:
    """Also when it is the page that folds, and the lines in sight are far below."""
    await show(page, address, "?records=5000&sample=mixed#L2483")
    await settle(page)
    assert 2470 in await seqs(page)
    before = await top_of(page, 2483)
    await page.keyboard.press("z")
    await settle(page)
    assert 2470 not in await seqs(page)
    assert await top_of(page, 2483) == before
    await page.keyboard.press("z")
    await settle(page)
    assert await top_of(page, 2483) == before


async def test_over_two_seconds_behind_it_jumps_to_live_and_says_what_it_skipped(
    page: Page, address: str
) -> None:
    """The lines that went by unseen are one click away, and counted exactly."""
    await show(page, address, "?records=1000")
    await page.evaluate("memory.append(20000)")
    bar = page.locator(".rt-skipped")
    await expect(bar).to_contain_text("lines skipped in view to keep up")
    await expect(page.locator('[data-seq="21000"]')).to_be_in_viewport()
    assert await is_following(page)
    count = int((await bar.inner_text()).split(" ")[0].replace(",", ""))
    assert 1000 < count < 20_000
    await bar.get_by_role("button", name="show them").click()
    await settle(page)
    first = (await seqs(page))[0]
    assert 1000 < first <= 21_000 - count
    assert not await is_following(page)
    await expect(bar).to_have_count(0)


@pytest.mark.parametrize("query", ["?records=5000&sample=mixed", "?records=1000000&window=1000"])
async def test_on_a_phone_the_bar_is_two_lines_and_a_button_has_the_rest(
    page: Page, address: str, query: str
) -> None:
    """By keys alone, too; filtered, too; nothing of it is wider than the phone."""
    await page.set_viewport_size({"width": 360, "height": 640})
    await show(page, address, query)
    await page.get_by_role("button", name="warning").click()
    box = await page.get_by_role("toolbar").bounding_box()
    assert box is not None
    assert box["height"] <= 70
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await page.get_by_role("button", name="More").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Wrap")).to_be_focused()
    await page.keyboard.press("Space")
    await expect(page.locator(".rt-rows")).to_have_class("rt-rows rt-wrap")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="More")).to_be_focused()
    await expect(page.get_by_role("button", name="Wrap")).to_be_hidden()


async def test_a_traceback_is_unfolded_while_following(page: Page, address: str) -> None:
    """All of it is shown, the end stays in sight, and no row lies over another."""
    await show(page, address, "?records=9&sample=hard")
    await page.locator('[data-seq="9"] .rt-open').click()
    await expect(page.locator(".rt-error-text")).to_contain_text("fetch.py")
    await page.evaluate("memory.append(60)")
    await expect(page.locator('[data-seq="69"]')).to_be_in_viewport()
    assert await is_following(page)
    await page.keyboard.press("Home")
    found = await in_sight(page)
    assert all(one[2] == other[1] for one, other in pairwise(found))


async def test_lines_are_selected_and_copied_beyond_the_screen(page: Page, address: str) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await show(page, address, "?records=50000&window=1000#L100")
    await page.keyboard.press("Control+a")
    await expect(page.locator(".rt-selection")).to_contain_text("50,000 lines selected")
    await page.keyboard.press("Control+c")
    await expect(page.locator(".rt-message")).to_have_text("50,000 lines copied")
    copied = (await page.evaluate("navigator.clipboard.readText()")).splitlines()
    assert len(copied) == 50_000
    assert [int(line.split("row ")[1].split(" ")[0]) for line in copied] == list(range(1, 50_001))


async def test_a_filter_counts_and_says_when_it_hides_everything(page: Page, address: str) -> None:
    await show(page, address, "?records=812&sample=uneven")
    await page.get_by_role("button", name="error").first.click()
    await expect(page.locator(".rt-shown")).to_contain_text("0 of 812 shown — filter: error")
    await page.get_by_role("button", name="clear").click()
    await expect(page.locator('[data-seq="812"]')).to_be_visible()


async def test_search_finds_lines_that_are_not_loaded(page: Page, address: str) -> None:
    await show(page, address, "?records=200000&window=1000")
    await page.keyboard.press("/")
    await page.keyboard.type("row 77777 ")
    await page.keyboard.press("Enter")
    await expect(page.locator('[data-seq="77777"] mark')).to_be_in_viewport()
    await expect(page.locator(".rt-search-state")).to_have_text("1 of 1")
    await page.keyboard.press("e")
    await expect(page.locator('[data-seq="78000"]')).to_be_in_viewport()


async def test_hard_text_is_data(page: Page, address: str) -> None:
    """Markup, bidi and control characters, a line of a megabyte; the page's policy sees nothing."""
    await show(page, address, "?records=39&sample=mixed")
    row = page.locator('[data-seq="9"]')
    await expect(row).to_contain_text(
        "<img src=x onerror=alert(1)> <U+202E>evil<U+202C> ^[cleared ^G"
    )
    assert await page.locator(".rt-rows img").count() == 0
    await show(page, address, "?records=9&sample=hard&a=1")
    assert (
        await page.evaluate("document.querySelector('[data-seq=\"3\"]').textContent.length") < 3000
    )


@pytest.mark.full
@pytest.mark.timeout(240)
async def test_every_one_of_100000_unequal_rows_can_be_reached(page: Page, address: str) -> None:
    """Page by page through wrapped lines: none is missed, none lies over another."""
    await page.set_viewport_size({"width": 1200, "height": 2400})
    await show(page, address, "?records=100000&window=100000&sample=uneven&wrap=1#L1")
    await page.keyboard.press("Home")
    missed = await page.evaluate(
        """async () => {
          const scroller = document.querySelector(".rt-scroller");
          const frame = () => new Promise((done) => requestAnimationFrame(done));
          const seen = new Set();
          let before = -1;
          for (;;) {
            const box = scroller.getBoundingClientRect();
            for (const row of document.querySelectorAll(".rt-row[data-seq]")) {
              const at = row.getBoundingClientRect();
              if (at.bottom > box.top && at.top < box.bottom) seen.add(Number(row.dataset.seq));
            }
            if (seen.size === before && seen.has(100000)) break;
            if (seen.size === before) break;
            before = seen.size;
            const key = new KeyboardEvent("keydown", { key: "PageDown", bubbles: true });
            scroller.dispatchEvent(key);
            await frame();
          }
          return 100000 - seen.size;
        }""",
    )
    assert missed == 0


@pytest.mark.full
async def test_no_task_takes_over_100_ms_at_5000_records_a_second(
    browser: Browser, page: Page, address: str
) -> None:
    """By the browser's own tracing, in processor time: other programs may keep it waiting."""
    await show(page, address, "?records=1000000&window=10000")
    async with traced(browser, page) as trace:
        await page.evaluate("memory.stream(5000)")
        await page.wait_for_timeout(10_000)
        await page.evaluate("memory.stream(0)")
    tasks = trace.tasks
    assert len(tasks) > 500
    assert max(tasks) < 100, f"the longest took {max(tasks)} ms"
    assert int(await page.evaluate("memory.getSnapshot().lastSeq")) > 1_040_000
