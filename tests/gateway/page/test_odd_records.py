"""Records that nobody meant to be looked at: shown as data, and the page goes on."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect
from tests.gateway.fake_execution import FakeExecution
from tests.gateway.fake_gateway import FakeGateway
from tests.gateway.page.watching import rows, watch

pytestmark = pytest.mark.browser


def deep(levels: int) -> object:
    value: object = "the bottom"
    for _ in range(levels):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"message": "x" * 1_000_000}, id="a line of 1 MB"),
        pytest.param({"input_data": {f"key {n}": n for n in range(10_000)}}, id="10,000 keys wide"),
        pytest.param({"input_data": deep(200)}, id="200 keys deep"),
    ],
)
async def test_a_huge_record_is_opened_and_the_page_goes_on(
    page: Page, gateway: FakeGateway, run: FakeExecution, fields: dict[str, object]
) -> None:
    """Laid out in parts: opening it takes less than a second, and what follows is shown."""
    await watch(page, gateway, run)
    message = str(fields.get("message", "odd"))
    await run.log(message, **{name: value for name, value in fields.items() if name != "message"})
    await rows(page).last.locator(".rt-open").click()
    await expect(page.locator(".rt-details")).to_be_visible(timeout=1_000)
    await run.log("the next one")
    await expect(rows(page).last).to_contain_text("the next one", timeout=1_000)
