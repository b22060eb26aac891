"""Opening, joining and coming back, on every engine."""

from __future__ import annotations

import pytest
from tests.broker.executions import Execution

from runtail_broker.connections.client import Nodes
from runtail_broker.script import Limits


@pytest.fixture
def execution(nodes: Nodes, execution_id: str) -> Execution:
    return Execution(nodes, execution_id)


async def test_an_owner_creates_the_execution_with_a_status_record(execution: Execution) -> None:
    answer = await execution.open()
    assert (answer.word, answer.status, answer.last.seq) == ("created", "running", 1)
    (record,) = await execution.records()
    assert (record["kind"], record["status"], record["seq"]) == ("status", "running", 1)


async def test_a_participant_creates_what_nobody_opened_yet(execution: Execution) -> None:
    assert (await execution.open(role="participant")).word == "created"
    assert (await execution.state())["owner"] == ""


async def test_a_participant_joins_without_a_new_record(execution: Execution) -> None:
    await execution.open()
    assert (await execution.open("p2", "participant")).word == "joined"
    assert len(await execution.records()) == 1
    assert (await execution.state())["open"] == "2"


async def test_opening_twice_is_answered_again_and_counts_once(execution: Execution) -> None:
    await execution.open()
    await execution.publish("a")
    again = await execution.open()
    assert (again.word, again.last_batch) == ("again", 1)
    assert (await execution.state())["open"] == "1"


async def test_a_publisher_that_left_is_open_again_when_it_comes_back(execution: Execution) -> None:
    await execution.open()
    await execution.close()
    assert (await execution.state())["open"] == "0"
    assert (await execution.open()).word == "again"
    assert (await execution.state())["open"] == "1"


async def test_a_second_owner_of_a_running_execution_takes_it_over(execution: Execution) -> None:
    await execution.open()
    assert (await execution.open("p2")).word == "joined"
    await execution.close("failed")
    assert (await execution.state())["status"] == "running"
    await execution.close("completed", "p2")
    assert (await execution.state())["status"] == "completed"


async def test_a_new_owner_of_a_finished_execution_changes_nothing(execution: Execution) -> None:
    await execution.open()
    await execution.close("completed")
    before = await execution.state()
    assert (await execution.open("p2")).word == "finished"
    assert await execution.state() == before


async def test_a_participant_of_a_finished_execution_is_late(execution: Execution) -> None:
    await execution.open()
    await execution.close("completed")
    assert (await execution.open("p2", "participant")).word == "late"
    assert (await execution.publish("late", publisher="p2")).word == "stored"


async def test_one_publisher_too_many_is_told_full_and_changes_nothing(
    execution: Execution,
) -> None:
    limits = Limits(max_publishers=2)
    await execution.open("p1", limits=limits)
    await execution.open("p2", "participant", limits)
    before = await execution.state()
    assert (await execution.open("p3", "participant", limits)).word == "full"
    assert await execution.state() == before


async def test_publishers_that_left_long_ago_make_room(execution: Execution) -> None:
    limits = Limits(max_publishers=2, publisher_memory_seconds=-1)
    await execution.open("p1", limits=limits)
    await execution.open("p2", "participant", limits)
    await execution.close(publisher="p2")
    assert (await execution.open("p3", "participant", limits)).word == "joined"


async def test_an_open_publisher_never_makes_room(execution: Execution) -> None:
    limits = Limits(max_publishers=1, publisher_memory_seconds=-1)
    await execution.open("p1", limits=limits)
    assert (await execution.open("p2", "participant", limits)).word == "full"


async def test_the_first_frame_chains_to_the_epoch(execution: Execution) -> None:
    answer = await execution.open()
    (entry,) = await execution.entries()
    assert (entry.before, entry.end) == (answer.epoch, answer.last)


async def test_an_emptied_engine_begins_a_new_epoch(execution: Execution) -> None:
    first = await execution.open()
    await execution.remove(*execution.keys.for_scripts)
    second = await execution.open()
    assert second.word == "created"
    assert second.epoch != first.epoch
    assert second.last.seq == 1


async def test_a_stream_that_lost_its_state_goes_on_with_every_record_counted(
    execution: Execution,
) -> None:
    before = await execution.open()
    for text in "abc":
        last = (await execution.publish(text)).last
    await execution.remove(execution.keys.state)
    answer = await execution.open()
    entries = await execution.entries()
    assert (answer.word, answer.epoch, answer.last_batch) == ("created", before.epoch, 3)
    assert (entries[-1].seq, entries[-1].before) == (5, last.tag)
    state = await execution.state()
    assert (state["first"], state["records"], state["open"]) == ("1", "5", "1")


async def test_a_batch_that_the_stream_kept_is_a_duplicate_though_the_state_was_lost(
    execution: Execution,
) -> None:
    await execution.open()
    batch = await execution.skip("a")
    await execution.send(batch)
    await execution.remove(execution.keys.state)
    await execution.open()
    assert (await execution.send(batch)).word == "duplicate"


async def test_a_trimmed_stream_that_lost_its_state_keeps_its_first_seq(
    execution: Execution,
) -> None:
    await execution.open(limits=Limits(max_records=2))
    for text in "abcd":
        await execution.publish(text)
    await execution.remove(execution.keys.state)
    await execution.open()
    entries = await execution.entries()
    assert int((await execution.state())["first"]) == entries[0].seq > 1


async def test_publishers_of_a_stream_that_is_gone_begin_again(execution: Execution) -> None:
    await execution.open()
    await execution.open("p2", "participant")
    await execution.publish("a", publisher="p2")
    await execution.remove(execution.keys.state, execution.keys.stream)
    await execution.open()
    assert (await execution.publish("b", publisher="p2")).word == "unopened"
