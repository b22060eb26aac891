"""Reading a stream: pages that are proved, both ways, and any record found in a few reads."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from redis.asyncio import Redis
from tests.broker.executions import Execution, batch_of
from tests.conftest import REAL_ENGINES

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START, Cursor, RecordId, start_of
from runtail_broker.errors import ExecutionNotFound
from runtail_broker.proof import Continues, Diverged, Gap
from runtail_broker.script import Limits, publish_call
from runtail_broker.stream import StreamReader

T = TypeVar("T")
FUTURE_MS = 10_000_000_000_000
FOR_EVER = Limits(max_age_seconds=0)  # whatever time passes between two records
MOST_READS = 30


class CountingNodes(Nodes):
    """Nodes that count how often they are asked."""

    reads = 0

    async def at(self, key: str, act: Callable[[Redis], Awaitable[T]]) -> T:
        self.reads += 1
        answer: T = await super().at(key, act)
        return answer


@pytest.fixture
async def execution(nodes: Nodes, execution_id: str) -> Execution:
    """An execution with the records 1 (status), 2 to 4, 5 to 7 … 29 to 31."""
    execution = Execution(nodes, execution_id)
    await execution.open()
    for i in range(10):
        await execution.publish(f"{i}a", f"{i}b", f"{i}c")
    return execution


@pytest.fixture
def reader(nodes: Nodes) -> StreamReader:
    return StreamReader(nodes)


async def cursor_of(execution: Execution, seq: int) -> Cursor:
    (entry,) = [e for e in await execution.entries() if e.seq <= seq <= e.last_seq]
    return entry.cursor_at(seq)


async def test_pages_forward_hold_every_record_once(
    execution: Execution, reader: StreamReader
) -> None:
    cursor, seqs = START, []
    while True:
        verdict, _ = await reader.after(execution.id, cursor, entries=3)
        assert isinstance(verdict, Continues)
        if not verdict.entries:
            break
        seqs += [s for e in verdict.entries for s in range(e.seq, e.last_seq + 1)]
        cursor = verdict.entries[-1].end
    assert seqs == list(range(1, 32))


async def test_the_start_is_named_with_its_epoch(
    execution: Execution, reader: StreamReader
) -> None:
    verdict, bounds = await reader.after(execution.id, START)
    assert isinstance(verdict, Continues)
    assert bounds.epoch is not None
    assert verdict.cursor == start_of(bounds.epoch)


@pytest.mark.parametrize("seq", range(5, 9))
async def test_a_cursor_inside_a_frame_says_how_much_of_it_to_skip(
    execution: Execution, reader: StreamReader, seq: int
) -> None:
    verdict, _ = await reader.after(execution.id, await cursor_of(execution, seq))
    assert isinstance(verdict, Continues)
    assert verdict.entries[0].seq + verdict.skip == seq + 1


async def test_pages_backward_hold_every_record_once(
    execution: Execution, reader: StreamReader
) -> None:
    holder = (await execution.entries())[-1]
    page = await reader.ending(execution.id, holder, entries=3)
    seqs: list[int] = []
    while page:
        assert page[-1].last_seq == (seqs[0] - 1 if seqs else 31)
        seqs[:0] = [s for e in page for s in range(e.seq, e.last_seq + 1)]
        page = await reader.before(execution.id, page[0], entries=3)
    assert seqs == list(range(1, 32))


async def test_a_page_backward_ends_with_the_frame_it_was_asked_for(
    execution: Execution, reader: StreamReader
) -> None:
    holder = await reader.find(execution.id, 6)
    assert holder is not None
    page = await reader.ending(execution.id, holder, entries=2)
    assert [(e.seq, e.last_seq) for e in page] == [(2, 4), (5, 7)]


async def test_nothing_lies_before_the_first_frame_kept(
    execution: Execution, reader: StreamReader
) -> None:
    await execution.set_state(max_records=6)
    await execution.publish("x")
    first = (await execution.entries())[0]
    assert first.seq > 20
    assert await reader.before(execution.id, first, entries=3) == []


async def test_a_page_backward_never_walks_into_another_history(
    execution: Execution, reader: StreamReader
) -> None:
    follower = (await execution.entries())[5]
    other = follower._replace(before=follower.before ^ 1)
    assert await reader.before(execution.id, follower, entries=3) != []
    assert await reader.before(execution.id, other, entries=3) == []


async def test_the_start_of_every_frame_is_a_place_that_is_proved(
    execution: Execution, reader: StreamReader
) -> None:
    for entry in await execution.entries():
        verdict, _ = await reader.after(execution.id, entry.start, entries=2)
        assert isinstance(verdict, Continues)
        assert (verdict.entries[0], verdict.skip) == (entry, 0)


async def test_every_record_is_found_in_its_frame(
    execution: Execution, reader: StreamReader
) -> None:
    for seq in range(1, 32):
        holder = await reader.find(execution.id, seq)
        assert holder is not None
        assert holder.seq <= seq <= holder.last_seq


async def test_what_was_trimmed_finds_the_first_record_kept(
    execution: Execution, reader: StreamReader
) -> None:
    await execution.set_state(max_records=6)
    await execution.publish("x")
    first = (await execution.entries())[0]
    assert await reader.find(execution.id, 3) == first


async def test_nothing_is_found_beyond_the_end(execution: Execution, reader: StreamReader) -> None:
    assert await reader.find(execution.id, 32) is None


async def test_finding_in_an_unknown_execution_says_so(nodes: Nodes) -> None:
    with pytest.raises(ExecutionNotFound) as caught:
        await StreamReader(nodes).find("nobody", 1)
    assert caught.value.execution_id == "nobody"


async def test_cursor_at_names_the_place_after_a_record(
    execution: Execution, reader: StreamReader
) -> None:
    for seq in (1, 2, 3, 4, 31):
        assert await reader.cursor_at(execution.id, seq) == await cursor_of(execution, seq)


async def test_cursor_at_stays_within_the_stream(
    execution: Execution, reader: StreamReader
) -> None:
    bounds = await reader.bounds(execution.id)
    assert bounds.epoch is not None
    assert await reader.cursor_at(execution.id, 0) == start_of(bounds.epoch)
    assert await reader.cursor_at(execution.id, 500) == bounds.last


async def test_a_trimmed_cursor_gets_a_gap_with_the_exact_count(
    execution: Execution, reader: StreamReader
) -> None:
    cursor = await cursor_of(execution, 6)
    await execution.set_state(max_records=6)
    await execution.publish("x")
    first = (await execution.entries())[0].seq
    verdict, _ = await reader.after(execution.id, cursor)
    assert isinstance(verdict, Gap)
    told = (verdict.after_seq, verdict.before_seq, verdict.lost, verdict.proved)
    assert told == (6, first, first - 7, False)
    assert verdict.entries[0].seq == first


async def test_a_trimmed_start_gets_a_proved_gap(
    execution: Execution, reader: StreamReader
) -> None:
    await execution.set_state(max_records=6)
    await execution.publish("x")
    first = (await execution.entries())[0].seq
    verdict, _ = await reader.after(execution.id, START)
    assert isinstance(verdict, Gap)
    assert (verdict.after_seq, verdict.lost, verdict.proved) == (0, first - 1, True)


async def test_a_cursor_just_before_the_first_record_kept_has_no_gap(
    execution: Execution, reader: StreamReader
) -> None:
    entries = await execution.entries()
    await execution.set_state(max_records=6)
    await execution.publish("x")
    first = (await execution.entries())[0]
    (before,) = [entry.end for entry in entries if entry.last_seq == first.seq - 1]
    verdict, _ = await reader.after(execution.id, before)
    assert isinstance(verdict, Continues)
    assert (verdict.entries[0], verdict.skip) == (first, 0)


async def test_an_evicted_stream_is_a_gap_up_to_what_comes_next(
    execution: Execution, reader: StreamReader
) -> None:
    cursor = await cursor_of(execution, 6)
    await execution.remove(execution.keys.stream)
    verdict, _ = await reader.after(execution.id, cursor)
    assert isinstance(verdict, Gap)
    assert (verdict.lost, verdict.reason, verdict.entries) == (25, "removed", ())
    await execution.publish("x")
    for place, lost in ((cursor, 25), (START, 31)):
        verdict, _ = await reader.after(execution.id, place)
        assert isinstance(verdict, Gap)
        assert (verdict.lost, verdict.before_seq) == (lost, 32)


@pytest.mark.parametrize("seq", [1, 4, 6, 31])
async def test_another_tag_is_another_history(
    execution: Execution, reader: StreamReader, seq: int
) -> None:
    cursor = await cursor_of(execution, seq)
    other = Cursor(cursor.id, cursor.seq, (cursor.tag or 0) ^ 1)
    verdict, _ = await reader.after(execution.id, other)
    assert verdict == Diverged("another history")


async def test_a_cursor_beyond_the_end_is_of_another_history(
    execution: Execution, reader: StreamReader
) -> None:
    verdict, _ = await reader.after(execution.id, Cursor(RecordId(FUTURE_MS, 0), 40, 7))
    assert verdict == Diverged("beyond the end")


async def test_the_start_of_another_epoch_is_refused(
    execution: Execution, reader: StreamReader
) -> None:
    verdict, bounds = await reader.after(execution.id, start_of(1))
    assert verdict == Diverged("another epoch")
    assert bounds.epoch != 1


async def test_an_unknown_execution_continues_only_the_open_start(nodes: Nodes) -> None:
    reader = StreamReader(nodes)
    verdict, bounds = await reader.after("nobody", START)
    assert (verdict, bounds.epoch) == (Continues(START, ()), None)
    for cursor in (start_of(3), Cursor(RecordId(1, 0), 1, 1), Cursor(RecordId(1, 0), None, None)):
        assert (await reader.after("nobody", cursor))[0] == Diverged("unknown execution")


async def test_resuming_goes_back_to_the_newest_cursor_that_is_proved(
    execution: Execution, reader: StreamReader
) -> None:
    wrong = [Cursor(RecordId(FUTURE_MS, n), n, n) for n in (50, 40)]
    right = [await cursor_of(execution, seq) for seq in (20, 10)]
    verdict, _ = await reader.resume(execution.id, wrong + right)
    assert isinstance(verdict, Continues)
    assert verdict.cursor == right[0]


async def test_resuming_takes_an_older_cursor_only_if_it_is_proved(
    execution: Execution, reader: StreamReader
) -> None:
    wrong = Cursor(RecordId(FUTURE_MS, 50), 50, 50)
    trimmed = await cursor_of(execution, 6)
    await execution.set_state(max_records=6)
    await execution.publish("x")
    assert (await reader.resume(execution.id, [wrong, trimmed]))[0] == Diverged("beyond the end")
    verdict, _ = await reader.resume(execution.id, [wrong, trimmed, START])
    assert isinstance(verdict, Gap)
    assert verdict.after_seq == 0


async def test_a_bare_id_is_placed_by_its_record(
    execution: Execution, reader: StreamReader
) -> None:
    for seq in (2, 6, 7, 31):
        cursor = await cursor_of(execution, seq)
        verdict, _ = await reader.after(execution.id, Cursor(cursor.id, None, None))
        assert isinstance(verdict, Continues)
        assert verdict.cursor == cursor
        if verdict.entries:
            assert verdict.entries[0].seq + verdict.skip == seq + 1
        assert bool(verdict.entries) == (seq < 31)


async def test_a_bare_id_that_was_trimmed_gets_a_gap_of_unknown_size(
    execution: Execution, reader: StreamReader
) -> None:
    cursor = await cursor_of(execution, 6)
    await execution.set_state(max_records=6)
    await execution.publish("x")
    verdict, _ = await reader.after(execution.id, Cursor(cursor.id, None, None))
    assert isinstance(verdict, Gap)
    assert (verdict.lost, verdict.after_seq, verdict.proved) == (None, None, False)


@pytest.mark.parametrize("place", [RecordId(1, 0), RecordId(FUTURE_MS, 0)])
async def test_a_bare_id_of_no_record_is_refused(
    execution: Execution, reader: StreamReader, place: RecordId
) -> None:
    verdict, _ = await reader.after(execution.id, Cursor(place, None, None))
    assert isinstance(verdict, Diverged)


async def counted(execution: Execution, seqs: range | list[int]) -> int:
    """Find *seqs*; return how many reads the hardest took."""
    counting = CountingNodes(await execution.nodes.node_of(execution.id))
    most = 0
    for seq in seqs:
        counting.reads = 0
        holder = await StreamReader(counting).find(execution.id, seq)
        assert holder is not None
        assert holder.seq <= seq <= holder.last_seq
        most = max(most, counting.reads)
    return most


@pytest.mark.parametrize("engine", REAL_ENGINES, indirect=True)
async def test_a_record_is_found_in_few_reads_among_thousands_of_one_millisecond(
    nodes: Nodes, execution_id: str
) -> None:
    execution = Execution(nodes, execution_id)
    await execution.open(limits=FOR_EVER)
    await execution.set_state(ms=FUTURE_MS)
    frames, size = 4000, 3
    batches = (batch_of(execution_id, i + 1, ["x"] * size, before=i * size) for i in range(frames))
    calls = [publish_call(execution_id, "p1", batch) for batch in batches]
    for i in range(0, frames, 500):
        await nodes.run_all(calls[i : i + 500])
    entries = await execution.entries()
    assert len({e.id.ms for e in entries[1:]}) == 1
    last = entries[-1].last_seq
    seqs = [1, 2, 3, 4, last, last - 1, *random.Random(5).sample(range(1, last), 60)]
    most = await counted(execution, seqs)
    assert most <= MOST_READS


GAPS = {
    "years between two bursts": [0] * 30 + [10**11 * 3] + [0] * 30,
    "ever longer gaps": [2**i for i in range(40)],
    "ever shorter gaps": [2**i for i in range(40, 0, -1)],
    "a burst after years": [10**11] * 20 + [0, 1] * 30,
    "even": [60_000] * 60,
}


@pytest.mark.parametrize("engine", ["embedded", "fake"], indirect=True)
@pytest.mark.parametrize("name", GAPS)
async def test_a_record_is_found_in_few_reads_whatever_lies_between(
    nodes: Nodes, execution_id: str, name: str
) -> None:
    execution = Execution(nodes, execution_id)
    await execution.open(limits=FOR_EVER)
    ms = FUTURE_MS
    for gap in GAPS[name]:
        if gap:
            ms += gap
            await execution.set_state(ms=ms, n=0)
        await execution.publish("a", "b")
    last = (await execution.entries())[-1].last_seq
    most = await counted(execution, range(1, last + 1))
    assert most <= MOST_READS
