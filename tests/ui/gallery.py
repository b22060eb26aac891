"""The gallery as the gateway serves it, and what axe finds in a page."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from playwright.async_api import Page
from starlette.applications import Starlette

from runtail_gateway.web.page_files import page_routes

AXE = Path(__file__).parents[2] / "gateway/ui/node_modules/axe-core/axe.min.js"
GRAVE = ("serious", "critical")
_FIND = """async (where) => {
  const { violations } = await axe.run(where ?? document, { resultTypes: ["violations"] });
  return violations.map(({ id, impact, nodes }) => [impact, id, nodes[0].html.slice(0, 200)]);
}"""


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """Serve the pages, and nothing behind them; answer the gallery's address."""
    app = Starlette(routes=page_routes())
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        task = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{port}/monitoring/gallery.html"
        server.should_exit = True
        await task


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that axe finds wrong: how grave, which rule, and where first."""

    impact: str
    rule: str
    html: str


async def faults(page: Page, where: str | None = None) -> list[Fault]:
    """List what is seriously or critically wrong with the page, or with the parts at *where*."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE.read_text("utf-8") + "; undefined")
    found: list[Any] = await page.evaluate(_FIND, where)
    return [fault for each in found if (fault := Fault(*each)).impact in GRAVE]


async def states(page: Page, address: str) -> list[str]:
    """List the ids of all states that the gallery shows."""
    await page.goto(address)
    await page.locator(".gallery-state").first.wait_for()
    ids: list[str] = await page.locator(".gallery-state").evaluate_all("all => all.map(e => e.id)")
    return ids
