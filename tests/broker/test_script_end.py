"""Beating, leaving and ending: the final status, then totals that prove what is stored."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.broker.executions import Execution

from runtail_broker.connections.client import Nodes
from runtail_broker.records.frame import decode_frame
from runtail_broker.script import end_of


@pytest.fixture
async def execution(nodes: Nodes, execution_id: str) -> Execution:
    execution = Execution(nodes, execution_id)
    await execution.open()
    return execution


async def test_a_beat_is_kept_and_answered_alive(execution: Execution) -> None:
    await execution.publish("a")
    assert (await execution.beat(1, beat=42)).word == "alive"
    raw = await execution.nodes.at(
        execution.keys.publishers, lambda n: n.hget(execution.keys.publishers, "p1")
    )
    assert raw is not None
    assert raw.split()[4] == b"42"


async def test_a_beat_finds_out_that_acknowledged_batches_are_gone(execution: Execution) -> None:
    await execution.publish("a")
    answer = await execution.beat(3)
    assert (answer.word, answer.last_batch) == ("behind", 1)


async def test_a_beat_of_who_never_opened_is_unopened(execution: Execution) -> None:
    assert (await execution.beat(0, "stranger")).word == "unopened"


async def test_a_beat_for_nothing_is_unknown(nodes: Nodes, execution_id: str) -> None:
    assert (await Execution(nodes, execution_id).beat(0)).word == "unknown"


async def test_answers_carry_the_cancel_flag(execution: Execution) -> None:
    assert not (await execution.beat(0)).cancel
    await execution.set_state(cancel="1")
    assert (await execution.beat(0)).cancel
    assert (await execution.publish("a")).cancel


async def test_leaving_with_batches_missing_is_answered_behind(execution: Execution) -> None:
    await execution.publish("a")
    await execution.skip("b")
    answer = await execution.close("completed")
    assert (answer.word, answer.last_batch) == ("behind", 1)
    state = await execution.state()
    assert (state["status"], state["open"]) == ("running", "1")


async def test_the_owners_leaving_writes_the_final_status(execution: Execution) -> None:
    assert (await execution.close("failed")).word == "closed"
    state = await execution.state()
    assert (state["status"], state["open"]) == ("failed", "0")
    assert (await execution.records())[-1]["status"] == "failed"


async def test_leaving_twice_writes_one_status(execution: Execution) -> None:
    await execution.close("completed")
    assert (await execution.close("completed")).word == "closed"
    assert len(await execution.records()) == 2
    assert (await execution.state())["open"] == "0"


async def test_a_participants_status_counts_only_as_an_explicit_finish(
    execution: Execution,
) -> None:
    await execution.open("p2", "participant")
    await execution.close("failed", "p2")
    assert (await execution.state())["status"] == "running"
    await execution.close("cancelled", "p2", explicit=True)
    assert (await execution.state())["status"] == "cancelled"


async def test_a_final_status_is_final(execution: Execution) -> None:
    await execution.open("p2", "participant")
    await execution.close("completed")
    await execution.close("failed", "p2", explicit=True)
    await execution.beat(0)
    assert (await execution.state())["status"] == "completed"


async def test_leaving_without_a_status_leaves_it_running(execution: Execution) -> None:
    await execution.close()
    state = await execution.state()
    assert (state["status"], state["open"]) == ("running", "0")


async def test_who_never_opened_cannot_leave(execution: Execution) -> None:
    assert (await execution.close("failed", "stranger", last=0, explicit=True)).word == "unopened"
    assert (await execution.state())["status"] == "running"


async def test_leaving_nothing_is_unknown(nodes: Nodes, execution_id: str) -> None:
    assert (await Execution(nodes, execution_id).close("failed")).word == "unknown"


async def test_a_running_execution_is_not_ended(execution: Execution) -> None:
    assert (await execution.finish()).word == "running"
    assert len(await execution.records()) == 1


async def test_an_execution_that_somebody_has_open_is_not_ended(execution: Execution) -> None:
    await execution.open("p2", "participant")
    await execution.close("completed")
    assert (await execution.finish()).word == "open"
    await execution.close(publisher="p2")
    assert (await execution.finish()).word == "ended"


async def test_ending_nothing_is_unknown(nodes: Nodes, execution_id: str) -> None:
    assert (await Execution(nodes, execution_id).finish()).word == "unknown"


async def test_an_end_is_written_once(execution: Execution) -> None:
    await execution.close("completed")
    assert (await execution.finish()).word == "ended"
    assert (await execution.finish()).word == "already"
    assert [e.is_end for e in await execution.entries()] == [False, False, True]


async def test_a_late_batch_is_followed_by_a_new_end_with_new_totals(execution: Execution) -> None:
    await execution.close("completed")
    await execution.finish()
    assert (await execution.publish("late", level="error")).word == "stored"
    assert (await execution.state())["end"] == ""
    assert (await execution.finish()).word == "ended"
    await assert_totals_tell_what_is_stored(execution)
    assert [e.is_end for e in await execution.entries()] == [False, False, True, False, True]


async def test_totals_tell_what_is_stored(execution: Execution) -> None:
    for level in ("debug", "info", "info", "error"):
        await execution.publish("a", "ü", level=level)
    await execution.skip("x", "y", "z")
    await execution.send(await execution.skip("b"), hole_after=4)
    await execution.close("completed")
    await execution.finish()
    totals = await assert_totals_tell_what_is_stored(execution)
    assert (totals["dropped"], totals["first"]) == (3, 1)


@pytest.mark.parametrize("kept", [1, 2, 3, 4, 5, 6, 7, 8])
async def test_totals_name_the_first_record_kept_whatever_was_dropped(
    execution: Execution, kept: int
) -> None:
    await execution.set_state(max_records=kept)
    for text in "abc":
        await execution.publish(text, text)
    await execution.close("completed")
    await execution.finish()
    _, totals = end_of((await execution.state())["end"].encode())
    entries = await execution.entries()
    assert totals["first"] == entries[0].seq
    assert totals["last"] == entries[-1].last_seq


async def assert_totals_tell_what_is_stored(execution: Execution) -> dict[str, object]:
    entries, records = await execution.entries(), await execution.records()
    (end,) = decode_frame(entries[-1].frame)
    status, totals = end_of(end)
    logs = [r for r in records if "kind" not in r]
    levels = Counter(r["level"] for r in logs)
    assert totals["levels"] == {n: levels[n] for n in ("debug", "info", "warning", "error")}
    assert (totals["last"], totals["records"]) == (records[-1]["seq"], len(records))
    told = [
        json
        for entry in entries
        for json in decode_frame(entry.frame)
        if b'"kind":"status"' not in json and b'"kind":"end"' not in json
    ]
    assert totals["bytes"] == sum(map(len, told))
    state = await execution.state()
    assert (status, end.decode()) == (state["status"], state["end"])
    return totals
