"""Each peer that is installed here carries a small burst, and leaves nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.bench.contender import PEERS, Engine, contender
from tests.bench.publishing import Plan as Publishing
from tests.bench.publishing import publishing
from tests.bench.store import started
from tests.bench.workloads import Sizes, burst
from tests.polling import until

pytestmark = pytest.mark.full
FAULTS = ("lost", "repeated", "disordered", "cut")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine that all peers use in turn."""
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as engine:
        yield engine


@pytest.fixture(params=PEERS)
def name(request: pytest.FixtureRequest) -> str:
    """A peer that can run here."""
    if why := contender(request.param).missing():
        pytest.skip(f"{request.param}: {why}")
    return str(request.param)


def test_every_viewer_gets_every_record_in_order(name: str, engine: Engine) -> None:
    """Fifty viewers, and what the peer is given of two thousand records."""
    run = burst(contender(name), engine, Sizes(crowd=50, burst=2000))
    assert {fault: run[fault] for fault in FAULTS} == dict.fromkeys(FAULTS, 0)


def test_a_publisher_that_is_killed_leaves_no_process_behind(name: str, engine: Engine) -> None:
    """It would take part in every later measurement."""
    with contender(name).serving(engine) as served:
        with publishing(Publishing(name, served.feed, ["run-1"], 0)) as worker:
            helpers = psutil.Process(worker.pid).children(recursive=True)
        until(lambda: not any(map(lives, helpers)), f"{helpers} have ended", 5)


def lives(process: psutil.Process) -> bool:
    """Say whether a process still does something."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
