"""Whether somebody who has an execution open listens for a wish to cancel."""

from __future__ import annotations

import pytest
from tests.broker.executions import Execution

from runtail_broker.connections.client import Nodes
from runtail_broker.executions import Executions
from runtail_broker.script import Limits, beat_call, give_up_call, mark_call, open_call


@pytest.fixture
def execution(nodes: Nodes, execution_id: str) -> Execution:
    return Execution(nodes, execution_id)


async def is_cancellable(execution: Execution) -> bool:
    state = await Executions(execution.nodes).state(execution.id)
    assert state is not None
    return state.cancellable


async def opens(execution: Execution, publisher: str, *, listens: bool) -> None:
    role = "owner" if publisher == "p1" else "participant"
    call = open_call(execution.id, publisher, role, "wf", Limits(), listens=listens)
    await execution.nodes.run(call)


async def beats(execution: Execution, publisher: str, beat: int, *, listens: bool) -> None:
    call = beat_call(execution.id, publisher, 0, beat, listens=listens)
    assert (await execution.nodes.run(call)).word == "alive"


async def test_who_says_so_at_the_opening_or_by_a_beat_makes_it_cancellable(
    execution: Execution,
) -> None:
    await opens(execution, "p1", listens=False)
    assert not await is_cancellable(execution)
    await beats(execution, "p1", 1, listens=True)
    assert await is_cancellable(execution)
    await beats(execution, "p1", 2, listens=False)
    assert not await is_cancellable(execution)
    await opens(execution, "p1", listens=True)
    assert await is_cancellable(execution)


async def test_it_stays_so_until_the_last_who_listens_has_left(execution: Execution) -> None:
    await opens(execution, "p1", listens=True)
    await opens(execution, "p2", listens=True)
    await opens(execution, "p3", listens=False)
    await execution.close(publisher="p2")
    await execution.close(publisher="p2")
    assert await is_cancellable(execution)
    await execution.close("", publisher="p1")
    assert not await is_cancellable(execution)
    await opens(execution, "p2", listens=True)
    assert await is_cancellable(execution)


async def test_what_is_over_cannot_be_cancelled(execution: Execution) -> None:
    await opens(execution, "p1", listens=True)
    await execution.close("completed", explicit=True)
    await opens(execution, "p2", listens=True)
    assert not await is_cancellable(execution)


async def test_who_was_given_up_listens_no_more_until_it_speaks(execution: Execution) -> None:
    await opens(execution, "p1", listens=True)
    (publisher,) = await Executions(execution.nodes).publishers(execution.id)
    await execution.nodes.run(mark_call(execution.id, "p1", publisher.entry, "silent"))
    (lost,) = await Executions(execution.nodes).publishers(execution.id)
    assert lost.lost
    await execution.nodes.run(give_up_call(execution.id, "", [("p1", lost.entry)], "silent"))
    assert not await is_cancellable(execution)
    await beats(execution, "p1", 1, listens=True)
    assert await is_cancellable(execution)


async def test_a_state_made_anew_around_its_publishers_knows_who_listens(
    execution: Execution,
) -> None:
    await opens(execution, "p1", listens=True)
    await opens(execution, "p2", listens=False)
    await execution.nodes.at(execution.keys.state, lambda n: n.delete(execution.keys.state))
    await opens(execution, "p3", listens=False)
    assert await is_cancellable(execution)
    await execution.close(publisher="p1")
    assert not await is_cancellable(execution)
