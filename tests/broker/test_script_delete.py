"""Deleting an execution: nothing of it stays but the word that it was deleted."""

from __future__ import annotations

import pytest
from tests.broker.executions import Execution

from runtail_broker.connections.client import Nodes
from runtail_broker.executions import Executions
from runtail_broker.inventory import Inventory
from runtail_broker.script import Answer, delete_call
from runtail_broker.stream import StreamReader


@pytest.fixture
async def execution(nodes: Nodes, execution_id: str) -> Execution:
    execution = Execution(nodes, execution_id)
    await execution.open()
    await execution.publish("a")
    return execution


async def delete(execution: Execution, *, force: bool = False) -> Answer:
    return await execution.nodes.run(
        delete_call(execution.id, force=force, remembered_seconds=60.0)
    )


async def seen(execution: Execution) -> str:
    """What the execution is now, as whoever removes it saw it."""
    (kept,) = await Inventory(execution.nodes).kept([execution.id])
    return f"- {kept.last_id}" if kept.standing is None else kept.standing.seen


async def delete_seen(execution: Execution, what: str, *publishers: tuple[str, str]) -> str:
    call = delete_call(
        execution.id, force=False, remembered_seconds=60.0, seen=what, publishers=publishers
    )
    return (await execution.nodes.run(call)).word


async def end(execution: Execution) -> None:
    await execution.close("completed")
    assert (await execution.finish()).word == "ended"


async def test_one_that_has_ended_is_removed_with_all_its_keys(execution: Execution) -> None:
    await end(execution)
    assert (await delete(execution)).word == "deleted"
    keys = execution.keys
    kept = [
        await execution.nodes.at(key, lambda n, k=key: n.exists(k))  # type: ignore[misc]
        for key in (*keys.for_scripts, keys.notes, keys.deleted)
    ]
    assert kept == [0, 0, 0, 0, 1]
    assert await StreamReader(execution.nodes).was_deleted(execution.id)


async def test_one_that_may_still_be_written_to_is_removed_only_by_force(
    execution: Execution,
) -> None:
    assert (await delete(execution)).word == "running"
    await execution.close("completed")
    assert (await delete(execution)).word == "running"
    assert len(await execution.records()) == 3
    assert (await delete(execution, force=True)).word == "deleted"
    assert await execution.records() == []


async def test_what_does_not_exist_is_unknown(nodes: Nodes, execution_id: str) -> None:
    execution = Execution(nodes, execution_id)
    assert (await delete(execution)).word == "unknown"
    assert not await StreamReader(nodes).was_deleted(execution_id)


async def test_a_worker_that_leaves_once_more_does_not_create_it_anew(execution: Execution) -> None:
    await end(execution)
    await delete(execution)
    assert (await execution.close("completed")).word == "closed"
    assert (await execution.finish()).word == "already"
    assert await execution.state() == {}


async def test_a_worker_that_goes_on_after_force_opens_it_again(execution: Execution) -> None:
    await delete(execution, force=True)
    assert (await execution.publish("b")).word == "unknown"
    assert (await execution.open()).word == "created"
    assert not await StreamReader(execution.nodes).was_deleted(execution.id)


async def test_one_that_is_still_what_was_seen_is_removed(execution: Execution) -> None:
    await end(execution)
    assert await delete_seen(execution, await seen(execution)) == "deleted"
    assert await execution.state() == {}


async def test_one_that_a_late_worker_opened_or_wrote_to_since_is_not_removed(
    execution: Execution,
) -> None:
    await end(execution)
    before = await seen(execution)
    await execution.open("late", "participant")
    joined = await seen(execution)
    assert await delete_seen(execution, before) == "changed"
    await execution.publish("late words", publisher="late")
    assert await delete_seen(execution, joined) == "changed"
    assert (await execution.records())[-1]["message"] == "late words"


async def test_one_that_was_removed_and_opened_again_is_not_removed(execution: Execution) -> None:
    await end(execution)
    before = await seen(execution)
    await delete(execution)
    await execution.open("another")
    assert await delete_seen(execution, before) == "changed"
    assert (await execution.state())["status"] == "running"


async def test_one_that_runs_is_not_removed_whatever_was_seen(execution: Execution) -> None:
    assert await delete_seen(execution, await seen(execution)) == "running"


async def test_one_whose_open_publisher_has_spoken_since_is_not_removed(
    execution: Execution,
) -> None:
    await end(execution)
    await execution.open("late", "participant")
    entries = {p.id: p.entry for p in await Executions(execution.nodes).publishers(execution.id)}
    before = await seen(execution)
    await execution.beat(0, "late")
    assert await seen(execution) == before
    assert await delete_seen(execution, before, ("late", entries["late"])) == "changed"
    entries = {p.id: p.entry for p in await Executions(execution.nodes).publishers(execution.id)}
    assert await delete_seen(execution, before, ("late", entries["late"])) == "deleted"


async def test_a_stream_without_a_state_is_removed_only_as_it_was_seen(
    execution: Execution,
) -> None:
    await execution.remove(execution.keys.state)
    before = await seen(execution)
    assert await delete_seen(execution, "- 1-1") == "changed"
    assert await delete_seen(execution, before) == "deleted"
    assert await execution.records() == []


async def test_a_stream_that_was_adopted_since_is_not_removed(execution: Execution) -> None:
    await execution.remove(execution.keys.state)
    before = await seen(execution)
    await execution.open("again")
    assert await delete_seen(execution, before) == "changed"
