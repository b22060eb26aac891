"""WebSockets that we did not write: of the package `ws`, and the one that Node brings along."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.gateway.clients.program import program
from tests.gateway.running import Running
from tests.gateway.talking import logs_of
from tests.gateway.worker import Worker

pytestmark = [pytest.mark.node, pytest.mark.full]
_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json", ".npmrc", "reader.mjs")
either = pytest.mark.parametrize("client", ["ws", "builtin"])


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where what the lock file names is installed, beside the reader."""
    folder = tmp_path_factory.mktemp("clients")
    for name in _FILES:
        shutil.copy(_HERE / name, folder / name)
    subprocess.run(["npm", "ci"], cwd=folder, check=True, capture_output=True)
    return folder


def reading(gateway: Running, client: str, execution_id: str) -> list[str]:
    address = gateway.sockets + logs_of(execution_id)
    return ["node", "--experimental-websocket", "reader.mjs", client, address]


def records(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    told = [message for message in messages if message.get("type") == "records"]
    return [record for message in told for record in message["records"]]


@either
async def test_it_reads_history_what_is_live_and_the_end(
    pushing: Running, worker: Worker, installed: Path, client: str
) -> None:
    await worker.open()
    await worker.log_many(batches=20, records=50)
    command = reading(pushing, client, worker.execution_id)
    async with program(*command, cwd=installed) as printed:
        await printed.has(b'"caught_up"')
        await worker.log("live")
        await printed.has(b'"live"')
        await worker.end()
        *messages, closed = map(orjson.loads, await printed.ended())
    assert records(messages) == await worker.stored()
    assert messages[0]["type"] == "hello"
    assert messages[-1]["type"] == "end"
    assert messages[-1]["totals"]["records"] == len(records(messages))
    assert closed == {"closed": 1000}


@either
async def test_it_is_told_why_it_is_refused(pushing: Running, installed: Path, client: str) -> None:
    async with program(*reading(pushing, client, "unknown"), cwd=installed) as printed:
        error, closed = map(orjson.loads, await printed.ended())
    assert (error["type"], error["code"]) == ("error", "not_found")
    assert closed == {"closed": 4404}
