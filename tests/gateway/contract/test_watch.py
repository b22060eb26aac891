"""What a viewer gets: history, what is live, and both without a hole or a repeat."""

from __future__ import annotations

import asyncio

import pytest
from tests.gateway.running import EVENTS, FRAMES, MANY, PULLED, PUSHED, Running
from tests.gateway.worker import Worker


async def test_history_is_replayed_exactly_in_messages_of_the_size_allowed(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=40, records=50)
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        assert watcher.records == await worker.stored()
        assert len(watcher.sizes) > 10
        assert max(watcher.sizes) < 17 * 1024


async def test_a_record_larger_than_a_message_goes_alone(gateway: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log("small", "x" * 40_000, "small again")
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.has_all(await worker.stored())
        assert [size for size in watcher.sizes if size > 16 * 1024] == [max(watcher.sizes)]
        assert max(watcher.sizes) < 40_300


async def test_hello_comes_first_and_says_where_the_execution_stands(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log("one", "two")
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        hello = watcher.messages[0]
        assert (hello["type"], hello["protocol"]) == ("hello", 1)
        assert (hello["first"], hello["last"]) == (1, 3)
        assert hello["cursor"] == f"0-0:0:{hello['epoch']}"
        assert hello["execution"]["status"] == "running"


async def test_live_records_reach_viewers_at_the_head(gateway: Running, worker: Worker) -> None:
    await worker.open()
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        for number in range(20):
            await worker.log(f"line {number}")
        await watcher.has_all(await worker.stored())


async def test_replay_goes_over_into_live_without_a_hole_or_a_repeat(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=50, records=100)
    publishing = asyncio.create_task(worker.log_many(batches=300, records=5))
    watchers = [gateway.watch(worker.execution_id) for _ in range(4)]
    for watcher in watchers:
        await watcher.connect("")
    await publishing
    stored = await worker.stored()
    for watcher in watchers:
        await watcher.has_all(stored)
        await watcher.leave()


async def test_viewers_that_come_one_after_another_share_one_tail_and_all_get_everything(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    publishing = asyncio.create_task(worker.log_many(batches=200, records=3))
    watchers = [gateway.watch(worker.execution_id) for _ in range(8)]
    for watcher in watchers:
        await watcher.connect("")
        await watcher.caught_up()
    assert max(gateway.tails) <= 1
    await publishing
    stored = await worker.stored()
    for watcher in watchers:
        await watcher.has_all(stored)
        await watcher.leave()


async def test_a_gateway_serves_two_executions_apart(gateway: Running, worker: Worker) -> None:
    other = Worker(worker._nodes, worker.execution_id + ".other")
    await worker.open()
    await other.open()
    async with (
        gateway.watch(worker.execution_id) as first,
        gateway.watch(other.execution_id) as second,
    ):
        await first.caught_up()
        await second.caught_up()
        await worker.log("for the first")
        await other.log("for the second")
        await first.has_all(await worker.stored())
        await second.has_all(await other.stored())


async def test_after_dollar_gives_only_what_is_new(gateway: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log("old")
    async with gateway.watch(worker.execution_id, "after=$") as watcher:
        await watcher.caught_up()
        await worker.log("new")
        await watcher.has(3)
        assert watcher.texts == ["new"]


@pytest.mark.parametrize(("wanted", "expected"), [(0, 0), (1, 1), (7, 7), (21, 21), (500, 21)])
async def test_tail_gives_the_last_records_then_live(
    gateway: Running, worker: Worker, wanted: int, expected: int
) -> None:
    await worker.open()
    await worker.log_many(batches=5, records=4)
    async with gateway.watch(worker.execution_id, f"tail={wanted}") as watcher:
        await watcher.caught_up()
        assert watcher.seqs == list(range(22 - expected, 22))
        await worker.log("live")
        await watcher.has(22)
        assert watcher.texts[-1] == "live"


async def test_who_waits_for_an_execution_gets_it_from_the_very_first_record(
    gateway: Running, worker: Worker
) -> None:
    async with gateway.watch(worker.execution_id, "wait=true") as watcher:
        await watcher.caught_up()
        assert watcher.hello["cursor"] == "0-0:0:-"
        assert watcher.hello["execution"] is None
        await worker.open()
        await worker.log("one", "two")
        await watcher.has_all(await worker.stored())
        assert not watcher.of("reset")


async def test_waiting_for_an_execution_costs_the_engine_next_to_nothing(
    gateway: Running, worker: Worker
) -> None:
    async with gateway.watch(worker.execution_id, "wait=true") as watcher:
        await watcher.caught_up()
        await watcher.until(lambda: len(watcher.of("beat")) > 1, "two beats have come")
        assert await gateway.metric("runtail_stream_reads_total") < 20


async def test_a_wait_for_what_is_new_that_is_cut_before_the_first_record_misses_none(
    gateway: Running, worker: Worker
) -> None:
    async with gateway.watch(worker.execution_id, "after=$&wait=true") as watcher:
        await watcher.caught_up()
        await watcher.leave()
        await worker.open()
        await worker.log("written while away")
        await watcher.come_back()
        await watcher.has_all(await worker.stored())


async def test_without_wait_an_unknown_execution_is_refused_for_good(gateway: Running) -> None:
    async with gateway.watch("nobody-made-this") as watcher:
        await watcher.closed()
        assert watcher.close_code == 4404
        (error,) = watcher.messages
        assert (error["type"], error["code"]) == ("error", "not_found")
        assert "nobody-made-this" in error["message"]


@pytest.mark.parametrize(
    ("execution_id", "query", "code"),
    [
        ("run", "after=nonsense", "bad_cursor"),
        ("run", "after=1-1:5:-", "bad_cursor"),
        ("run", "tail=many", "bad_request"),
        ("run", "&".join(["after=1-1"] * 17), "bad_request"),
        ("-run", "", "bad_execution_id"),
        ("r" * 129, "", "bad_execution_id"),
        ("a b", "", "bad_execution_id"),
    ],
)
async def test_what_says_nothing_is_refused_for_good_with_its_name(
    gateway: Running, execution_id: str, query: str, code: str
) -> None:
    async with gateway.watch(execution_id, query) as watcher:
        await watcher.closed()
        assert watcher.close_code == 4400
        assert watcher.messages[0]["code"] == code


async def test_a_wait_that_says_neither_yes_nor_no_is_refused(gateway: Running) -> None:
    async with gateway.watch("run", "wait=perhaps") as watcher:
        await watcher.closed()
        assert (watcher.close_code, watcher.messages[0]["code"]) == (4400, "bad_request")


@pytest.mark.parametrize("mode", [PUSHED, PULLED], indirect=True)
async def test_a_viewer_that_talks_too_much_is_sent_away(gateway: Running, worker: Worker) -> None:
    await worker.open()
    async with gateway.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        assert watcher._socket is not None
        for _ in range(100):
            await watcher._socket.send("hello?")
        await watcher.closed()
        assert watcher.close_code == 4408


@pytest.mark.parametrize("mode", [PUSHED, PULLED, EVENTS, MANY, FRAMES], indirect=True)
@pytest.mark.parametrize("gateway_settings", [{"viewers": 2}], indirect=True)
async def test_one_viewer_too_many_is_told_to_come_again(gateway: Running, worker: Worker) -> None:
    await worker.open()
    async with (
        gateway.watch(worker.execution_id) as first,
        gateway.watch(worker.execution_id) as second,
        gateway.watch(worker.execution_id) as third,
    ):
        await third.closed()
        assert third.close_code == 4329
        await first.caught_up()
        await second.caught_up()
