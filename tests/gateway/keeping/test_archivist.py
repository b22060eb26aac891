"""The archivist does what it is told, within its bounds, whatever goes wrong with one of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.archives.archive import Archive
from runtail_broker.archives.archiving import Archiving
from runtail_broker.archives.store import FolderStore
from runtail_broker.connections.client import Nodes
from runtail_broker.errors import ArchiveDamaged, ArchiveUnavailable
from runtail_gateway.keeping.archivist import Archivist
from runtail_gateway.keeping.housekeeping import PutAway, Release
from runtail_gateway.metrics.metrics import Metrics

SETTINGS = replace(
    QUICK,
    archive_queue=3,
    archives_at_once=2,
    archive_grace_seconds=0.001,
    housekeeping_seconds=0.01,
)


class Waiting(FolderStore):
    """A store that takes nothing until it is let, and of some executions not then either."""

    def __init__(self, root: Path, errors: dict[str, Exception]) -> None:
        super().__init__(root)
        self.begun: list[str] = []
        self.go_on = asyncio.Event()
        self._errors = errors

    async def put(self, name: str, parts: AsyncIterator[bytes]) -> None:
        execution_id = name.partition("/")[0]
        self.begun.append(execution_id)
        await self.go_on.wait()
        if error := self._errors.get(execution_id):
            raise error
        await super().put(name, parts)


def archiving(nodes: Nodes, store: FolderStore) -> Archiving:
    return Archiving(nodes, Archive(store, cache_bytes=10_000))


async def a_run(nodes: Nodes, name: str) -> None:
    worker = Worker(nodes, name)
    await worker.open()
    await worker.log("a word")
    await worker.end()


def value(metrics: Metrics, name: str) -> float:
    return metrics.registry.get_sample_value(f"runtail_gateway_{name}_total") or 0.0


async def test_so_many_at_once_and_so_many_wait_and_none_twice(
    engine_nodes: Nodes, tmp_path: Path
) -> None:
    for name in "abcdefg":
        await a_run(engine_nodes, name)
    store, metrics = Waiting(tmp_path, {}), Metrics()
    async with Archivist(archiving(engine_nodes, store), SETTINGS, metrics) as archivist:
        for name in "ab":
            archivist.want(PutAway(name))
        await soon(lambda: sorted(store.begun) == ["a", "b"], "two are under way")
        for name in "abcdefg":
            archivist.want(PutAway(name))
        store.go_on.set()
        await soon(lambda: value(metrics, "archived") == 5, "they are done")
        assert sorted(store.begun) == ["a", "b", "c", "d", "e"]  # f and g found no room
        archivist.want(Release("a"))  # it is known no more
        await soon(lambda: value(metrics, "released") == 1, "it is released")
    assert value(metrics, "archived_bytes") > 5 * 100


async def test_what_fails_is_counted_and_told_and_the_next_gets_its_turn(
    engine_nodes: Nodes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    errors: dict[str, Exception] = {
        "away": ArchiveUnavailable("it is away"),
        "damaged": ArchiveDamaged("it", "broken"),
        "odd": KeyError("odd"),
    }
    for name in (*errors, "good"):
        await a_run(engine_nodes, name)
    await Worker(engine_nodes, "running").open()
    store, metrics = Waiting(tmp_path, errors), Metrics()
    store.go_on.set()
    room = replace(SETTINGS, archive_queue=9)
    with caplog.at_level(logging.WARNING, "runtail.gateway"):
        async with Archivist(archiving(engine_nodes, store), room, metrics) as archivist:
            for name in (*errors, "running", "good"):
                archivist.want(PutAway(name))
            await soon(lambda: value(metrics, "archived") == 1, "the good one is archived")
            await soon(lambda: value(metrics, "archive_errors") == 3, "the others are counted")
    told = " ".join(record.getMessage() for record in caplog.records)
    assert all(name in told for name in errors)
    assert "running" not in told  # that is no failure
