"""The honest end: every record, then totals that prove it, then close 1000."""

from __future__ import annotations

from tests.gateway.running import Running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker


def assert_complete(watcher: Watcher) -> None:
    """The last `end` that was told proves what was received."""
    (end,) = watcher.of("end")
    assert watcher.messages[-1] is end
    assert end["totals"]["records"] == len(watcher.records)
    assert end["totals"]["last"] == watcher.seqs[-1]
    assert end["totals"]["levels"]["info"] == len(watcher.texts)
    assert (watcher.close_code, watcher.records[-1]["kind"]) == (1000, "end")


async def test_a_finished_execution_is_replayed_whole_and_ends(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=20, records=50)
    await worker.end()
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.closed()
        assert watcher.records == await worker.stored()
        assert_complete(watcher)


async def test_viewers_at_the_head_get_the_end_when_it_comes(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    async with (
        gateway.watch(worker.execution_id) as first,
        gateway.watch(worker.execution_id) as second,
    ):
        for watcher in (first, second):
            await watcher.caught_up()
        await worker.log("last words")
        await worker.end()
        for watcher in (first, second):
            await watcher.closed()
            assert_complete(watcher)
    assert not any(gateway.tails)


async def test_the_end_carries_the_status_of_the_owner(gateway: Running, worker: Worker) -> None:
    await worker.open()
    await worker.close("failed")
    await worker.finish()
    async with gateway.watch(worker.execution_id, "tail=1") as watcher:
        await watcher.closed()
        assert watcher.of("end")[0]["status"] == "failed"


async def test_who_resumes_behind_the_end_is_told_the_end_again(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.end()
    last = (await worker.entries())[-1].end
    async with gateway.watch(worker.execution_id, f"after={last}") as watcher:
        await watcher.closed()
        assert (watcher.close_code, watcher.records) == (1000, [])
        assert len(watcher.of("end")) == 1


async def test_viewers_stay_while_a_participant_still_writes(
    gateway: Running, worker: Worker
) -> None:
    helper = Worker(worker._nodes, worker.execution_id)
    await worker.open()
    await helper.open("participant")
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        await worker.close()
        assert (await worker.finish()).word == "open"
        await helper.log("still here")
        await watcher.until(lambda: "still here" in watcher.texts, "it hears the participant")
        assert watcher.close_code is None
        await helper.close("")
        await helper.finish()
        await watcher.closed()
        assert_complete(watcher)


async def test_late_records_are_shown_and_followed_by_a_new_end(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.end()
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.closed()
        late = Worker(worker._nodes, worker.execution_id)
        assert (await late.open("participant")).word == "late"
        await late.log("found in a spill file")
        await watcher.come_back()
        await watcher.until(lambda: "found in a spill file" in watcher.texts, "it is shown")
        assert len(watcher.of("end")) == 1
        await late.close("")
        await late.finish()
        await watcher.until(lambda: len(watcher.of("end")) == 2, "it ends anew")
        assert watcher.of("end")[-1]["totals"]["records"] == len(watcher.records)


async def test_a_failover_that_takes_back_late_records_ends_the_viewers_again(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        worker.unheard = True  # so that the tail reads the end and what follows it in one page
        await worker.end()
        ended = await worker.copy()
        late = Worker(worker._nodes, worker.execution_id)
        late.unheard = True
        await late.open("participant")
        await late.log("soon lost")
        await watcher.until(lambda: "soon lost" in watcher.texts, "it reads what nobody heard")
        await worker.fail_over(ended)
        await watcher.closed()
        assert watcher.records == await worker.stored()
        assert_complete(watcher)
