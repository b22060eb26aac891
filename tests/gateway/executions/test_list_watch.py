"""The watch of the list: what changes comes by itself, to each client once, within a bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis
from tests.gateway.running import Running
from tests.gateway.viewers.test_multiplex import Socket, connected, opened
from tests.gateway.worker import Worker
from tests.polling import a_moment, soon

from runtail import Publisher
from runtail_broker.changes import tell
from runtail_broker.connections.client import Nodes
from runtail_broker.executions import Executions
from runtail_broker.keys import index_of
from runtail_gateway.access.auth import ANYONE, Grant
from runtail_gateway.executions.execution_list import ExecutionFilter
from runtail_gateway.executions.list_watch import Watch

# so rarely that only what is told can be the cause; and as the fallback
told_only = pytest.mark.parametrize("gateway_settings", [{"list_seconds": 600.0}], indirect=True)
untold = pytest.mark.parametrize("gateway_settings", [{"list_seconds": 0.1}], indirect=True)


@dataclass
class Reading:
    """Who watches."""

    grant: Grant


class List:
    """What a client that follows the protocol shows."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    @property
    def shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for message in self._socket.messages:
            if message["type"] == "watching":
                shown = {}
            shown |= {state["id"]: state for state in message.get("executions", ())}
            for name in message.get("removed", ()):
                shown.pop(name, None)
        return shown

    def statuses(self) -> dict[str, str]:
        return {name: state["status"] for name, state in self.shown.items()}

    async def shows(self, statuses: dict[str, str]) -> None:
        await soon(lambda: self.statuses() == statuses, f"shows {statuses}")


async def listed(nodes: Nodes, *names: str) -> list[Worker]:
    """Open executions that are in the index, as the SDK does."""
    for ms, name in enumerate(names, 1):
        key = index_of(name)
        await nodes.at(key, partial(_list, key, name, ms))
    workers = await opened(nodes, *names)
    await tell(nodes, names)
    return workers


@asynccontextmanager
async def watching(gateway: Running, **asked: object) -> AsyncIterator[List]:
    async with connected(gateway) as socket:
        await socket.text('{"type":"unwatch"}')
        await socket._socket.send_json({"type": "watch", **asked})
        await soon(lambda: any(m["type"] == "watching" for m in socket.messages), "it watches")
        yield List(socket)


@told_only
async def test_a_watcher_sees_what_is_there_and_what_comes(
    pushing: Running, engine_nodes: Nodes
) -> None:
    await listed(engine_nodes, "a")
    async with watching(pushing) as client:
        assert client.statuses() == {"a": "running"}
        (worker,) = await listed(engine_nodes, "b")
        await client.shows({"a": "running", "b": "running"})
        await worker.end()
        await tell(engine_nodes, ["b"])
        await client.shows({"a": "running", "b": "completed"})


@untold
async def test_what_was_told_to_nobody_is_found_all_the_same(
    pushing: Running, engine_nodes: Nodes
) -> None:
    async with watching(pushing) as client:
        (worker,) = await listed(engine_nodes, "a")
        await client.shows({"a": "running"})
        await worker.end()
        await client.shows({"a": "completed"})
        for key in (*worker.keys.for_scripts, index_of("a")):
            await engine_nodes.at(key, partial(_delete, key))
        await client.shows({})


@told_only
async def test_a_cut_live_link_loses_nothing(pushing: Running, engine_nodes: Nodes) -> None:
    async with watching(pushing) as client:
        (shard,) = await engine_nodes.shards()
        await shard.node.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await listed(engine_nodes, "a")  # nobody hears it: the fresh subscription makes it look
        await client.shows({"a": "running"})


@told_only
async def test_a_watch_of_a_status_drops_what_has_another_now(
    pushing: Running, engine_nodes: Nodes
) -> None:
    async with watching(pushing, status="running") as client:
        worker, _ = await listed(engine_nodes, "a", "b")
        await client.shows({"a": "running", "b": "running"})
        await worker.end()
        await tell(engine_nodes, ["a"])
        await client.shows({"b": "running"})


@told_only
async def test_new_records_alone_are_no_change(pushing: Running, engine_nodes: Nodes) -> None:
    async with watching(pushing) as client:
        worker, other = await listed(engine_nodes, "a", "b")
        await client.shows({"a": "running", "b": "running"})
        before = client.shown["a"]
        await worker.log("one more")
        await tell(engine_nodes, ["a"])
        await other.end()
        await tell(engine_nodes, ["b"])
        await client.shows({"a": "running", "b": "completed"})
        assert client.shown["a"] == before


