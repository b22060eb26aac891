"""Notes lie beside the log: each once, within a bound, and the log stays as it is."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from tests.broker.executions import Execution

from runtail_broker.connections.client import Nodes
from runtail_broker.executions import Executions
from runtail_broker.notes import Board, Notes
from runtail_broker.script import delete_call, note_call


@pytest.fixture
async def execution(nodes: Nodes, execution_id: str) -> Execution:
    execution = Execution(nodes, execution_id)
    await execution.open()
    return execution


async def keep(
    execution: Execution, text: str, *, note_id: str = "n", seen: str = "", most: int = 9
) -> str:
    json = orjson.dumps({"id": note_id, "text": text}) if text else b""
    call = note_call(execution.id, seen, json, "key:1", most)
    return (await execution.nodes.run(call)).word


async def board(execution: Execution) -> Board:
    return await Notes(execution.nodes).board(execution.id)


async def raw_state(execution: Execution) -> dict[bytes, bytes]:
    key = execution.keys.state
    stored: dict[bytes, bytes] = await execution.nodes.at(key, lambda n: n.hgetall(key))
    return stored


async def test_a_note_is_kept_replaced_and_removed_and_the_state_counts(
    execution: Execution,
) -> None:
    places = [(await board(execution)).place]
    for text, words in (("one", ["one"]), ("two", ["two"]), ("", [])):
        notes = (await board(execution)).notes
        seen = notes["n"].entry if notes else ""
        assert await keep(execution, text, seen=seen) == "noted"
        now = await board(execution)
        assert [note.fields["text"] for note in now.notes.values()] == words
        places.append(now.place)
        state = await Executions(execution.nodes).state(execution.id)
        assert state is not None
        assert state.notes == len(words)
    assert len(set(places)) == 4


async def test_of_two_changes_of_one_note_the_later_is_told_so(execution: Execution) -> None:
    await keep(execution, "one")
    seen = (await board(execution)).notes["n"].entry
    assert await keep(execution, "two", seen=seen) == "noted"
    assert await keep(execution, "three", seen=seen) == "changed"
    assert await keep(execution, "", seen=seen) == "changed"
    assert [n.fields["text"] for n in (await board(execution)).notes.values()] == ["two"]


async def test_one_note_too_many_is_full_and_a_change_is_not(execution: Execution) -> None:
    for number in range(2):
        assert await keep(execution, "x", note_id=f"n{number}", most=2) == "noted"
    assert await keep(execution, "x", note_id="n2", most=2) == "full"
    seen = (await board(execution)).notes["n0"].entry
    assert await keep(execution, "y", note_id="n0", seen=seen, most=2) == "noted"


async def test_notes_change_nothing_of_the_log(execution: Execution) -> None:
    await execution.publish("a")
    await execution.close("completed", explicit=True)
    await execution.finish()
    before, entries = await raw_state(execution), await execution.entries()
    assert await keep(execution, "late") == "noted"
    after = await raw_state(execution)
    assert await execution.entries() == entries
    assert {n: v for n, v in after.items() if before[n] != v}.keys() == {b"notes", b"noted"}
    assert (await execution.finish()).word == "already"


async def test_notes_go_with_their_execution(execution: Execution) -> None:
    await keep(execution, "one")
    call = delete_call(execution.id, force=True, remembered_seconds=60)
    assert (await execution.nodes.run(call)).word == "deleted"
    assert not (await board(execution)).exists
    left: Any = await execution.nodes.at(
        execution.keys.notes, lambda n: n.exists(execution.keys.notes, execution.keys.steps)
    )
    assert left == 0
    assert await keep(execution, "two") == "unknown"


async def test_a_state_made_anew_counts_the_notes_that_are_there(execution: Execution) -> None:
    await keep(execution, "one")
    await execution.nodes.at(execution.keys.state, lambda n: n.delete(execution.keys.state))
    await execution.open()
    state = await Executions(execution.nodes).state(execution.id)
    assert state is not None
    assert state.notes == 1
