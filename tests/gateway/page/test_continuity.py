"""What the page shows is what the log holds, once and in order; else it says so."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect
from tests.gateway.fake_execution import FakeExecution
from tests.gateway.fake_gateway import FakeGateway
from tests.gateway.page.watching import dot, notices, rows, seqs, watch, words

pytestmark = pytest.mark.browser


async def test_records_appear_once_and_in_order(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    for first in (1, 4, 7):
        await run.log(*(f"message {n}" for n in range(first, first + 3)))
    await expect(rows(page)).to_have_count(10)
    assert await seqs(page) == list(range(1, 11))
    texts = await rows(page).locator(".rt-text").all_text_contents()
    assert texts[1:] == [f"message {n}" for n in range(1, 10)]


async def test_a_cut_connection_resumes_after_the_last_cursor_without_a_repeat(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    await run.log("before the cut")
    await expect(rows(page)).to_have_count(2)
    newest = run.cursor()
    await run.cut()
    run.make("while nobody was connected")
    await expect(rows(page)).to_have_count(3)
    assert await seqs(page) == [1, 2, 3]
    assert run.connections[0] == []
    assert run.connections[1][0] == newest


async def test_a_resuming_viewer_sends_a_few_cursors_newest_first(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    for n in range(40):
        await run.log(f"message {n}")
    await expect(rows(page).last).to_contain_text("message 39")
    await run.cut()
    run.make("after the cut")
    await expect(rows(page).last).to_contain_text("after the cut")
    sent = [int(cursor.split(":")[1]) for cursor in run.connections[-1]]
    assert sent[0] == 41
    assert 3 <= len(sent) <= 8
    assert sent == sorted(sent, reverse=True)


async def test_a_record_that_comes_again_is_not_shown_again(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    await run.log("once")
    await run.send({"type": "records", "records": run.records, "cursor": run.cursor()})
    await run.log("after")
    await expect(rows(page)).to_have_count(3)
    assert await seqs(page) == [1, 2, 3]


async def test_a_hole_that_nobody_announced_is_told_loudly(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    for n in range(4):
        run.make(f"never sent {n}")
    await run.log("after the hole")
    await expect(notices(page)).to_contain_text(
        "lines 2 to 5: 4 lines are missing: they never came"
    )


async def test_a_reset_drops_what_lies_beyond_its_cursor(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    await run.log("kept", "withdrawn one", "withdrawn two")
    await expect(rows(page)).to_have_count(4)
    del run.records[2:]
    await run.send({"type": "reset", "reason": "another history", "cursor": run.cursor()})
    await run.log("in their place")
    told = "2 lines after line 2 withdrawn: another history"
    await expect(notices(page)).to_contain_text(told)
    await expect(rows(page).last).to_contain_text("in their place")
    assert await seqs(page) == [1, 2, 3]


async def test_a_reset_to_the_start_drops_everything_and_the_log_can_still_be_complete(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    await run.log("withdrawn")
    run.records.clear()
    await run.send({"type": "reset", "reason": "another stream", "cursor": run.cursor(0)})
    await run.log("the new first")
    await run.finish()
    await expect(words(page)).to_have_text("ended · complete, 3 lines")
    assert await seqs(page) == [1, 2, 3]


async def test_a_gap_shows_its_exact_count_where_it_is_and_the_end_is_not_called_complete(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    for n in range(1204):
        run.make(f"trimmed {n}")
    gap = {"after_seq": 1, "before_seq": 1206, "lost": 1204, "proved": True, "reason": "trimmed"}
    await run.send({"type": "gap", "cursor": run.cursor(), **gap})
    await run.log("after the gap")
    await expect(notices(page)).to_have_text("lines 2 to 1,205: 1,204 lines are missing: trimmed")
    await run.finish()
    await expect(words(page)).to_have_text("ended · 1,204 of 1,208 lines missing")


async def test_a_finished_execution_shows_complete_its_status_and_its_exact_duration(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    await run.log("", kind="progress", progress=40)
    await run.log("", kind="progress", progress=90, name="a part")
    await expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "40")
    await run.finish("failed")
    await expect(words(page)).to_have_text("ended · complete, 5 lines")
    await expect(page.locator(".runtail-execution .runtail-status-word")).to_have_text("failed")
    await expect(page.locator(".runtail-execution .runtail-elapsed")).to_have_text("1 min 23 s")
    assert len(run.connections) == 1


async def test_an_end_that_claims_more_than_was_received_is_not_called_complete(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    run.make("never sent")
    for viewer in run.viewers:
        await run.say_end(viewer)
    await expect(words(page)).to_have_text("ended · 1 of 2 lines missing")


async def test_a_refused_viewer_shows_why_and_does_not_come_back(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    run.refuse_with = ("forbidden", "you may not read run-1")
    await page.goto(f"{gateway.address}?execution=run-1")
    await expect(words(page)).to_have_text("refused: you may not read run-1")
    await expect(dot(page)).to_have_attribute("data-status", "error")
    run.refuse_with = None
    await page.get_by_role("button", name="Reconnect").click()
    await expect(words(page)).to_have_text("live")
    assert len(run.connections) == 2


async def test_a_link_to_an_execution_that_is_not_there_yet_waits_for_it(
    page: Page, gateway: FakeGateway
) -> None:
    later = gateway.execution("later")
    await page.goto(f"{gateway.address}#later")
    await expect(words(page)).to_have_text("live · waiting for the first record")
    await later.log("here it is")
    await expect(rows(page)).to_have_count(1)


async def test_a_link_that_says_nothing_for_45_seconds_is_given_up_and_made_anew(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await page.clock.install()
    await watch(page, gateway, run)
    gateway.fall_silent()
    await page.clock.run_for(40_000)
    assert len(run.connections) == 1
    await page.clock.run_for(12_000)
    await run.log("heard again")
    await expect(rows(page).last).to_contain_text("heard again")
    assert len(run.connections) == 2


async def test_a_silent_worker_and_a_quiet_log_are_told_apart(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    await watch(page, gateway, run)
    beat = {"type": "beat", "cursor": run.cursor(), "quiet_ms": 60_000}
    await run.send(beat | {"workers": {"open": 1, "silent": 0}})
    await expect(words(page)).to_have_text(re.compile("^live · quiet, last heard"))
    await run.send(beat | {"workers": {"open": 1, "silent": 1}})
    await expect(words(page)).to_contain_text("worker silent")
