"""What `runtail archive restore` gives back to an engine is shown as if nothing had been."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest
from tests.gateway.contract.test_end import assert_complete
from tests.gateway.keeping.test_archive import KEEPING, a_gateway, a_run, answers, archiving, gone
from tests.gateway.notes.test_notes import ask
from tests.polling import eventually

from runtail.command import main
from runtail_broker.connections.client import Nodes


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "archive"


async def test_an_engine_that_lost_all_shows_again_what_was_archived(
    engine_nodes: Nodes, engine_url: str, place: Path
) -> None:
    """Pages, files, live viewers, old cursors, notes and the list, at a gateway that runs on."""
    worker = await a_run(engine_nodes)
    stored, cursor = await worker.stored(), (await worker.entries())[3].end
    async with a_gateway(archiving(place), engine_url) as gateway:
        log = f"{gateway.address}/executions/run"
        status, _ = await ask(gateway, "POST", f"{log}/notes", {"seq": 3, "text": "look"})
        assert status == 201
        before = await answers(gateway, "run")
        await gone(worker)
        await eventually(lambda: _filed(worker.keys.state, engine_nodes), "its notes are archived")
    async with a_gateway(archiving(place, KEEPING), engine_url) as gateway:
        for shard in await engine_nodes.shards():
            await shard.node.flushall()
        every, log = f"{gateway.address}/executions", f"{gateway.address}/executions/run"
        assert (await ask(gateway, "GET", every))[1]["executions"] == []
        words = ["archive", "restore", str(place), "--redis-url", engine_url]
        assert await asyncio.to_thread(main, words) == 0
        assert await answers(gateway, "run") == before
        async with gateway.watch("run", f"after={cursor}") as watcher:
            await watcher.closed()
            assert watcher.records == stored[cursor.number :]
            assert watcher.of("reset") == []
        async with gateway.watch("run") as watcher:
            await watcher.closed()
            assert_complete(watcher)
        (listed,) = (await ask(gateway, "GET", every))[1]["executions"]
        assert (listed["id"], listed["status"], listed["notes"]) == ("run", "completed", 1)
        assert listed["archived_seq"] == listed["last_seq"] == len(stored)
        _, board = await ask(gateway, "GET", f"{log}/notes")
        assert [note["text"] for note in board["notes"]] == ["look"], orjson.dumps(board)


async def _filed(key: str, nodes: Nodes) -> bool:
    noted, filed = await nodes.at(key, lambda node: node.hmget(key, ["noted", "filed"]))
    return bool(noted == filed)
