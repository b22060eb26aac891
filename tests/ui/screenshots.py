"""Take the README's pictures of the page anew: `python -m tests.ui.screenshots` (needs Chromium).

A real gateway runs a handful of simulated workflows; the pictures are of what it shows then.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from playwright.async_api import Browser, expect
from tests.browser import chromium
from tests.e2e.processes import Gateway, gateways
from tests.engines import embedded_engine

FOLDER: Final = Path(__file__).parents[2] / "gateway" / "ui" / "screenshots"
_NIGHTLY: Final = ("fetch orders", "fetch customers", "validate", "join", "score", "report")


def definition(seconds: float, failing: str = "") -> dict[str, Any]:
    """Two sources side by side, then one step after the other; *failing* fails."""
    after = [[], [], _NIGHTLY[:2], ["validate"], ["join"], ["score"]]
    return {
        "name": "nightly-orders",
        "steps": [
            {
                "name": name,
                "after": list(before),
                "seconds": seconds,
                "logs_per_second": 12,
                "failure": int(name == failing),
            }
            for name, before in zip(_NIGHTLY, after, strict=True)
        ],
    }


def start(gateway: Gateway, name: str, workflow: dict[str, Any]) -> None:
    """Let the gateway simulate *workflow* under the id *name*."""
    asked = urllib.request.Request(
        f"{gateway.http}/executions/{name}/start-streaming",
        data=json.dumps(workflow).encode(),
        method="POST",
    )
    urllib.request.urlopen(asked).close()


async def picture(
    browser: Browser, address: str, name: str, seen: str, *, size: tuple[int, int], dark: bool
) -> None:
    """Keep a picture of *address*, once it says what was to be *seen*."""
    width, height = size
    page = await browser.new_page(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    await page.goto(address)
    await expect(page.get_by_text(seen).first).to_be_visible(timeout=30_000)
    await page.wait_for_timeout(2_000)  # figures and charts come after the first paint
    await page.screenshot(path=FOLDER / f"{name}.png")
    await page.close()


async def main() -> None:
    """Take them all."""
    FOLDER.mkdir(exist_ok=True)
    with (
        embedded_engine() as url,
        TemporaryDirectory() as place,
        gateways(url, Path(place), 1) as (gateway,),
    ):
        for n in range(5):
            start(gateway, f"nightly-{n + 1}", definition(0.4))
        start(gateway, "nightly-6", definition(0.5, "score"))
        await asyncio.sleep(6)
        start(gateway, "nightly-7", definition(4))
        async with chromium() as browser:
            await asyncio.sleep(9)
            page = f"{gateway.http}/monitoring"
            await picture(browser, page, "list", "nightly-7", size=(1100, 620), dark=False)
            running = f"{page}/executions/nightly-7"
            await picture(browser, running, "execution", "validate", size=(1100, 700), dark=False)
            failed = f"{page}/executions/nightly-6"
            await picture(browser, failed, "failed", "Failed in", size=(1100, 700), dark=True)


if __name__ == "__main__":
    asyncio.run(main())
