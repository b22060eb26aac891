"""Publishing a sealed batch: exactly once, in order, under rising ids, within the limits."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from tests.broker.executions import Execution, batch_of
from tests.conftest import REAL_ENGINES

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import TAG_MODULUS, RecordId, chain
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import decode_frame
from runtail_broker.script import Limits

LATER_MS = 3_600_000


@pytest.fixture
async def execution(nodes: Nodes, execution_id: str) -> Execution:
    execution = Execution(nodes, execution_id)
    await execution.open()
    return execution


async def test_a_stored_batch_is_readable_with_rising_ids_and_seqs(execution: Execution) -> None:
    answer = await execution.publish("a", "b")
    records = (await execution.records())[1:]
    first, second = (RecordId.parse(str(record["id"])) for record in records)
    assert (second, first.n >= 0) == (RecordId(first.ms, first.n + 1), True)
    assert [(r["message"], r["seq"]) for r in records] == [("a", 2), ("b", 3)]
    assert (answer.word, answer.last_batch, answer.last.seq) == ("stored", 1, 3)
    assert records[1]["id"] == str(answer.last.id)


async def test_a_batch_sent_again_is_a_duplicate_and_stores_nothing(execution: Execution) -> None:
    batch = await execution.skip("a")
    stored = await execution.send(batch)
    again = await execution.send(batch)
    assert (again.word, again.last_batch, again.last) == ("duplicate", 1, stored.last)
    assert len(await execution.records()) == 2


async def test_a_batch_after_a_missing_one_is_answered_behind(execution: Execution) -> None:
    await execution.publish("a")
    await execution.skip("b")
    answer = await execution.publish("c")
    assert (answer.word, answer.last_batch) == ("behind", 1)
    assert [r.get("message") for r in await execution.records()] == [None, "a"]


async def test_who_never_opened_cannot_publish(execution: Execution) -> None:
    assert (await execution.publish("a", publisher="stranger")).word == "unopened"
    assert len(await execution.records()) == 1


async def test_publishing_to_nothing_is_unknown(nodes: Nodes, execution_id: str) -> None:
    execution = Execution(nodes, execution_id)
    answer = await execution.publish("a")
    assert (answer.word, answer.last.seq, answer.epoch) == ("unknown", 0, 0)
    assert await execution.entries() == []


async def test_a_declared_hole_becomes_a_record_with_its_exact_count(execution: Execution) -> None:
    await execution.publish("a")
    await execution.skip("b", "c")
    await execution.skip("d")
    batch = await execution.skip("e")
    assert (await execution.send(batch, hole_after=1)).word == "stored"
    _, _, lost, stored = await execution.records()
    assert (lost["kind"], lost["lost"], lost["publisher"], lost["seq"]) == ("lost", 3, "p1", 3)
    assert (stored["message"], stored["seq"]) == ("e", 4)
    assert (await execution.state())["dropped"] == "3"


async def test_a_hole_counts_what_a_lost_record_in_it_stands_for(execution: Execution) -> None:
    """Its publisher dropped 20 records there, and then the record that said so was lost too."""
    told = replace(await execution.skip("20 were dropped"), stands_for=20, marks=1)
    batch = replace(await execution.skip("e"), before=told.before + 20)
    assert (await execution.send(batch, hole_after=0)).word == "stored"
    _, lost, _ = await execution.records()
    assert lost["lost"] == 20


async def test_after_a_lost_record_a_hole_is_counted_from_what_it_stands_for(
    execution: Execution,
) -> None:
    told = replace(await execution.skip("20 were dropped"), stands_for=20, marks=1)
    await execution.send(told)
    await execution.skip("b")
    batch = replace(await execution.skip("c"), before=told.before + 21)
    assert (await execution.send(batch, hole_after=1)).word == "stored"
    _, _, lost, _ = await execution.records()
    assert lost["lost"] == 1


async def test_a_hole_that_was_filled_meanwhile_is_not_declared(execution: Execution) -> None:
    await execution.publish("a")
    filling = await execution.skip("b")
    await execution.skip("c")
    batch = await execution.skip("d")
    await execution.send(filling)
    answer = await execution.send(batch, hole_after=1)
    assert (answer.word, answer.last_batch) == ("behind", 2)
    assert [r.get("message") for r in await execution.records()] == [None, "a", "b"]


async def test_a_hole_without_records_is_not_told(execution: Execution) -> None:
    batch = replace(await execution.skip("a"), number=5)
    assert (await execution.send(batch, hole_after=0)).word == "stored"
    assert [r.get("kind") for r in await execution.records()] == ["status", None]


async def test_a_batch_after_a_declared_hole_is_stored_once(execution: Execution) -> None:
    await execution.skip("a")
    batch = await execution.skip("b")
    await execution.send(batch, hole_after=0)
    assert (await execution.send(batch, hole_after=0)).word == "duplicate"
    assert len(await execution.records()) == 3


async def test_ids_rise_though_the_clock_stepped_back(execution: Execution) -> None:
    ahead = int(time.time() * 1000) + LATER_MS
    await execution.set_state(ms=ahead, n=7)
    first = (await execution.publish("a", "b")).last
    second = (await execution.publish("c")).last
    assert (first.id, second.id) == (RecordId(ahead, 9), RecordId(ahead, 10))
    ids = [RecordId.parse(str(r["id"])) for r in await execution.records()]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("before", [0, 1, TAG_MODULUS - 1])
@pytest.mark.parametrize("random", [0, TAG_MODULUS - 1])
async def test_the_script_chains_tags_exactly_as_python_does(
    execution: Execution, before: int, random: int
) -> None:
    await execution.set_state(tag=before, ms=99_999_999_999_999, n=999_999_999_999)
    batch = replace(await execution.skip("a"), random=random)
    answer = await execution.send(batch)
    assert answer.last.tag == chain(before, random, answer.last.id)


async def test_each_frame_names_the_tag_of_the_one_before(execution: Execution) -> None:
    for text in "abcd":
        await execution.publish(text, text)
    entries = await execution.entries()
    assert [e.before for e in entries[1:]] == [e.tag for e in entries[:-1]]
    assert [e.seq for e in entries[1:]] == [e.last_seq + 1 for e in entries[:-1]]


async def test_retention_by_records_keeps_exactly_what_fits(execution: Execution) -> None:
    await execution.set_state(max_records=10)
    for _ in range(10):
        await execution.publish("a", "b", "c")
    entries, state = await execution.entries(), await execution.state()
    assert [e.count for e in entries] == [3, 3, 3]
    assert (state["records"], state["first"], state["seq"]) == ("9", "23", "31")
    assert int(state["bytes"]) == sum(len(e.frame) for e in entries)


async def test_retention_by_bytes_keeps_exactly_what_fits(execution: Execution) -> None:
    await execution.publish("x" * 100)
    size = len((await execution.entries())[-1].frame)
    await execution.set_state(max_bytes=4 * size + size // 2)
    for _ in range(9):
        await execution.publish("x" * 100)
    entries, state = await execution.entries(), await execution.state()
    assert len(entries) == 4
    assert int(state["bytes"]) == sum(len(e.frame) for e in entries)
    assert int(state["first"]) == entries[0].seq == 8


async def test_the_last_frame_is_never_dropped(execution: Execution) -> None:
    await execution.set_state(max_records=1, max_bytes=1)
    await execution.publish("a", "b", "c")
    (entry,) = await execution.entries()
    state = await execution.state()
    assert (entry.seq, state["first"], state["records"]) == (2, "2", "3")


async def test_one_call_drops_a_few_frames_and_later_ones_catch_up(execution: Execution) -> None:
    for _ in range(100):
        await execution.publish("a")
    await execution.set_state(max_records=10)
    await execution.publish("a")
    assert len(await execution.entries()) == 102 - 64
    await execution.publish("a")
    assert len(await execution.entries()) == 10


async def test_a_stream_that_was_evicted_says_what_is_gone(execution: Execution) -> None:
    await execution.publish("a", "b")
    await execution.remove(execution.keys.stream)
    await execution.publish("c")
    (entry,) = await execution.entries()
    state = await execution.state()
    assert (entry.seq, state["first"], state["records"]) == (4, "4", "1")
    assert int(state["bytes"]) == len(entry.frame)


async def test_the_state_counts_levels_bytes_and_progress(execution: Execution) -> None:
    for level, count in {"debug": 1, "info": 2, "warning": 3, "error": 4}.items():
        await execution.publish(*["a"] * count, level=level)
    sent = replace(await execution.skip("b"), progress="0.5", stands_for=7)
    await execution.send(sent)
    state = await execution.state()
    counted = [state[name] for name in ("debug", "info", "warning", "error", "dropped", "progress")]
    assert counted == ["1", "3", "3", "4", "7", "0.5"]
    raw = sum(len(r) for e in (await execution.entries())[1:] for r in decode_frame(e.frame))
    assert int(state["raw"]) == raw


async def test_the_live_message_is_the_stream_entry(execution: Execution) -> None:
    node = await execution.nodes.node_of(execution.id)
    async with node.pubsub() as listener:
        await listener.execute_command("SSUBSCRIBE", execution.keys.live)
        answer = await execution.publish("a\nb", "c" * 2000)
        while (reply := await listener.parse_response(timeout=5))[0] != b"smessage":
            assert reply[0] == b"ssubscribe"
    (entry,) = [e for e in await execution.entries() if e.end == answer.last]
    assert Entry.from_live(reply[2]) == entry


@pytest.mark.parametrize("engine", REAL_ENGINES, indirect=True)
async def test_a_right_to_publish_that_is_missing_fails_no_append(execution: Execution) -> None:
    node = await execution.nodes.node_of(execution.id)
    await node.execute_command(
        "ACL", "SETUSER", "mute", "reset", "on", "nopass", "allkeys", "+@all"
    )  # no channel is allowed
    pool = node.connection_pool
    mute = type(node).from_pool(
        type(pool)(
            connection_class=pool.connection_class,
            **pool.connection_kwargs | {"username": "mute", "password": "x"},
        )
    )
    try:
        quiet = Execution(Nodes(mute), execution.id)
        answer = await quiet.send(batch_of(execution.id, 1, ["a"]))
        assert (answer.word, answer.last.seq) == ("stored", 2)
        assert len(await execution.records()) == 2
    finally:
        await mute.aclose()
        await node.execute_command("ACL", "DELUSER", "mute")


async def test_limits_of_the_opening_bound_what_is_kept(nodes: Nodes, execution_id: str) -> None:
    execution = Execution(nodes, execution_id)
    await execution.open(limits=Limits(max_records=3))
    for text in "abcdef":
        await execution.publish(text)
    assert [r.get("message") for r in await execution.records()] == ["d", "e", "f"]
