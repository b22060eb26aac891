"""What the READMEs and the page tell people to type: each snippet is run as it stands."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.browser import chromium_page, show
from tests.e2e.processes import Gateway, fetch, gateways
from tests.e2e.rows import read_stream

from runtail import Publisher
from runtail_broker.engines.engine import Engine

ROOT = Path(__file__).parents[2]
READMES = sorted([ROOT / "README.md", *ROOT.glob("*/README.md")])
PAGE = ROOT / "gateway/ui/react/src/snippet.ts"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

READS = "runtail.read("


def fenced(path: Path, language: str) -> list[str]:
    """List the blocks of *language* in the file at *path*."""
    return [text for name, text in FENCE.findall(path.read_text()) if name == language]


def worker_snippets() -> Iterator[tuple[str, str]]:
    """Name and text of every snippet that uses the SDK."""
    for path in READMES:
        for number, text in enumerate(fenced(path, "python"), 1):
            if READS in text:
                continue
            if "import runtail" in text or "from runtail import" in text:
                yield f"{path.relative_to(ROOT)} {number}", text
    for shown in re.findall(r"`(.*?)`", PAGE.read_text(), re.DOTALL):
        yield "page", shown


SNIPPETS = dict(worker_snippets())
READER = next(text for text in fenced(ROOT / "producers/README.md", "python") if READS in text)
VIEWER = next(text for text in fenced(ROOT / "README.md", "html") if "<runtail-log" in text)


@pytest.fixture
def gateway(place: Path, own_engine: Engine) -> Iterator[Gateway]:
    with gateways(own_engine.url, place, 1) as (gateway,):
        yield gateway


def run(snippet: str) -> str:
    """Run *snippet* as a worker's file: nothing but the environment tells it of an engine."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def executions(gateway: Gateway) -> dict[str, str]:
    listed = fetch(f"{gateway.http}/executions")["executions"]
    assert isinstance(listed, list)
    return {state["id"]: state["status"] for state in listed}


def test_there_are_snippets_in_the_readmes_of_the_project_and_of_the_sdk_and_on_the_page() -> None:
    assert {"README.md 1", "producers/README.md 1", "page"} <= SNIPPETS.keys()


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_worker_snippet_runs_and_its_execution_completes(gateway: Gateway, name: str) -> None:
    run(SNIPPETS[name])
    begins = "execution(" in SNIPPETS[name]
    assert list(executions(gateway).values()) == (["completed"] if begins else [])


@pytest.mark.parametrize("name", ["README.md 1", "page"])
def test_a_worker_of_ten_lines_is_about_ten_lines(name: str) -> None:
    assert 5 <= len(SNIPPETS[name].strip().splitlines()) <= 12


def test_the_reader_snippet_prints_every_record(own_engine: Engine, gateway: Gateway) -> None:
    with Publisher(own_engine.url) as publisher, publisher.execution("nightly-1") as work:
        work.info("one")
        work.info("two")
    printed = run(READER.replace("http://localhost:8000", gateway.http))
    assert printed == "1 status\n2 one\n3 two\n4 status\n5 end\n"


@pytest.mark.browser
async def test_the_viewer_snippet_shows_every_record_once_also_when_its_gateway_was_killed(
    own_engine: Engine, gateway: Gateway
) -> None:
    async with chromium_page() as page:
        await show(page, gateway.http, VIEWER.replace("http://localhost:8000", gateway.http))
        rows = page.locator("runtail-log .rt-row[data-seq]")
        with Publisher(own_engine.url) as publisher, publisher.execution("nightly-1") as work:
            work.info("before")
            await expect(rows.nth(1)).to_contain_text("before", timeout=10_000)
            gateway.kill()
            work.info("meanwhile")
            await asyncio.to_thread(gateway.start)
            await expect(rows.nth(2)).to_contain_text("meanwhile", timeout=10_000)
        await expect(page.locator("runtail-log")).to_contain_text("complete, 5 lines")
        seqs = await rows.locator(".rt-seq").all_text_contents()
    assert seqs == [str(row.seq) for row in read_stream(own_engine.url, "nightly-1")]
