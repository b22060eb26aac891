"""An engine at its `maxmemory` refuses what takes more, and not what makes it less full."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.broker.executions import Execution
from tests.broker.shelf import end, ended, messages, shelf_in

from runtail_broker.claim import Claim
from runtail_broker.connections.client import Nodes
from runtail_broker.errors import EngineRefused
from runtail_broker.executions import Executions
from runtail_broker.script import delete_call, give_up_call, mark_call, note_call

REDIS = pytest.param("redis", marks=pytest.mark.redis_server)
both = pytest.mark.parametrize("engine", ["embedded", REDIS], indirect=True)
embedded = pytest.mark.parametrize("engine", ["embedded"], indirect=True)


@asynccontextmanager
async def full(nodes: Nodes) -> AsyncIterator[None]:
    """Let the engine be full for a while."""
    (shard,) = await nodes.shards()
    await shard.node.config_set("maxmemory", "1")
    try:
        yield
    finally:
        await shard.node.config_set("maxmemory", "0")


@both
async def test_an_execution_is_removed(nodes: Nodes) -> None:
    execution = await ended(nodes, "run")
    async with full(nodes):
        with pytest.raises(EngineRefused):
            await execution.publish("more")
        call = delete_call("run", force=False, remembered_seconds=60)
        assert (await nodes.run(call)).word == "deleted"
        assert await execution.state() == {}


@embedded
async def test_an_execution_is_archived_and_its_stream_removed(
    nodes: Nodes, tmp_path: Path
) -> None:
    """Redis 7.0 does not let transactions read then, so there it waits until others are removed."""
    execution, shelf = await ended(nodes, "run"), shelf_in(nodes, tmp_path)
    told = await messages(shelf, "run")
    await nodes.run(note_call("run", "", b'{"id": "n", "seq": 1, "text": "look"}', "key:1", 9))
    async with full(nodes):
        await shelf.archiving.archive("run")
        await shelf.archiving.archive_notes("run")
        await shelf.archiving.release("run", 0)
        assert await execution.entries() == []
    assert await messages(shelf, "run") == told


@both
async def test_an_execution_ends(nodes: Nodes) -> None:
    """Only what has ended makes room; what its worker has to say is stored before."""
    execution = Execution(nodes, "run")
    await execution.open()
    async with full(nodes):
        await end(execution)
        assert (await execution.state())["status"] == "completed"


@both
async def test_an_execution_whose_worker_is_gone_fails_and_ends(nodes: Nodes) -> None:
    execution = Execution(nodes, "run")
    await execution.open()
    (publisher,) = await Executions(nodes).publishers("run")
    await nodes.run(mark_call("run", publisher.id, publisher.entry, "silent"))
    (publisher,) = await Executions(nodes).publishers("run")
    state = await execution.state()
    seen, who = f"{state['epoch']} {state['seq']}", [(publisher.id, publisher.entry)]
    async with full(nodes):
        assert (await nodes.run(give_up_call("run", seen, who, "worker lost"))).word == "failed"
        assert (await execution.finish()).word == "ended"


@both
async def test_one_process_takes_the_work_keeps_it_and_gives_it_back(nodes: Nodes) -> None:
    one, other = Claim(nodes, "work", 60), Claim(nodes, "work", 60)
    async with full(nodes):
        assert await one.hold()
        assert await one.hold()
        assert not await other.hold()
        await one.release()
        assert await other.hold()
