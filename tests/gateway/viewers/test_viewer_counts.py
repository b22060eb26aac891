"""How many watch an execution, over all gateways: told to each, and forgotten with a dead one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.running import PUSHED, Running, running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker
from tests.polling import eventually

from runtail_broker.audience import Audience
from runtail_broker.connections.client import Nodes
from runtail_broker.keys import ExecutionKeys
from runtail_gateway.viewers.viewer_counts import ViewerCounts

OFTEN = {"viewers_seconds": 0.1, "beat_seconds": 17.0}  # changes are told, not only seen by beats


def told(watcher: Watcher) -> int:
    """The number that a viewer was told last."""
    messages: list[dict[str, Any]] = [*watcher.of("hello"), *watcher.of("beat")]
    return int(messages[-1]["viewers"])


@pytest.mark.parametrize("gateway_settings", [OFTEN], indirect=True)
async def test_viewers_at_two_gateways_are_counted_together(
    pushing: Running, worker: Worker, engine_url: str, gateway_settings: Any
) -> None:
    await worker.open()
    async with (
        running(gateway_settings, engine_url, PUSHED) as other,
        pushing.watch(worker.execution_id) as first,
    ):
        await first.caught_up()
        assert told(first) == 1
        async with other.watch(worker.execution_id) as second:
            await second.caught_up()
            assert second.hello["viewers"] == 2
            await first.until(lambda: told(first) == 2, "it is told of the second")
            async with pushing.watch(worker.execution_id) as third:
                await third.caught_up()
                assert third.hello["viewers"] == 3
                await second.until(lambda: told(second) == 3, "it is told of the third")
        await first.until(lambda: told(first) == 1, "it is told that the others left")


async def test_a_viewer_that_waits_for_an_execution_is_counted(pushing: Running) -> None:
    async with pushing.watch("later", "wait=true") as watcher:
        await watcher.until(lambda: watcher.of("hello"), "hello")
        assert watcher.hello["viewers"] == 1


async def test_a_gateway_that_died_counts_until_it_was_silent_for_long(
    engine_nodes: Nodes, execution_id: str
) -> None:
    dead, alive = Audience(engine_nodes, 0.2), Audience(engine_nodes, 60)
    assert await alive.count(execution_id, 2) == 2
    assert await dead.count(execution_id, 7) == 9

    async def forgotten() -> bool:
        return await alive.count(execution_id, 2) == 2

    await eventually(forgotten, "the dead one counts no more")
    key = ExecutionKeys.of(execution_id).viewers
    assert await engine_nodes.at(key, lambda node: node.hlen(key)) == 1


async def test_nothing_is_left_when_nobody_says_anything_any_more(
    engine_nodes: Nodes, execution_id: str
) -> None:
    await Audience(engine_nodes, 0.2).count(execution_id, 7)
    key = ExecutionKeys.of(execution_id).viewers

    async def gone() -> bool:
        return not await engine_nodes.at(key, lambda node: node.exists(key))

    await eventually(gone, "the key is gone")


async def test_a_gateway_that_ends_takes_back_what_it_told(
    engine_nodes: Nodes, execution_id: str
) -> None:
    other = Audience(engine_nodes, keep_seconds=60)
    counts = ViewerCounts(Audience(engine_nodes, 60), lambda _: 3, every_seconds=5)
    assert await counts.greeting(execution_id) == 3
    assert await other.count(execution_id, 1) == 4
    await counts.close()
    assert await other.count(execution_id, 1) == 1


async def test_an_execution_is_counted_again_only_after_a_while_and_if_something_changed(
    engine_nodes: Nodes, execution_id: str
) -> None:
    here = {execution_id: 1}
    counts = ViewerCounts(Audience(engine_nodes, 60), lambda name: here.get(name, 0), 5)
    await counts.greeting(execution_id)
    looked = counts._looked_at[execution_id]
    assert counts.due(looked + 6) == []
    here[execution_id] = 2
    assert counts.of(execution_id) == 2
    assert (counts.due(looked + 4), counts.due(looked + 5)) == ([], [execution_id])
    here.clear()
    await counts.let_go(counts.due(looked + 6))
    assert counts.due(looked + 60) == []
    counts.heard(execution_id)
    assert counts.due(looked + 60) == []
