"""`runtail demo`, as people start it: its page, its run, workers that find it, and its end."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from tests.broker.engine_programs import gone, is_free, traces
from tests.e2e.processes import fetch, status_of
from tests.e2e.rows import objections, read_stream
from tests.e2e.watcher import Watcher
from tests.polling import until

from runtail_broker.engines.engine import find_engine
from runtail_broker.engines.engine_address import register

WORKER = """\
import time
from runtail import Publisher

with Publisher() as publisher, publisher.execution("import-1", workflow_id="import") as run:
    for day in range(7):
        run.info(f"loaded day {day}", step_name="extract", output_data={"rows": 1000 + day})
        run.progress(round(100 * (day + 1) / 7))
        time.sleep(0.05)
    run.warning("2 rows had no customer", step_name="join")
"""


class Demo:
    """A running `runtail demo`, which was told no address and takes a free port."""

    def __init__(self, process: subprocess.Popen[str], data: Path) -> None:
        assert process.stdout is not None
        self.process, self.data = process, data
        self.url = self._told(r"(http://127\.0\.0\.1:\d+)/monitoring")
        self.execution_id = self._told(r"runtail: (demo-\S+) is running")
        self.children = psutil.Process(process.pid).children(recursive=True)

    @property
    def left_over(self) -> list[object]:
        """What there is of it still: processes, files, an entry in the register, the lock."""
        living = [child for child in self.children if not gone(child.pid)]
        return [*living, *traces(self.data), *register().glob("*")] + (
            [] if is_free(self.data) else ["the lock"]
        )

    def _told(self, pattern: str) -> str:
        assert self.process.stdout is not None
        found = re.search(pattern, line := self.process.stdout.readline())
        assert found, f"the demo said {line!r}, expected {pattern}"
        return found[1]


@contextmanager
def demo(place: Path) -> Iterator[Demo]:
    command = [
        sys.executable,
        "-m",
        "runtail",
        "demo",
        "--port",
        "0",
        "--data",
        str(place / "data"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Demo(process, place / "data")
        finally:
            process.kill()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=30, check=False
    )


async def seen(running: Demo, execution_id: str, records: int) -> Watcher:
    """Watch until so many *records* have come."""
    watcher = Watcher(execution_id)
    address = f"ws{running.url.removeprefix('http')}"
    task = asyncio.create_task(watcher.watch([address]))
    await watcher.until_it_holds(records)
    task.cancel()
    return watcher


async def test_it_shows_its_page_and_its_run_and_ends_without_a_trace(place: Path) -> None:
    with demo(place) as running:
        assert status_of(f"{running.url}/monitoring") == 200
        watcher = await seen(running, running.execution_id, 12)
        engine = find_engine()
        assert engine is not None
        stream = read_stream(engine, running.execution_id)
        assert objections(watcher.rows, stream[: len(watcher.rows)]) == []
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(8) == 0
        until(lambda: not running.left_over, "nothing of it is left", 2)
        assert len(running.children) >= 2  # the engine and its keeper: the check was not empty


def test_a_worker_without_any_address_finds_it_and_its_run_can_be_tailed(place: Path) -> None:
    with demo(place) as running:
        worker = run("-c", WORKER)
        assert (worker.returncode, worker.stderr) == (0, "")
        listed = fetch(f"{running.url}/executions")["executions"]
        assert isinstance(listed, list)
        assert {state["id"]: state["status"] for state in listed}["import-1"] == "completed"
        tail = run("-m", "runtail", "tail", "import-1", "--url", running.url)
        assert (tail.returncode, tail.stderr) == (0, "")
        expected = [f"loaded day {day}" for day in range(7)] + ["2 rows had no customer"]
        assert [text for text in expected if text not in tail.stdout] == []
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(8)
        until(lambda: not running.left_over, "nothing of it is left", 2)


def test_the_engine_ends_too_when_it_is_killed(place: Path) -> None:
    with demo(place) as running:
        engine = find_engine()
        assert engine is not None
        running.process.kill()
        until(lambda: not running.left_over, "nothing of it is left", 8)
        assert len(running.children) >= 2


async def test_its_interrupted_run_is_cancelled_and_there_when_it_is_started_again(
    place: Path,
) -> None:
    with demo(place) as first:
        before = await seen(first, first.execution_id, 12)
        first.process.send_signal(signal.SIGINT)
        first.process.wait(8)
    with demo(place) as second:
        after = await seen(second, first.execution_id, 12)
        assert after.rows[:12] == before.rows[:12]
        state = fetch(f"{second.url}/executions/{first.execution_id}")
        assert (state["status"], state["ended"]) == ("cancelled", True)
