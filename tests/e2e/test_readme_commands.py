"""Each command that a document shows runs as it stands, or is listed with the reason why not.

Where a line names a place of somebody's own (an address, a folder), the test puts its own there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.processes import Gateway, fetch, gateways, status_of
from tests.e2e.test_readme import SNIPPETS, fenced, run
from tests.engines import free_port
from tests.polling import until
from tests.producers.command_runs import Commands

from runtail.command import HELP
from runtail_broker.engines.engine import Engine

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        *ROOT.glob(".github/*.md"),
        *ROOT.glob("deploy/*.md"),
        *(ROOT / name / "README.md" for name in ("broker", "gateway", "producers", "tests/bench")),
        *(ROOT / "gateway/ui" / name / "README.md" for name in ("", "client", "react")),
    ]
)
ELSEWHERE = {  # first line of a block → the test that runs it
    "R=http://127.0.0.1:8000/executions/nightly-7": (
        "gateway/publishing/test_many.py::test_the_guide_for_curl_does_what_it_says"
    ),
    "npm install @runtail/client": (
        "release/test_npm_packages.py::test_a_project_imports_them_and_has_their_types"
    ),
    "pip install runtail": (
        "release/test_installed.py::test_a_worker_gets_no_gateway_and_is_told_what_a_gateway_needs"
    ),
    "python -m runtail_gateway.conformance http://localhost:8000": (
        "gateway/test_conformance.py::test_our_gateway_keeps_the_protocol"
    ),
}
NOT_HERE = {  # first line of a block → why no test runs it
    "cd deploy/compose": "needs a Docker daemon",
    "kubectl create namespace runtail": "needs a cluster",
    "make bench": "takes 20 minutes of the machine for itself; test_guard.py runs parts",
}
HERE = (  # first lines of the blocks that the tests below run
    ".venv/bin/runtail tail nightly-1",
    "export RUNTAIL_AUTH_SECRET=$(openssl rand -base64 48)",
    "curl http://127.0.0.1:8000/executions/try-1/start-streaming",
    "runtail run -- ./build.sh --release",
    "runtail run --id build-1 -- echo hello",
    "runtail capacity --executions 200",
    "curl -s http://GATEWAY:8000/readyz",
    "make demo",
)
FAILING = {"runtail doctor": 1}  # the engine of the tests keeps nothing on disk
SILENT = ("runtail log", "runtail archive")
OTHERS = {"token", "alerts", "gateway", "demo"}
"""Commands that have sections, and tests, of their own."""
PROGRAMS = ("bash", "sh", "echo", "cat", "curl", "openssl", "make", "grep", "sed", "expand")
"""What a plain machine has: neither node nor redis-server is among them."""


def blocks() -> Iterator[str]:
    for document in DOCUMENTS:
        yield from fenced(document, "sh")


def block(first: str) -> str:
    """Find the block that begins with *first*."""
    (found,) = {text for text in blocks() if text.startswith(first)}
    return found


def lines_of(first: str) -> list[str]:
    return [line for line in block(first).splitlines() if line]


@pytest.fixture
def gateway(place: Path, own_engine: Engine) -> Iterator[Gateway]:
    with gateways(own_engine.url, place, 1) as (gateway,):
        yield gateway


@pytest.fixture
def plain(own_engine: Engine, gateway: Gateway, place: Path) -> dict[str, str]:
    """The environment of a person on a plain machine, beside a gateway."""
    programs = place / "programs"
    programs.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        assert found, f"{name} is not on PATH"
        (programs / name).symlink_to(found)
    env = Commands(own_engine.url, {"RUNTAIL_URL": gateway.http}).env
    return env | {"PATH": f"{env['PATH'].split(':')[0]}:{programs}"}


def ran(script: str, env: dict[str, str], place: Path) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("bash") or "bash", "-ec", script]
    return subprocess.run(
        command, cwd=place, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def said(script: str, env: dict[str, str], place: Path) -> str:
    """Run *script*, which must end well; return what it wrote."""
    done = ran(script, env, place)
    allowed = FAILING.get(" ".join(script.split()[:2]), 0)
    assert done.returncode in (0, allowed), (script, done.stdout, done.stderr)
    return done.stdout


def test_every_command_of_every_document_is_run_or_has_a_reason() -> None:
    known = (*HERE, *ELSEWHERE, *NOT_HERE)
    for text in blocks():
        fitting = [first for first in known if text.startswith(first)]
        assert len(fitting) == 1, f"{text.splitlines()[0]!r} is known {len(fitting)} times"
    for first in known:
        shown = any(text.startswith(first) for text in blocks())
        assert shown, f"no document shows {first!r} any more"


@pytest.mark.parametrize("test", ELSEWHERE.values())
def test_the_test_that_runs_it_elsewhere_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / "tests" / file).read_text()


def test_the_readme_shows_every_command() -> None:
    shown = {line.split()[1] for line in lines_of("runtail run --id build-1")}
    assert shown == HELP.keys() - OTHERS


@pytest.mark.parametrize(
    "target",
    sorted({name for text in blocks() for name in re.findall(r"^make ([a-z-]+)", text, re.M)}),
)
def test_each_make_command_is_one(target: str) -> None:
    """`make test` cannot run itself; that it would do something, make says."""
    done = subprocess.run(
        ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, bool(done.stdout.strip())) == (0, True), done.stderr


@pytest.mark.full
def test_the_commands_of_the_readme_run_in_their_order(plain: dict[str, str], place: Path) -> None:
    (place / "archive").mkdir()
    for line in lines_of("runtail run --id build-1"):
        shown = said(line.replace("/var/lib/runtail/archive", "archive"), plain, place)
        assert shown or line.startswith(SILENT), line
    assert (place / "build-1.txt").read_text().count("hello") == 1


@pytest.mark.full
def test_the_tail_of_the_first_page_follows_the_worker_of_it(
    plain: dict[str, str], place: Path
) -> None:
    run(SNIPPETS["README.md 1"])
    command = block(".venv/bin/runtail tail nightly-1").replace(".venv/bin/", "")
    assert "2 rows had no customer" in said(command, plain, place)


@pytest.mark.full
@pytest.mark.node
def test_programs_in_any_language_become_executions(
    plain: dict[str, str], gateway: Gateway, place: Path
) -> None:
    (place / "build.sh").write_text("#!/bin/sh\necho built $1\n")
    (place / "build.sh").chmod(0o755)
    (place / "etl.js").write_text('console.log(JSON.stringify({message: "loaded", rows: 3}))')
    with_node = plain | {"PATH": f"{plain['PATH']}:{Path(shutil.which('node') or '').parent}"}
    script = block("runtail run -- ./build.sh")
    assert "built --release" in said(script, with_node, place)
    stored = fetch(f"{gateway.http}/executions/nightly-7/logs")["records"]
    assert isinstance(stored, list)
    assert [each["message"] for each in stored if "message" in each][-1] == "checked by hand"


@pytest.mark.full
@pytest.mark.curl
def test_a_definition_from_the_guide_is_tried_out(
    plain: dict[str, str], gateway: Gateway, place: Path
) -> None:
    script = block("curl http://127.0.0.1:8000/executions/try-1")
    said(script.replace("http://127.0.0.1:8000", gateway.http), plain, place)
    state = f"{gateway.http}/executions/try-1"
    until(lambda: status_of(state) == 200 and fetch(state)["workflow_id"] == "orders", "it runs")


@pytest.mark.full
@pytest.mark.curl
def test_what_the_runbook_asks_first_is_answered(
    plain: dict[str, str], gateway: Gateway, place: Path
) -> None:
    *lines, journal = lines_of("curl -s http://GATEWAY")
    assert journal.startswith("journalctl ")  # of a machine with systemd, or docker, or kubectl
    for line in lines:
        assert said(line.replace("http://GATEWAY:8000", gateway.http), plain, place), line


@pytest.mark.full
def test_what_capacity_is_asked_is_answered(plain: dict[str, str], place: Path) -> None:
    assert "gateways" in said(block("runtail capacity"), plain, place)


@pytest.mark.full
def test_a_gateway_of_the_guide_lets_in_who_has_a_token_of_it(
    plain: dict[str, str], own_engine: Engine, place: Path
) -> None:
    port = free_port()
    secret, serve, token = lines_of("export RUNTAIL_AUTH_SECRET")
    serve = serve.replace("redis://…", own_engine.url).replace(
        "0.0.0.0", f"127.0.0.1 --port {port}"
    )
    asked = f"curl -s -o /dev/null -w '%{{http_code}} ' http://127.0.0.1:{port}"
    script = f"""
        {secret}
        {serve} >/dev/null & gateway=$!
        trap 'kill $gateway' EXIT
        {asked}/readyz --retry 20 --retry-connrefused --retry-delay 1
        told=$({token})
        {asked}/executions
        {asked}/executions -H "Authorization: Bearer $told"
    """
    assert said(script, plain, place).split() == ["200", "401", "200"]
