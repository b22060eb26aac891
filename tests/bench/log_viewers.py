"""Measure runtail's page beside other log viewers: `python -m tests.bench.log_viewers`.

One log of 1,000,000 records, one gateway, one browser each; the others as their own documentation
has them (`logviewers/`, which needs Node and is installed on first use). Memory is that of the
process that runs the page: once the log is open at its middle and garbage is collected, and the
most of it while the log loads and lines stream. "none": it was too busy to be measured in time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page
from tests.browser import chromium
from tests.e2e.processes import gateway_with
from tests.engines import redis_server
from tests.file_server import served
from tests.gateway.long_run import LongRun
from tests.tracing import Trace, traced
from tests.ui.tab import (
    Frames,
    Memory,
    Tab,
    frames_for,
    frames_while_scrolling,
    lines_seen,
)

from runtail_broker.connections.client import Nodes

_FOLDER: Final = Path(__file__).parent / "logviewers"
_NAME: Final = "run"
_RATE: Final = 5000
_STREAM_SECONDS: Final = 8.0
_SCROLL_SECONDS: Final = 4.0
_PATIENCE_SECONDS: Final = 30
_STEP_SECONDS: Final = 50


@dataclass(frozen=True, slots=True)
class Viewer:
    """Where a viewer shows *rows*, and what scrolls them."""

    name: str
    rows: str
    scroller: str


VIEWERS: Final = {
    viewer.name: viewer
    for viewer in (
        Viewer("runtail", ".rt-row[data-seq]:not(.rt-placeholder)", ".rt-scroller"),
        Viewer("melloware", ".log-line", ".react-lazylog"),
        Viewer(
            "patternfly",
            ".pf-v6-c-log-viewer__list-item",
            ".pf-v6-c-log-viewer__scroll-container",
        ),
    )
}


@dataclass(slots=True)
class Measured:
    """What one viewer took: times in ms."""

    first_ms: float = math.inf
    middle_ms: float = math.inf
    at_middle: Memory = field(default_factory=Memory)
    streaming: Memory = field(default_factory=Memory)
    trace: Trace = field(default_factory=Trace)
    following: Frames | None = None
    scrolling: Frames | None = None

    def row(self, name: str) -> str:
        """Write it as a row of the table."""
        cells = [
            name,
            _seconds(self.first_ms),
            _seconds(self.middle_ms),
            _mib(self.at_middle.private_left),
            _mib(self.at_middle.heap_left),
            _mib(self.streaming.private_peak),
            f"{self.trace.longest_ms:.0f} ms" if self.trace.events else "none",
            f"{self.trace.over(50)}, {self.trace.over(100)}" if self.trace.events else "none",
            _told(self.following),
            _told(self.scrolling),
        ]
        return f"| {' | '.join(cells)} |"


def _mib(size: float) -> str:
    return f"{size:.0f} MB" if size else "none"


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.2f} s" if ms < _PATIENCE_SECONDS * 1000 else f"over {_PATIENCE_SECONDS} s"


def _told(frames: Frames | None) -> str:
    return f"{frames.per_second:.0f} ({frames.dropped})" if frames else "none"


HEAD: Final = """\
| | first lines | line 500,000 | memory there | script heap there | most memory, loading and \
streaming | longest task | over 50, 100 ms | frames/s following (dropped) | scrolling |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


@dataclass(frozen=True, slots=True)
class Bench:
    """A log of *run*, at *gateway*; the other viewers are at *others*."""

    run: LongRun
    gateway: str
    others: str

    def address(self, name: str, line: int | None = None) -> str:
        """Where the viewer *name* shows the log, open at *line* or at its end."""
        if name == "runtail":
            hash_ = "" if line is None else f"#L{line}"
            return f"{self.gateway}/monitoring/executions/{_NAME}{hash_}"
        place = "" if line is None else f"&line={line}"
        return f"{self.others}?viewer={name}&gateway={self.gateway}&execution={_NAME}{place}"

    async def measure(self, viewer: Viewer) -> Measured:
        """Open the log at its end, at its middle, and at its end while lines come."""
        found = Measured()
        for look in (self._open, self._look_at_middle, self._watch):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_STEP_SECONDS), _tab() as (browser, page):
                    await look(viewer, browser, page, found)
        return found

    async def _open(self, viewer: Viewer, _: Browser, page: Page, found: Measured) -> None:
        await page.goto(self.address(viewer.name), wait_until="commit")
        found.first_ms = await _seen(page, viewer, r"line \d+ ")

    async def _look_at_middle(
        self, viewer: Viewer, browser: Browser, page: Page, found: Measured
    ) -> None:
        middle = self.run.last // 2
        await page.goto(self.address(viewer.name, middle), wait_until="commit")
        found.middle_ms = await _seen(page, viewer, rf"line {middle} ")
        tab = await Tab.of(browser, page)
        async with tab.memory() as found.at_middle:
            found.scrolling = await frames_while_scrolling(page, viewer.scroller, _SCROLL_SECONDS)

    async def _watch(self, viewer: Viewer, browser: Browser, page: Page, found: Measured) -> None:
        tab = await Tab.of(browser, page)
        async with tab.memory() as found.streaming:
            await page.goto(self.address(viewer.name), wait_until="commit")
            await _seen(page, viewer, rf"line {self.run.last} ")
            found.following = await self._streamed(page)
        async with traced(browser, page) as found.trace:
            await self._streamed(page)

    async def _streamed(self, page: Page) -> Frames:
        stream = asyncio.create_task(self.run.stream(_RATE, _STREAM_SECONDS))
        frames = await frames_for(page, _STREAM_SECONDS)
        await stream
        return frames


async def _seen(page: Page, viewer: Viewer, text: str) -> float:
    """Wait, not for ever, until *viewer* shows *text*: ms since the page was asked for."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return (await lines_seen(page, viewer.rows, text))["loaded"]
    except TimeoutError:
        return math.inf


@asynccontextmanager
async def _tab() -> AsyncIterator[tuple[Browser, Page]]:
    """Open an empty page in a browser of its own; it has all the time it needs."""
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1200, "height": 800})
        page.set_default_timeout(120_000)
        yield browser, page


def _built() -> Path:
    """Build the page of the other viewers, once."""
    made = _FOLDER / "dist"
    if not made.exists():
        for command in (["npm", "ci"], ["npm", "run", "build"]):
            subprocess.run(command, cwd=_FOLDER, check=True, stdout=subprocess.DEVNULL)
    return made


async def _bench(records: int, names: list[str]) -> None:
    with (
        redis_server() as url,
        tempfile.TemporaryDirectory() as folder,
        served(_built()) as others,
        gateway_with(url, Path(folder), "--allowed-origin", others) as gateway,
    ):
        nodes = Nodes.connect(url)
        run = LongRun(nodes, _NAME)
        await run.open()
        await run.write(records)
        bench = Bench(run, gateway.http, f"{others}/index.html")
        print(HEAD, flush=True)
        for name in names:
            print((await bench.measure(VIEWERS[name])).row(name), flush=True)
        await nodes.close()


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.log_viewers", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--only", default=",".join(VIEWERS), help=f"some of {','.join(VIEWERS)}")
    options = parser.parse_args(arguments)
    asyncio.run(_bench(options.records, options.only.split(",")))


if __name__ == "__main__":
    main(sys.argv[1:])
