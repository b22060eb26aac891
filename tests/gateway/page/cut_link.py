"""A page, a proxy that can hurt it, and the worker of the run that it watches."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.async_api import Page, expect
from tests.gateway.page.reading import Read, read_all, take_notes, wrong_lines
from tests.gateway.page.watching import dot, words
from tests.gateway.worker import Worker
from tests.proxy import Proxy


@dataclass(frozen=True, slots=True)
class CutLink:
    """A *page* that watches the run of *worker* through *proxy*."""

    page: Page
    proxy: Proxy
    worker: Worker

    async def open(self, lines: int = 100) -> None:
        """Publish so many lines after the first, which says that it runs, and look at them."""
        await self.worker.open()
        await self.worker.log_many(1, lines)
        await take_notes(self.page)
        await self.page.goto(f"{self.proxy.http}/monitoring/executions/{self.worker.execution_id}")
        await expect(words(self.page)).to_have_text(re.compile("^live"))

    async def ends_complete(self, lines: int) -> None:
        """End the run; the page must hold every one of its *lines*, and prove it."""
        await self.worker.end()
        await expect(words(self.page)).to_have_text(f"ended · complete, {lines:,} lines")
        await expect(dot(self.page)).to_have_attribute("data-status", "disconnected")
        assert await read_all(self.page) == Read(first=1, last=lines, count=lines, wrong=[])
        assert await wrong_lines(self.page) == []
