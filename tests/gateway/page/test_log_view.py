"""The log on the screen: every row can be reached, follow obeys the reader, text stays text."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect
from tests.gateway.fake_execution import FakeExecution
from tests.gateway.fake_gateway import FakeGateway
from tests.gateway.page.watching import (
    pill,
    rows,
    scroll_by_wheel,
    scroller,
    seqs,
    watch,
    words,
)

pytestmark = pytest.mark.browser


async def test_markup_in_a_message_stays_text(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    evil = (
        "<img src=x onerror=\"document.title='owned'\"><script>1</script> &amp; \x1b[31mred\x1b[0m"
    )
    await run.log(evil, step_name="<b>step</b>", error_message="<i>error</i>")
    await expect(rows(page).last).to_contain_text("<script>1</script> &amp; red")
    await rows(page).last.locator(".rt-open").click()
    await expect(page.locator(".rt-details")).to_contain_text("<i>error</i>")
    assert await page.locator(".rt-log :is(img, script, b, i)").count() == 0
    assert "owned" not in await page.title()


async def test_what_is_no_log_is_said_in_words(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    plan = [{"name": "extract"}, {"name": "load", "after": ["extract"]}]
    await run.log("", kind="plan", steps=plan)
    await run.log("", kind="step", step_name="extract", status="running")
    await run.log("", kind="step", step_name="extract", status="retried", attempt=1, attempts=3)
    await run.log("", kind="step", step_name="extract", status="failed", reason="no answer")
    await run.log("", kind="progress", progress=45, name="rows", done=540, total=1200)
    await run.log("", kind="metric", name="rows", value=120_000, unit="rows")
    await expect(rows(page)).to_have_count(7)
    said = await rows(page).locator(".rt-body").all_inner_texts()
    assert [" ".join(text.split()) for text in said] == [
        "running",
        "▸plan: extract → load",
        "▾extractretried",
        "extract · retried · attempt 1 of 3",
        "extract · failed · no answer",
        "progress rows 45 % (540 of 1,200)",
        "rows = 120000 rows",
    ]


async def test_only_a_link_that_runs_no_code_can_be_followed(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    await run.log("", kind="link", name="report", url="https://example.org/r?a=1")
    await run.log("", kind="link", name="evil", url="javascript:document.title='owned'")
    await expect(rows(page)).to_have_count(3)
    anchors = page.locator(".rt-scroller a")
    await expect(anchors).to_have_count(1)
    await expect(anchors).to_have_attribute("href", "https://example.org/r?a=1")
    await expect(anchors).to_have_attribute("rel", "noopener noreferrer")
    await expect(rows(page).last).to_contain_text("evil: javascript:document.title")


async def test_details_unfold_with_input_output_error_and_duration(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    await run.log(
        "refused", level="error", input_data={"n": 1}, output_data=[2], duration_ms=1234.5,
        error_message="Traceback\n  boom",
    )  # fmt: skip
    await expect(rows(page)).to_have_count(2)
    await rows(page).last.locator(".rt-open").click()
    details = page.locator(".rt-details")
    for part in ("Traceback\n  boom", "input_data", "output_data", "1234.5"):
        await expect(details).to_contain_text(part)
    await rows(page).last.locator(".rt-open").click()
    await expect(details).to_have_count(0)


@pytest.mark.parametrize("lines", [5_000, pytest.param(50_000, marks=pytest.mark.full)])
async def test_many_lines_stay_responsive_and_every_row_is_reachable(
    page: Page, gateway: FakeGateway, run: FakeExecution, lines: int
) -> None:
    for n in range(lines - 1):
        run.make(f"message {n}")
    await watch(page, gateway, run)
    await expect(rows(page).last.locator(".rt-seq")).to_have_text(str(lines))
    assert await rows(page).count() < 100
    assert await page.evaluate(MOST_ROWS_WHILE_SCROLLING) < 100  # work that does not grow with it
    await page.set_viewport_size({"width": 1200, "height": 4_000})  # fewer pages, as many rows
    reached = await page.evaluate(SEQS_SEEN_PAGE_BY_PAGE)
    assert reached == {"count": lines, "first": 1, "last": lines}


async def test_follow_is_left_by_the_wheel_and_resumed_at_the_bottom(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    for n in range(300):
        run.make(f"message {n}")
    await watch(page, gateway, run)
    await expect(rows(page).last.locator(".rt-seq")).to_have_text("301")
    await scroll_by_wheel(page, -600)
    await expect(pill(page)).to_have_text("↓ Follow")
    top = await scroller(page).evaluate("log => log.scrollTop")
    await run.log("one", "two", "three")
    await expect(pill(page)).to_have_text("↓ 3 new lines")
    assert await scroller(page).evaluate("log => log.scrollTop") == top
    await scroll_by_wheel(page, 5_000)
    await expect(pill(page)).to_be_hidden()
    await run.log("and on")
    await expect(rows(page).last).to_contain_text("and on")


async def test_new_lines_and_layout_do_not_leave_follow(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    await run.log(*(f"message {n}" for n in range(500)))
    await page.set_viewport_size({"width": 950, "height": 900})
    await run.log("the last")
    await expect(rows(page).last).to_contain_text("the last")
    await expect(pill(page)).to_be_hidden()
    await expect(rows(page).last).to_be_in_viewport()


async def test_home_leaves_follow_and_end_takes_it_up_again(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    run.make("first")
    for n in range(300):
        run.make(f"message {n}")
    await watch(page, gateway, run)
    await scroller(page).focus()
    await page.keyboard.press("Home")
    await expect(rows(page).first.locator(".rt-seq")).to_have_text("1")
    await expect(pill(page)).to_be_visible()
    await page.keyboard.press("End")
    await expect(pill(page)).to_be_hidden()
    await expect(rows(page).last.locator(".rt-seq")).to_have_text("302")


async def test_a_level_filter_says_how_many_are_shown_and_acts_on_live_lines_too(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    await run.log("fine", "fine too")
    await run.log("broken", level="error")
    await page.locator(".rt-chip-error").click()
    shown = page.locator(".rt-shown")
    await expect(shown).to_contain_text("1 of 4 shown — filter: error")
    await run.log("hidden")
    await run.log("broken again", level="error")
    await expect(shown).to_contain_text("2 of 6 shown — filter: error")
    assert await seqs(page) == [4, 6]
    await page.get_by_role("button", name="clear").click()
    await expect(rows(page)).to_have_count(6)


async def test_the_view_is_bounded_and_says_what_left_it(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    # Ten huge messages reach the bound in characters, which is much lower than that in records.
    await watch(page, gateway, run)
    for n in range(12):
        await run.log(f"{n} " + "x" * 6_500_000)
    await expect(rows(page).last.locator(".rt-seq")).to_have_text("13")
    await run.finish()
    await expect(words(page)).to_have_text("ended · complete, 15 lines")


async def test_the_keyboard_reaches_a_line_and_unfolds_it(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    run.make("unfold me", input_data={"n": 1})
    await watch(page, gateway, run)
    await scroller(page).focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        await page.keyboard.press(key)
    await expect(page.locator(".rt-row.rt-current")).to_contain_text("unfold me")
    await expect(page.locator(".rt-details")).to_contain_text("input_data")


async def test_copy_takes_every_shown_line_also_those_out_of_sight(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for n in range(500):
        run.make(f"message {n}")
    await watch(page, gateway, run)
    await scroller(page).focus()
    await page.keyboard.press("Control+a")
    await page.keyboard.press("Control+c")
    await expect(page.locator(".rt-message")).to_have_text("501 lines copied")
    lines = (await page.evaluate("navigator.clipboard.readText()")).splitlines()
    assert len(lines) == 501
    assert lines[1] == "2026-11-24T03:15:00.002000+00:00 info load message 0"


MOST_ROWS_WHILE_SCROLLING = """async () => {
  const log = document.querySelector(".rt-scroller");
  log.dispatchEvent(new WheelEvent("wheel", {deltaY: -1, bubbles: true}));
  let most = 0;
  for (let i = 0; i < 60; i += 1) {
    log.scrollTop = (log.scrollHeight * ((i * 37) % 60)) / 60;
    await new Promise(requestAnimationFrame);
    most = Math.max(most, log.querySelectorAll(".rt-row").length);
  }
  return most;
}"""

# What stands wholly in sight with its text counts, not what is drawn beyond the edges.
SEQS_SEEN_PAGE_BY_PAGE = """async () => {
  const log = document.querySelector(".rt-scroller"), seen = new Set();
  const press = (key) => log.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  const turn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const drawn = async () => { do await turn(); while (log.querySelector(".rt-placeholder")); };
  const inSight = () => {
    const {top, bottom} = log.getBoundingClientRect();
    return [...log.querySelectorAll(".rt-row[data-seq]")].filter((row) => {
      const box = row.getBoundingClientRect();
      return box.top >= top - 1 && box.bottom <= bottom + 1;
    }).map((row) => Number(row.dataset.seq));
  };
  press("Home");
  for (let before = ""; ; ) {
    await drawn();
    const now = inSight();
    now.forEach((seq) => seen.add(seq));
    if (now.join() === before) break;
    before = now.join();
    press("PageDown");
  }
  return {count: seen.size, first: Math.min(...seen), last: Math.max(...seen)};
}"""
