"""The client library, built as it is published, in Node against gateways as they run."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.processes import Gateway, gateways, say, told, worker
from tests.e2e.rows import read_stream
from tests.web import UI, built_client

from runtail import Publisher
from runtail_broker.engines.engine import Engine

pytestmark = pytest.mark.node
SCRIPT = Path(__file__).with_name("watch_with_client.mjs")
RECORDS = 10_000


@contextmanager
def watching(library: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the script; Node 20 has a WebSocket only when it is asked for one."""
    command = ["node", "--experimental-websocket", "--no-warnings", str(SCRIPT), str(library)]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def lines_of(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    return (json.loads(line) for line in process.stdout)


def watch_through_a_death(
    lines: Iterator[dict[str, Any]], gateway: Gateway, owner: subprocess.Popen[str]
) -> list[dict[str, Any]]:
    """Read *lines* to their end; kill the gateway in the middle, and let the run end after that."""
    heard = []
    for line in lines:
        heard.append(line)
        if line.get("seq") == RECORDS // 2:
            gateway.kill()
            gateway.start()
            assert told(owner) == "True 0"
            say(owner)
    return heard


@pytest.mark.parametrize(
    "transport", ["auto", pytest.param("events", marks=pytest.mark.full)], ids=["sockets", "events"]
)
def test_every_record_comes_once_through_a_gateway_that_is_killed(
    place: Path, own_engine: Engine, execution_id: str, transport: str
) -> None:
    """Iterator and store share a page's client; the totals prove that both have everything."""
    library = built_client(place / "client")
    with (
        gateways(own_engine.url, place, 1) as (gateway,),
        worker("owner", own_engine.url, execution_id, RECORDS) as owner,
        watching(library, gateway.http, execution_id, transport) as process,
    ):
        heard = watch_through_a_death(lines_of(process), gateway, owner)
        assert process.wait(10) == 0
    stream = read_stream(own_engine.url, execution_id)
    rows = [line for line in heard if "seq" in line]
    assert [row["seq"] for row in rows] == list(range(1, len(stream) + 1))
    assert [line["type"] for line in heard if "type" in line] == ["end"]
    statuses = [line["status"] for line in heard if "status" in line]
    assert statuses[:2] == ["connecting", "connected"]
    assert statuses.count("connecting") >= 2  # once before, and after the gateway was killed
    assert statuses[-1] == "disconnected"  # it has ended
    (proof,) = [line for line in heard if "completeness" in line]
    assert proof["completeness"] == {"state": "complete", "records": len(stream)}
    assert proof["window"][1] == len(stream)


@pytest.mark.full
def test_the_script_of_its_readme_says_that_a_run_is_complete(
    place: Path, own_engine: Engine, execution_id: str
) -> None:
    """Ten lines that a reader copies; only where the library lies is another."""
    script = re.findall(r"```js\n(.*?)```", (UI / "client" / "README.md").read_text(), re.S)[1]
    library = built_client(place / "client")
    (place / "script.mjs").write_text(script.replace("@runtail/client", str(library)))
    with Publisher(own_engine.url) as publisher, publisher.execution(execution_id) as run:
        run.info("hello")
    with gateways(own_engine.url, place, 1) as (gateway,):
        command = ["node", "--experimental-websocket", "--no-warnings", str(place / "script.mjs")]
        done = subprocess.run(
            [*command, gateway.http, execution_id], capture_output=True, text=True, timeout=30
        )
    expected = ["1 status", "2 hello", "3 status", "4 end", "complete: true"]
    assert (done.stdout.splitlines(), done.stderr) == (expected, "")
