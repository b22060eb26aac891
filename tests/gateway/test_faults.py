"""Faults while viewers watch: what they have in the end is the stream, or it was told."""

from __future__ import annotations

import pytest
from tests.gateway.running import Running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes


async def at_the_head(gateway: Running, worker: Worker) -> Watcher:
    watcher = gateway.watch(worker.execution_id)
    await watcher.connect("")
    await watcher.caught_up()
    await watcher.has(len(await worker.stored()))
    return watcher


async def behind(gateway: Running, worker: Worker) -> Watcher:
    """A viewer that has the beginning and reads no more."""
    watcher = gateway.watch(worker.execution_id)
    await watcher.connect("")
    await watcher.until(lambda: watcher.records, "it has something")
    watcher.reading.clear()
    return watcher


async def torn(gateway: Running, worker: Worker) -> Watcher:
    """A viewer that has everything and lost its connection."""
    watcher = await at_the_head(gateway, worker)
    await watcher.leave()
    return watcher


async def test_a_failover_to_an_older_copy_resets_viewers_where_histories_part(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=10, records=10)
    copy = await worker.copy()
    head = await at_the_head(gateway, worker)
    for number in range(5):
        await worker.log(f"lost {number}")
    away = await torn(gateway, worker)
    await head.has(106)
    await worker.fail_over(copy)
    for number in range(7):
        await worker.log(f"other {number}")
    await away.come_back()
    stored = await worker.stored()
    for watcher in (head, away):
        await watcher.has_all(stored)
        assert len(watcher.of("reset")) == 1
    assert head.of("reset")[0]["cursor"].split(":")[1] == "101"
    await head.leave()
    await away.leave()


async def test_a_viewer_that_is_behind_during_a_failover_ends_with_the_streams_content(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=100, records=10, size=2000)
    copy = await worker.copy()
    await worker.log_many(batches=200, records=10, size=2000)
    slow = await behind(gateway, worker)
    await worker.fail_over(copy)
    await worker.log_many(batches=50, records=10, size=1000)
    slow.reading.set()
    await slow.has_all(await worker.stored())
    await slow.leave()


async def test_a_viewer_that_was_reset_to_the_start_keeps_no_cursor_of_what_it_dropped(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    opened = await worker.copy()
    watcher = await at_the_head(gateway, worker)
    for number in range(40):
        await worker.log(f"first history {number}")
        await watcher.has(number + 2)
    first = await worker.copy()
    await worker.fail_over(opened)
    for number in range(60):
        await worker.log(f"second history {number}")
    await worker.trim(35)
    await worker.log("after the trim")
    await watcher.until(lambda: watcher.texts[-1:] == ["after the trim"], "it has the second")
    await worker.fail_over(first)
    await worker.log("the first history again")
    await watcher.has_all(await worker.stored())
    await watcher.leave()


async def test_an_older_copy_without_a_word_after_it_is_noticed_by_comparison(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log("kept")
    copy = await worker.copy()
    await worker.log("withdrawn")
    watcher = await at_the_head(gateway, worker)
    await worker.fail_over(copy)
    await watcher.has_all(await worker.stored())
    assert watcher.texts == ["kept"]
    await watcher.leave()


async def test_an_emptied_engine_begins_a_new_epoch_for_every_viewer(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=100, records=10, size=2000)
    head = await at_the_head(gateway, worker)
    slow = await behind(gateway, worker)
    away = await torn(gateway, worker)
    node = await worker._nodes.node_of(worker.execution_id)
    await node.flushall()
    worker.forget()
    await worker.open()
    await worker.log_many(batches=3, records=3)
    slow.reading.set()
    await away.come_back()
    stored = await worker.stored()
    for watcher in (head, slow, away):
        await watcher.has_all(stored)
        assert watcher.of("reset")
        await watcher.leave()


async def test_a_viewer_sees_an_emptied_engine_before_anybody_opens_again(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log("soon gone")
    watcher = await at_the_head(gateway, worker)
    node = await worker._nodes.node_of(worker.execution_id)
    await node.flushall()
    await watcher.until(lambda: watcher.of("reset"), "it is told to drop all")
    assert watcher.records == []
    worker.forget()
    await worker.open()
    await worker.log("a new beginning")
    await watcher.has_all(await worker.stored())
    await watcher.leave()


async def test_a_live_message_that_is_lost_is_read_when_the_next_one_comes(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    watcher = await at_the_head(gateway, worker)
    worker.unheard = True
    await worker.log("unheard")
    worker.unheard = False
    await worker.log("heard")
    await watcher.has_all(await worker.stored())
    await watcher.leave()


async def test_the_last_live_message_is_delivered_by_comparison_when_it_is_lost(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    watcher = await at_the_head(gateway, worker)
    worker.unheard = True
    await worker.log("the last words, which nobody heard")
    await watcher.has_all(await worker.stored())
    await watcher.leave()


async def test_thousands_of_frames_that_nobody_heard_are_read_in_order(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    watcher = await at_the_head(gateway, worker)
    worker.unheard = True
    for number in range(700):
        await worker.log(f"unheard {number}", "and more".ljust(1000))
    worker.unheard = False
    await worker.log("heard")
    await watcher.has_all(await worker.stored())
    await watcher.leave()


@pytest.mark.parametrize("gateway_settings", [{"beat_seconds": 60.0}], indirect=True)
async def test_a_subscription_that_was_cut_reads_what_it_did_not_hear(
    gateway: Running, worker: Worker, engine_nodes: Nodes
) -> None:
    await worker.open()
    watcher = await at_the_head(gateway, worker)
    await watcher.until(lambda: watcher.of("beat"), "the first comparison is over")
    (shard,) = await engine_nodes.shards()
    await shard.node.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await worker.log("while nobody listened")
    await watcher.has_all(await worker.stored())
    await worker.log("and on")
    await watcher.has_all(await worker.stored())
    await watcher.leave()


async def test_a_damaged_frame_becomes_lost_records_and_the_tail_goes_on(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log("before")
    await worker.log("three", "records", "damaged")
    await worker.damage(2)
    await worker.log("after")
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.has_all(await worker.stored())
        assert watcher.seqs == [1, 2, 3, 4, 5, 6]
        assert [record.get("lost") for record in watcher.records[2:5]] == [1, 1, 1]
        await worker.log("live")
        await watcher.has(7)
        assert watcher.texts == ["before", "after", "live"]
