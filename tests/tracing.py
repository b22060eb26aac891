"""What a browser's own tracing says of a page: how long it was busy, and when it painted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, Page

CATEGORIES = ["toplevel", "devtools.timeline", "loading", "blink.user_timing"]
FRAME_MS = 1000 / 60
LONG_MS = 50  # as the Web Vitals have it


@dataclass
class Trace:
    """What happened while the block lasted; empty before its end."""

    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def tasks(self) -> list[float]:
        """How many ms of the processor each task of the page's main thread took.

        Other programs may keep the page waiting; that is not the page's doing.
        """
        return [e["tdur"] / 1000 for e in main_thread(self.events) if "RunTask" in e["name"]]

    @property
    def late_frames(self) -> int:
        """How many frames the main thread alone made late: a task took longer than a frame."""
        return sum(int(ms // FRAME_MS) for ms in self.tasks)

    @property
    def blocked_ms(self) -> float:
        """Total blocking time: what tasks took beyond 50 ms."""
        return sum(max(0.0, ms - LONG_MS) for ms in self.tasks)

    @property
    def first_contentful_paint_ms(self) -> float:
        """From the navigation to the first text or picture."""
        began = [e["ts"] for e in self.events if e["name"] == "navigationStart"]
        painted = [e["ts"] for e in self.events if e["name"] == "firstContentfulPaint"]
        return float(max(painted) - max(at for at in began if at < max(painted))) / 1000

    def __str__(self) -> str:
        """Sum up what the main thread did."""
        return (
            f"{len(self.tasks)} tasks of the main thread, {sum(self.tasks):.0f} ms in all, "
            f"the longest {max(self.tasks):.1f} ms, {self.late_frames} frames late, "
            f"total blocking time {self.blocked_ms:.0f} ms"
        )


def main_thread(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose what the threads that run pages did, as far as it was timed."""
    pages = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return [each for each in events if (each["pid"], each["tid"]) in pages and "tdur" in each]


@asynccontextmanager
async def traced(browser: Browser, page: Page) -> AsyncIterator[Trace]:
    """Trace what *page* does in the block."""
    trace = Trace()
    await browser.start_tracing(page=page, categories=CATEGORIES)
    yield trace
    trace.events = json.loads(await browser.stop_tracing())["traceEvents"]
