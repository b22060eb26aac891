"""An engine that lost its last frames gets them again; viewers that had seen them are told."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.e2e.processes import Gateway, gateways
from tests.e2e.rows import Row, objections, read_stream, total_objections
from tests.e2e.watcher import Watcher
from tests.e2e.watching import watching

from runtail import Publisher, PublisherSettings
from runtail.run import Execution
from runtail_broker.engines.engine import Engine, start_engine

# A new primary is left alone for half a minute by default before anybody ends an execution on it.
QUICK = {"settle_seconds": 1.0, "beat_seconds": 2.5, "retry_seconds": 0.2}
PATIENT = PublisherSettings(beat_seconds=0.3, retry_min_seconds=0.02, retry_max_seconds=0.2)
LOG = "appendonlydir"


class World:
    """An engine that can forget, two gateways, and an execution with a few lines."""

    def __init__(self, place: Path, gateways: list[Gateway], engine: Engine) -> None:
        self._data, self._copy = place / "data", place / "copy"
        self.gateways, self.engine = gateways, engine

    def remember(self) -> None:
        """Copy what the engine has on disk now."""
        shutil.copytree(self._data / LOG, self._copy)

    def forget(self) -> None:
        """Stop the engine, put the copy back (or nothing), and start it at the same place."""
        self.engine.close()
        shutil.rmtree(self._data / LOG)
        if self._copy.exists():
            shutil.copytree(self._copy, self._data / LOG)
        self.engine = start_engine(self._data)


@contextmanager
def world(place: Path) -> Iterator[World]:
    engine = start_engine(place / "data")
    try:
        with gateways(engine.url, place, 2, **QUICK) as both:
            here = World(place, both, engine)
            try:
                yield here
            finally:
                here.engine.close()
    finally:
        engine.close()


async def log(publisher: Publisher, run: Execution, first: int, last: int) -> None:
    """Publish lines one by one, each in a frame of its own, while viewers hear them."""
    for number in range(first, last + 1):
        run.info(f"line {number}")
        assert await asyncio.to_thread(publisher.flush, 10)


def lines(stream: list[Row]) -> list[str]:
    return [row.text for row in stream if row.level]


def expect_exactly(watcher: Watcher, stream: list[Row]) -> None:
    assert objections(watcher.rows, stream) == []
    assert (watcher.faults, watcher.gaps) == ([], [])
    assert watcher.end is not None
    assert total_objections(watcher.end["totals"], stream) == []


async def ended(*watchers: Watcher) -> None:
    for watcher in watchers:
        await watcher.until_it_ended(30)


async def test_an_idle_publisher_sends_again_what_the_engine_lost_and_viewers_are_reset(
    place: Path, execution_id: str
) -> None:
    watchers = [Watcher(execution_id) for _ in range(4)]
    with world(place) as here, Publisher(here.engine.url, settings=PATIENT) as publisher:
        async with watching(here.gateways, *watchers):
            with publisher.execution(execution_id) as run:
                for watcher in watchers:
                    await watcher.until_it_holds(1)
                await log(publisher, run, 1, 20)
                here.remember()
                await log(publisher, run, 21, 40)
                for watcher in watchers:
                    await watcher.until_it_holds(41)
                await asyncio.to_thread(here.forget)
                # nothing is published any more: the beat alone finds out what is missing
                for watcher in watchers:
                    await watcher.until_it_was_reset()
                    await watcher.until_it_holds(41)
            assert publisher.flush(10)
            await ended(*watchers)
        stream = read_stream(here.engine.url, execution_id)
    assert lines(stream) == [f"line {number}" for number in range(1, 41)]
    for watcher in watchers:
        expect_exactly(watcher, stream)
        seqs = [int(reset["cursor"].split(":")[1]) for reset in watcher.resets]
        assert 10 <= max(seqs) <= 21  # what was never lost mostly stays: the newest cursor proved


@pytest.mark.full
async def test_a_busy_publisher_sends_the_lost_records_before_its_new_ones(
    place: Path, execution_id: str
) -> None:
    watcher = Watcher(execution_id)
    with world(place) as here, Publisher(here.engine.url, settings=PATIENT) as publisher:
        async with watching(here.gateways, watcher):
            with publisher.execution(execution_id) as run:
                await log(publisher, run, 1, 20)
                here.remember()
                await log(publisher, run, 21, 40)
                await asyncio.to_thread(here.forget)
                await log(publisher, run, 41, 60)
            assert publisher.flush(10)
            await ended(watcher)
        stream = read_stream(here.engine.url, execution_id)
    assert lines(stream) == [f"line {number}" for number in range(1, 61)]
    expect_exactly(watcher, stream)


@pytest.mark.full
async def test_a_viewer_that_was_away_meanwhile_is_reset_when_it_resumes(
    place: Path, execution_id: str
) -> None:
    watcher = Watcher(execution_id)
    with world(place) as here, Publisher(here.engine.url, settings=PATIENT) as publisher:
        with publisher.execution(execution_id) as run:
            await log(publisher, run, 1, 20)
            here.remember()
            await log(publisher, run, 21, 40)
            async with watching(here.gateways, watcher):
                await watcher.until_it_holds(41)
            await asyncio.to_thread(here.forget)
            await log(publisher, run, 41, 41)
        assert publisher.flush(10)
        async with watching(here.gateways, watcher):
            await ended(watcher)
        stream = read_stream(here.engine.url, execution_id)
    assert len(watcher.resets) == 1
    assert lines(stream) == [f"line {number}" for number in range(1, 42)]
    expect_exactly(watcher, stream)


async def test_an_emptied_engine_gets_the_whole_execution_again_in_another_epoch(
    place: Path, execution_id: str
) -> None:
    watchers = [Watcher(execution_id) for _ in range(4)]
    with world(place) as here, Publisher(here.engine.url, settings=PATIENT) as publisher:
        async with watching(here.gateways, *watchers):
            with publisher.execution(execution_id) as run:
                await log(publisher, run, 1, 30)
                for watcher in watchers:
                    await watcher.until_it_holds(31)
                epoch = watchers[0].hello["epoch"]
                await asyncio.to_thread(here.forget)
                await log(publisher, run, 31, 31)
            assert publisher.flush(10)
            await ended(*watchers)
        stream = read_stream(here.engine.url, execution_id)
        later = Watcher(execution_id)
        async with watching(here.gateways, later):
            await ended(later)
    assert lines(stream) == [f"line {number}" for number in range(1, 32)]
    assert later.hello["epoch"] != epoch
    for watcher in watchers:
        expect_exactly(watcher, stream)
        assert watcher.resets
