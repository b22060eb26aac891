"""Records by somebody who wants to harm the reader: the page shows them as data."""

from __future__ import annotations

import json
import re

import pytest
from playwright.async_api import Browser, Page, expect
from tests.browser import REFUSALS
from tests.gateway.fake_execution import FakeExecution
from tests.gateway.fake_gateway import FakeGateway
from tests.gateway.page.watching import rows, scroller, watch, words
from tests.gateway.running import Running
from tests.gateway.worker import Worker

pytestmark = pytest.mark.browser

EVIL = (
    "<img src=x onerror=\"document.title='owned'\">\u202efdp.exe\u202c\x1b[2J\x1b]0;owned\x07\u2066"
)
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LEVELS = 10_000

# All that is read: texts, and the attributes that are shown or spoken.
READ = """() => {
  const told = (each) => ["title", "aria-label", "href"].map((name) => each.getAttribute(name));
  const all = [...document.querySelectorAll("*")].flatMap(told);
  return [document.title, document.body.textContent, ...all].filter(Boolean).join("\\n");
}"""


OPEN_ALL = """() => {
  for (const button of document.querySelectorAll("button[aria-expanded=false]")) button.click();
}"""


async def test_no_field_of_a_record_is_markup_or_acts_on_the_screen(
    page: Page, gateway: FakeGateway, run: FakeExecution
) -> None:
    run.workflow_id = EVIL
    await watch(page, gateway, run)
    named = {"step_name": EVIL, "step_type": EVIL}
    await run.log(EVIL, error_message=EVIL, input_data={EVIL: [EVIL]}, level="error", **named)
    await run.log("", kind="plan", steps=[{"name": EVIL}, {"name": "b", "after": [EVIL]}])
    await run.log("", kind="step", status="failed", reason=EVIL, **named)
    await run.log("", kind="progress", progress=4, name=EVIL)
    await run.log("", kind="metric", name=EVIL, value=1, unit=EVIL)
    await run.log("", kind="link", name=EVIL, url=f"https://example.org/{EVIL}")
    await run.log("", kind="link", name="script", url="javascript:document.title='owned'")
    await run.log("", kind="link", name="data", url="data:text/html,<script>1</script>")
    await run.log(EVIL, kind=EVIL, level=EVIL)
    await run.log("", kind="status", status=EVIL, reason=EVIL)
    await gateway.tell_list(run.id)
    await expect(rows(page).last).to_contain_text("<img src=x")
    await page.evaluate(OPEN_ALL)
    assert ACTS.findall(await page.evaluate(READ)) == []
    assert await page.locator("[onerror], [src=x], iframe, object, embed, body script").count() == 0
    for link in await page.locator("a").all():
        assert re.match("https?://|/|#|[.]", await link.get_attribute("href") or "")
    assert await page.title() != "owned"  # the workflow's name is in it, as text


async def opened_levels(page: Page, levels: int) -> str:
    """Open so many levels of the data of the opened record, one below the other; the last line."""
    return str(await page.evaluate(OPEN_LEVELS, levels))


OPEN_LEVELS = """(levels) => {
  const lines = document.querySelectorAll(".rt-details .rt-node");
  let line = [...lines].find((each) => each.textContent.includes("input_data"));
  for (let level = 0; level < levels; level += 1) {
    line.querySelector("button").click();
    line = line.nextElementSibling;
  }
  return line.textContent;
}"""


@pytest.mark.parametrize(
    ("begin", "end", "levels"),
    [
        ('{"in":', "}", 30),
        pytest.param("[", "]", 30, marks=pytest.mark.full),
        pytest.param('{"in":', "}", 2_000, marks=pytest.mark.full),
    ],
    ids=["objects", "lists", "thousands of objects"],
)
async def test_data_of_10000_levels_is_opened_level_by_level(
    page: Page, real: Running, worker: Worker, begin: str, end: str, levels: int
) -> None:
    """No SDK writes it and no request may, but whoever may write to the engine can."""
    await worker.open()
    data = begin * LEVELS + "1" + end * LEVELS
    await worker.log_lines([f'{{"message":"deep","level":"info","input_data":{data}}}'.encode()])
    await page.goto(f"{real.address}/monitoring/executions/{worker.execution_id}")
    await expect(words(page)).to_have_text(re.compile("^live"))
    await rows(page).last.locator(".rt-open").click()
    await expect(page.locator(".rt-details")).to_be_visible(timeout=1_000)
    assert re.search("1 (field|item)", await opened_levels(page, levels))
    await worker.log("the next one")
    await scroller(page).focus()
    await page.keyboard.press("End")
    await expect(rows(page).last).to_contain_text("the next one", timeout=2_000)


@pytest.mark.full
async def test_a_line_of_1_mb_comes_through_a_real_gateway_and_the_page_goes_on(
    page: Page, real: Running, worker: Worker
) -> None:
    await worker.open()
    wide = {f"key {n}": n for n in range(10_000)}
    long = {"message": EVIL * 20_000, "level": "info", "input_data": wide}
    await worker.log_lines([json.dumps(long).encode()])
    await page.goto(f"{real.address}/monitoring/executions/{worker.execution_id}")
    await expect(words(page)).to_have_text(re.compile("^live"))
    await rows(page).last.locator(".rt-open").click()
    await expect(page.locator(".rt-details")).to_contain_text("10,000 fields", timeout=1_000)
    await worker.log("the next one")
    await expect(rows(page).last).to_contain_text("the next one", timeout=1_000)


# Outside of what the debugger runs: that may do more than a page.
ATTACKS = """() => new Promise((done) => setTimeout(() => {
  const failed = [];
  const attempt = (name, act) => { try { act(); } catch { failed.push(name); } };
  attempt("markup", () => { document.body.insertAdjacentHTML("beforeend", "<b>1</b>"); });
  attempt("eval", () => { (0, eval)("document.title = 'owned'"); });
  attempt("policy", () => { trustedTypes.createPolicy("mine", {}); });
  attempt("script", () => {
    const script = document.createElement("script");
    script.append("document.title = 'owned'");
    document.body.append(script);
  });
  attempt("handler", () => { document.body.setAttribute("onclick", "document.title = 'owned'"); });
  document.body.click();
  attempt("style", () => { document.body.setAttribute("style", "display: none"); });
  const {display} = getComputedStyle(document.body);
  setTimeout(() => done([failed, document.title.includes("owned"), display]), 100);
}))"""


async def test_the_pages_policy_refuses_what_its_own_code_never_does(
    browser: Browser, real: Running
) -> None:
    """And it is seen here, so that every other test of a page fails where it happens."""
    page = await browser.new_page()
    said: list[str] = []
    page.on("console", lambda each: said.append(each.text))
    await page.add_init_script(REFUSALS)
    await page.goto(f"{real.address}/monitoring")
    failed, owned, display = await page.evaluate(ATTACKS)
    assert failed == ["markup", "eval", "policy", "handler"]
    assert (owned, display) == (False, "block")
    refused = {each.split()[1] for each in said if each.startswith("Policy")}
    assert refused >= {"require-trusted-types-for", "trusted-types", "style-src-attr"}
    await page.close()
