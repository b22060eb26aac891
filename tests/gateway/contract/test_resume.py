"""Coming back with cursors: exactly on, told what is gone, or told what to drop."""

from __future__ import annotations

import pytest
from tests.gateway.running import Running
from tests.gateway.worker import Worker

from runtail_broker.cursor import Cursor, start_of
from runtail_broker.script import Limits


async def filled(worker: Worker, batches: int = 10, records: int = 10) -> None:
    """Fill an execution: seq 1 is its opening, then come frames of *records*."""
    await worker.open()
    await worker.log_many(batches, records)


@pytest.mark.parametrize("place", [0, 4, 9], ids=["first", "middle", "end"])
async def test_a_cursor_anywhere_in_a_frame_resumes_exactly(
    gateway: Running, worker: Worker, place: int
) -> None:
    await filled(worker)
    entry = (await worker.entries())[4]
    cursor = entry.cursor_at(entry.seq + place)
    async with gateway.watch(worker.execution_id, f"after={cursor}") as watcher:
        await watcher.caught_up()
        assert watcher.hello["cursor"] == str(cursor)
        assert watcher.seqs == list(range(entry.seq + place + 1, 102))
        assert not watcher.gaps
        assert not watcher.of("reset")


async def test_a_viewer_that_comes_and_goes_gets_every_record_once(
    gateway: Running, worker: Worker
) -> None:
    await filled(worker)
    watcher = gateway.watch(worker.execution_id)
    await watcher.connect("")
    for _ in range(6):
        await watcher.until(lambda: watcher.records, "it has something")
        await watcher.leave()
        await worker.log_many(batches=3, records=4)
        await watcher.come_back()
    await watcher.has_all(await worker.stored())
    assert not watcher.of("reset")
    await watcher.leave()


async def test_a_cursor_at_the_end_gets_nothing_but_what_comes(
    gateway: Running, worker: Worker
) -> None:
    await filled(worker)
    last = (await worker.entries())[-1].end
    async with gateway.watch(worker.execution_id, f"after={last}") as watcher:
        await watcher.caught_up()
        assert watcher.records == []
        await worker.log("new")
        await watcher.has(102)
        assert watcher.texts == ["new"]


@pytest.mark.parametrize("seq", [37, 41])
async def test_a_bare_record_id_resumes_after_that_record(
    gateway: Running, worker: Worker, seq: int
) -> None:
    """The 41st record is the last one of its frame."""
    await filled(worker)
    stored = await worker.stored()
    async with gateway.watch(worker.execution_id, f"after={stored[seq - 1]['id']}") as watcher:
        await watcher.has(101)
        assert watcher.records == stored[seq:]


async def test_the_cursor_of_the_very_start_gets_everything_whatever_the_epoch(
    gateway: Running, worker: Worker
) -> None:
    await filled(worker)
    async with gateway.watch(worker.execution_id, "after=0-0:0:-") as watcher:
        await watcher.has_all(await worker.stored())
        assert not watcher.of("reset")


async def test_a_trimmed_cursor_is_told_exactly_how_many_records_are_gone(
    gateway: Running, worker: Worker
) -> None:
    await filled(worker)
    cursor = (await worker.entries())[1].end  # seq 11
    await worker.trim(6)
    async with gateway.watch(worker.execution_id, f"after={cursor}") as watcher:
        await watcher.caught_up()
        (gap,) = watcher.gaps
        assert (gap["after_seq"], gap["before_seq"], gap["lost"]) == (11, 52, 40)
        assert gap["proved"] is False
        assert watcher.records == await worker.stored()


async def test_a_cursor_just_before_what_is_kept_is_told_of_no_gap(
    gateway: Running, worker: Worker
) -> None:
    await filled(worker)
    cursor = (await worker.entries())[5].end
    await worker.trim(6)
    async with gateway.watch(worker.execution_id, f"after={cursor}") as watcher:
        await watcher.caught_up()
        assert not watcher.gaps
        assert watcher.records == await worker.stored()


async def test_from_the_beginning_of_a_trimmed_execution_the_gap_is_proved(
    gateway: Running, worker: Worker
) -> None:
    await worker.open(limits=Limits(max_records=30))
    await worker.log_many(batches=10, records=10)
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        (gap,) = watcher.gaps
        assert (gap["after_seq"], gap["before_seq"], gap["proved"]) == (0, 72, True)
        assert watcher.records == await worker.stored()


async def test_a_viewer_that_was_outrun_by_trimming_while_watching_is_told_and_goes_on(
    gateway: Running, worker: Worker
) -> None:
    await worker.open(limits=Limits(max_records=200))
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        watcher.reading.clear()
        await worker.log_noise(batches=800, records=10, size=2000)
        watcher.reading.set()
        await watcher.has(8001)
        gone = sum(gap["lost"] for gap in watcher.gaps)
        assert gone > 0
        assert gone + len(watcher.records) == 8001


async def test_a_cursor_of_another_history_is_told_to_start_over(
    gateway: Running, worker: Worker
) -> None:
    await filled(worker)
    last = (await worker.entries())[-1].end
    wrong = Cursor(last.id, last.seq, (last.tag or 0) ^ 1)
    async with gateway.watch(worker.execution_id, f"after={wrong}") as watcher:
        await watcher.has_all(await worker.stored())
        (reset,) = watcher.of("reset")
        assert reset["cursor"] == f"0-0:0:{watcher.hello['epoch']}"


async def test_a_cursor_beyond_the_end_is_told_to_start_over(
    gateway: Running, worker: Worker
) -> None:
    await filled(worker)
    last = (await worker.entries())[-1].end
    beyond = Cursor(last.id._replace(ms=last.id.ms + 5), last.number + 5, last.tag)
    async with gateway.watch(worker.execution_id, f"after={beyond}") as watcher:
        await watcher.has_all(await worker.stored())
        (reset,) = watcher.of("reset")
        assert reset["reason"] == "beyond the end"


async def test_the_start_of_another_epoch_is_told_to_start_over(
    gateway: Running, worker: Worker
) -> None:
    await filled(worker)
    async with gateway.watch(worker.execution_id, f"after={start_of(7)}") as watcher:
        await watcher.has_all(await worker.stored())
        assert len(watcher.of("reset")) == 1


async def test_of_several_cursors_the_first_that_can_be_proved_counts(
    gateway: Running, worker: Worker
) -> None:
    await filled(worker)
    entries = await worker.entries()
    wrong = [Cursor(e.id, e.last_seq, e.tag ^ 1) for e in (entries[9], entries[8])]
    right = [entries[6].cursor_at(entries[6].seq + 3), entries[2].end]
    query = "&".join(f"after={cursor}" for cursor in (*wrong, *right))
    async with gateway.watch(worker.execution_id, query) as watcher:
        await watcher.caught_up()
        (reset,) = watcher.of("reset")
        assert reset["cursor"] == str(right[0])
        assert watcher.records == (await worker.stored())[right[0].number :]


async def test_a_viewer_whose_execution_was_removed_waits_for_its_new_beginning(
    gateway: Running, worker: Worker
) -> None:
    await filled(worker)
    last = (await worker.entries())[-1].end
    node = await worker._nodes.node_of(worker.execution_id)
    await node.flushall()
    async with gateway.watch(worker.execution_id, f"after={last}&wait=true") as watcher:
        await watcher.until(lambda: watcher.of("reset"), "it is told to drop all")
        worker.forget()
        await filled(worker, batches=2)
        await watcher.has_all(await worker.stored())
