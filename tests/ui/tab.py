"""What a tab costs while it shows a log: time to lines, memory, frames; tasks see tests/tracing.py.

Times are of the page's own clock; memory is of the process that runs the page: its script's heap,
and what it does not share with others (private), as the kernel counts it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from playwright.async_api import Browser, CDPSession, Page
from tests.tracing import FRAME_MS

MIB = 1024 * 1024
_SAMPLE_SECONDS = 0.25

# Waits for frames, not for changes: what counts is what a reader sees.
_SEEN = """([selector, text]) => new Promise((done) => {
  const began = performance.now();
  const shown = new RegExp(text);
  const inSight = (row) => {
    const at = row.getBoundingClientRect();
    return at.height > 0 && at.bottom > 0 && at.top < innerHeight;
  };
  const look = () => {
    const rows = [...document.querySelectorAll(selector)];
    if (!rows.some((row) => shown.test(row.textContent) && inSight(row))) {
      return requestAnimationFrame(look);
    }
    requestAnimationFrame(() => {
      const loaded = performance.now();
      done({ since: loaded - began, loaded });
    });
  };
  look();
})"""

_FRAMES = """(seconds) => new Promise((done) => {
  const times = [];
  const each = (now) => {
    times.push(now);
    if (now - times[0] < seconds * 1000) requestAnimationFrame(each);
    else done(times);
  };
  requestAnimationFrame(each);
})"""
# As far in each frame as an eager hand turns a wheel: ten lines and more.
_SCROLL = """([selector, seconds]) => new Promise((done) => {
  const scroller = document.querySelector(selector);
  scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1, bubbles: true }));
  const times = [];
  const each = (now) => {
    times.push(now);
    scroller.scrollTop += 240;
    if (now - times[0] < seconds * 1000) requestAnimationFrame(each);
    else done(times);
  };
  requestAnimationFrame(each);
})"""


@dataclass(frozen=True, slots=True)
class Frames:
    """How evenly frames came: *shown* of them in *seconds*, and how many had no time to."""

    seconds: float
    shown: int
    dropped: int
    longest_ms: float

    @classmethod
    def of(cls, times: list[float]) -> Frames:
        """Read the times (ms) at which frames began."""
        waits = [later - sooner for sooner, later in pairwise(times)]
        dropped = sum(max(0, round(wait / FRAME_MS) - 1) for wait in waits)
        return cls((times[-1] - times[0]) / 1000, len(waits), dropped, max(waits))

    @property
    def per_second(self) -> float:
        """Frames a second."""
        return self.shown / self.seconds


@dataclass(slots=True)
class Memory:
    """In MiB: the most that was seen, and what was left once all garbage was collected."""

    heap_peak: float = 0.0
    heap_left: float = 0.0
    private_peak: float = 0.0
    private_left: float = 0.0


async def lines_seen(page: Page, selector: str, text: str) -> dict[str, float]:
    """Wait until a row that matches *text* is painted: ms `since` now, and of the page's clock."""
    found: dict[str, float] = await page.evaluate(_SEEN, [selector, text])
    return found


async def frames_for(page: Page, seconds: float) -> Frames:
    """Count the page's frames for so many seconds."""
    return Frames.of(await page.evaluate(_FRAMES, seconds))


async def frames_while_scrolling(page: Page, scroller: str, seconds: float) -> Frames:
    """Count them while the log scrolls by twelve lines a frame, as by an eager reader's wheel."""
    return Frames.of(await page.evaluate(_SCROLL, [scroller, seconds]))


class Tab:
    """The process behind *page*, the only page of *browser*."""

    def __init__(self, browser: CDPSession, page: CDPSession) -> None:
        self._browser, self._page = browser, page

    @classmethod
    async def of(cls, browser: Browser, page: Page) -> Tab:
        """Open what is needed to watch it."""
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable")
        return cls(await browser.new_browser_cdp_session(), session)

    @asynccontextmanager
    async def memory(self) -> AsyncIterator[Memory]:
        """Watch its memory while the block runs; at its end garbage is collected."""
        seen = Memory()
        watching = [asyncio.create_task(look(seen)) for look in (self._watch, self._watch_heap)]
        try:
            yield seen
        finally:
            for task in watching:
                task.cancel()
            await asyncio.wait(watching)
        await self._page.send("HeapProfiler.collectGarbage")
        seen.heap_left, seen.private_left = await self._heap_mib(), await self._private_mib()

    async def _watch(self, seen: Memory) -> None:
        while True:
            seen.private_peak = max(seen.private_peak, await self._private_mib())
            await asyncio.sleep(_SAMPLE_SECONDS)

    async def _watch_heap(self, seen: Memory) -> None:
        while True:  # a busy page answers late
            seen.heap_peak = max(seen.heap_peak, await self._heap_mib())
            await asyncio.sleep(_SAMPLE_SECONDS)

    async def _heap_mib(self) -> float:
        told = await self._page.send("Performance.getMetrics")
        metrics = {each["name"]: each["value"] for each in told["metrics"]}
        return float(metrics["JSHeapUsedSize"]) / MIB

    async def _private_mib(self) -> float:
        """Of all processes that run pages the largest: others are spare."""
        told = await self._browser.send("SystemInfo.getProcessInfo")
        pids = [each["id"] for each in told["processInfo"]]
        return max((_private_mib(pid) for pid in pids if _runs_pages(pid)), default=0.0)


def _runs_pages(pid: int) -> bool:
    """Whether it runs pages; another of the same type draws the browser's own bars."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended
        return False
    return b"--type=renderer" in command and b"--top-chrome-webui" not in command


def _private_mib(pid: int) -> float:
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private")) / 1024