@pytest.mark.parametrize("gateway_settings", [{"list_watchers": 1}], indirect=True)
async def test_one_watch_too_many_is_refused_and_the_socket_goes_on(
    pushing: Running, engine_nodes: Nodes
) -> None:
    await opened(engine_nodes, "a")
    async with watching(pushing), connected(pushing) as socket:
        await socket._socket.send_json({"type": "watch"})
        await soon(lambda: socket.of(None, "error"), "it is refused")
        assert socket.of(None, "error")[0]["code"] == "too_many"
        assert socket.of(None, "error")[0]["watch"] is True
        await socket.say("subscribe", "a")
        await socket.until("a", "caught_up")


@pytest.mark.parametrize("asked", [{"status": "dancing"}, {"limit": 0}, {"limit": "many"}])
async def test_a_watch_that_makes_no_sense_is_refused_with_its_value(
    pushing: Running, asked: dict[str, object]
) -> None:
    async with connected(pushing) as socket:
        await socket._socket.send_json({"type": "watch", **asked})
        await soon(lambda: socket.of(None, "error"), "it is refused")
        assert str(next(iter(asked.values()))) in socket.of(None, "error")[0]["message"]


async def test_a_client_with_more_untold_changes_than_the_bound_begins_anew(
    engine_nodes: Nodes,
) -> None:
    await opened(engine_nodes, "a")
    (state,) = await Executions(engine_nodes).states(["a"])
    watch = Watch(ExecutionFilter(), Reading(ANYONE), most=2)
    for name in "ab":
        watch.note(name, replace(state, id=name))
    changes = await watch.changes()
    assert changes is not None
    assert len(changes["executions"]) == 2  # type: ignore[arg-type]
    for name in "abc":
        watch.note(name, None)
    assert await watch.changes() is None


async def test_nobody_watching_costs_no_subscription(pushing: Running, engine_nodes: Nodes) -> None:
    async def subscribed() -> int:
        (shard,) = await engine_nodes.shards()
        channels = await shard.node.execute_command("PUBSUB", "SHARDCHANNELS", "*:changes")
        return len(channels)

    assert await subscribed() == 0
    async with watching(pushing):
        while await subscribed() != 16:
            await a_moment()
    while await subscribed() != 0:
        await a_moment()


@told_only
async def test_a_worker_tells_by_itself_what_it_begins_does_and_ends(
    pushing: Running, engine_nodes: Nodes, engine_url: str
) -> None:
    async with watching(pushing) as client:
        publisher = Publisher(engine_url)
        with publisher.execution("a", workflow_id="wf") as run:
            await soon(lambda: client.statuses() == {"a": "running"}, "it is seen", seconds=2)
            run.progress(1, 4)
            await soon(lambda: client.shown["a"]["progress"] == 25, "progress is seen", seconds=2)
        await soon(lambda: client.statuses() == {"a": "completed"}, "its end is seen", seconds=2)
        await asyncio.to_thread(publisher.close)


async def _list(key: str, name: str, ms: int, node: Redis) -> None:
    await node.zadd(key, {name: ms}, nx=True)


async def _delete(key: str, node: Redis) -> None:
    await node.delete(key)


async def test_what_a_watcher_may_not_read_is_never_named_to_it(engine_nodes: Nodes) -> None:
    await opened(engine_nodes, "a")
    (state,) = await Executions(engine_nodes).states(["a"])
    narrow = Grant(scopes=frozenset({"read"}), workflows=("mine",))
    watch = Watch(ExecutionFilter(), Reading(narrow), most=9)
    watch.note("theirs", replace(state, id="theirs", workflow_id="theirs"))
    watch.note("theirs", None)
    watch.note("mine", replace(state, id="mine", workflow_id="mine"))
    changes = await watch.changes()
    assert changes is not None
    assert [each["id"] for each in changes["executions"]] == ["mine"]  # type: ignore[attr-defined]
    assert changes["removed"] == []
    watch.note("mine", None)
    assert await watch.changes() == {"executions": [], "removed": ["mine"]}


async def test_of_what_a_page_named_the_removal_is_told(engine_nodes: Nodes) -> None:
    narrow = Grant(scopes=frozenset({"read"}), workflows=("mine",))
    watch = Watch(ExecutionFilter(), Reading(narrow), most=9)
    watch.begin(["shown"])
    watch.note("shown", None)
    watch.note("never shown", None)
    assert await watch.changes() == {"executions": [], "removed": ["shown"]}
