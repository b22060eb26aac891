"""Each command that a README shows in `producers/README.md#the-command` runs as it stands."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.processes import Gateway, gateways
from tests.e2e.test_readme import fenced
from tests.producers.command_runs import Commands

from runtail.command import HELP
from runtail_broker.engines.engine import Engine

ROOT = Path(__file__).parents[2]
(BLOCK,) = [
    text
    for text in fenced(ROOT / "producers/README.md", "sh")
    if "runtail tail build-1 report-1" in text
]
LINES = [line for line in BLOCK.splitlines() if line]
CODES = {"runtail doctor": 1}  # the engine of the tests keeps nothing on disk
OTHERS = {"token", "alerts", "gateway", "demo"}
"""Commands that have sections, and tests, of their own."""


@pytest.fixture
def gateway(place: Path, own_engine: Engine) -> Iterator[Gateway]:
    with gateways(own_engine.url, place, 1) as (gateway,):
        yield gateway


def test_the_readme_shows_every_command() -> None:
    assert {line.split()[1] for line in LINES} == HELP.keys() - OTHERS


@pytest.mark.full
def test_the_commands_of_the_readme_run_in_their_order(
    gateway: Gateway, own_engine: Engine, tmp_path: Path
) -> None:
    env = Commands(own_engine.url, {"RUNTAIL_URL": gateway.http}).env
    for line in LINES:
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=env, capture_output=True, timeout=60
        )
        command = line.partition("#")[0].strip()
        shown = (line, done.stdout.decode(), done.stderr.decode())
        assert done.returncode in (0, CODES.get(command, 0)), shown
        assert done.stdout or "runtail log" in line, line
    assert (tmp_path / "build-1.txt").read_text().count("hello") == 1
