"""Viewers with a filter: exactly what passes, in order, once, and the rest is counted."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.gateway.filtered_watcher import filtered_watcher
from tests.gateway.running import PUSHED, Running
from tests.gateway.worker import Worker

from runtail_gateway.viewers.filtered_tail import FilteredTail
from runtail_gateway.viewers.sieve import Sieve

LEVELS, STEPS = ("debug", "info", "warning", "error"), ("load", "save")
pushed_only = pytest.mark.parametrize("mode", [PUSHED], indirect=True)


def mixed(chance: random.Random, count: int) -> list[dict[str, object]]:
    return [
        {"message": f"{n}", "level": chance.choice(LEVELS), "step_name": chance.choice(STEPS)}
        for n in range(count)
    ]


async def passing(worker: Worker, sieve: Sieve) -> list[dict[str, Any]]:
    return [record for record in await worker.stored() if sieve.passes(record)]


@pushed_only
@pytest.mark.parametrize("seed", range(6))
async def test_a_filtered_viewer_that_comes_and_goes_gets_all_that_passes_once(
    gateway: Running, worker: Worker, seed: int
) -> None:
    chance = random.Random(seed)
    await worker.open()
    queries = ["level=error", "step=save", "level=warning,error&step=load", "level=error"]
    watchers = [filtered_watcher(gateway, worker.execution_id, query) for query in queries]
    for watcher in watchers:
        await watcher.connect("")
    for _ in range(20):
        await worker.log_records(mixed(chance, chance.randrange(1, 60)))
        watcher = chance.choice(watchers)
        await watcher.leave()
        await worker.log_records(mixed(chance, chance.randrange(1, 60)))
        await watcher.come_back()
    errors, saved = Sieve.parse(["error"], []), Sieve.parse([], ["save"])
    sieves = [errors, saved, Sieve.parse(["warning,error"], ["load"]), errors]
    for watcher, sieve in zip(watchers, sieves, strict=True):
        await watcher.has_all(await passing(worker, sieve))
        await watcher.leave()


@pushed_only
async def test_one_who_joins_is_not_told_of_what_was_left_out_before(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    query = "level=error"
    async with (
        filtered_watcher(gateway, worker.execution_id, query) as first,
        gateway.watch(worker.execution_id) as whole,
    ):
        await first.caught_up()
        await worker.log("left out")
        await whole.has(2)
        async with filtered_watcher(gateway, worker.execution_id, query) as second:
            await second.caught_up()
            await worker.log_records([{"message": "seen", "level": "error"}])
            for watcher in (first, second):
                await watcher.until(lambda w=watcher: w.texts == ["seen"], "both see it")  # type: ignore[misc]
            assert whole.texts == ["left out", "seen"]


@pushed_only
async def test_viewers_with_the_same_filter_share_bytes_and_few_are_kept(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=60, records=30)
    watch = gateway.hub.watch
    with watch(worker.execution_id) as tail, watch(worker.execution_id):  # two viewers
        await tail.settled()
        with tail.filters.of(Sieve.parse(["info"], [])) as filtered:
            assert isinstance(filtered, FilteredTail)
            start = [await gateway.hub.reader.cursor_at(worker.execution_id, 0)]
            messages = []
            while (page := await filtered.pull(start)).message is not None:
                assert (await filtered.pull(start)).message is page.message
                assert page.message.cursor is not None
                messages.append(page.message)
                start = [page.message.cursor]
                assert len(filtered._sifted) <= 2
            assert sum(message.count for message in messages) == 1801


@pushed_only
async def test_a_rewind_reaches_filtered_viewers_too(gateway: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log("kept")
    copy = await worker.copy()
    sieve = Sieve.parse(["info"], [])
    async with filtered_watcher(gateway, worker.execution_id, "level=info") as watcher:
        await watcher.caught_up()
        await worker.log("lost")
        await watcher.has(3)
        await worker.fail_over(copy)
        await worker.log("instead", "and more")
        await watcher.until(lambda: watcher.of("reset"), "it is told")
        await watcher.has_all(await passing(worker, sieve))


@pushed_only
@pytest.mark.parametrize("gateway_settings", [{"filters": 1}], indirect=True)
async def test_one_filter_too_many_is_refused_and_an_equal_one_is_not(
    gateway: Running, worker: Worker
) -> None:
    await worker.open()
    async with filtered_watcher(gateway, worker.execution_id, "level=error&step=a") as first:
        await first.caught_up()
        async with filtered_watcher(gateway, worker.execution_id, "step=a&level=error") as same:
            await same.caught_up()
        async with filtered_watcher(gateway, worker.execution_id, "level=info") as other:
            await other.closed()
            assert (other.close_code, other.of("error")[0]["code"]) == (4329, "too_many")
    async with filtered_watcher(gateway, worker.execution_id, "level=info") as later:
        await later.caught_up()


@pushed_only
async def test_a_filter_that_makes_no_sense_is_refused(gateway: Running, worker: Worker) -> None:
    await worker.open()
    async with gateway.watch(worker.execution_id, "level=loud") as watcher:
        await watcher.closed()
        assert watcher.close_code == 4400
        assert "level is 'loud'" in watcher.of("error")[0]["message"]
