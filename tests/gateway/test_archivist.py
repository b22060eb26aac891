"""The archivist does what it is told, within its bounds, whatever goes wrong with one of them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from tests.gateway.conftest import QUICK
from tests.polling import soon

from runtail_broker.archiving import Archiving, Changed
from runtail_broker.errors import ArchiveDamaged, ArchiveUnavailable
from runtail_gateway.archivist import Archivist
from runtail_gateway.housekeeping import PutAway, Release
from runtail_gateway.metrics import Metrics

SETTINGS = replace(QUICK, archive_queue=3, archives_at_once=2, housekeeping_seconds=0.01)


class Slow(Archiving):
    """Archives nothing, and only when it is let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go_on = asyncio.Event()
        self.errors: dict[str, Exception] = {}

    async def archive(self, execution_id: str) -> int:
        self.begun.append(execution_id)
        await self.go_on.wait()
        if error := self.errors.get(execution_id):
            raise error
        return 10

    async def release(self, execution_id: str, grace_seconds: float) -> None:
        await self.archive(execution_id)


def value(metrics: Metrics, name: str) -> float:
    return metrics.registry.get_sample_value(f"runtail_gateway_{name}_total") or 0.0


async def test_so_many_at_once_and_so_many_wait_and_none_twice() -> None:
    archiving, metrics = Slow(), Metrics()
    async with Archivist(archiving, SETTINGS, metrics) as archivist:
        for name in "ab":
            archivist.want(PutAway(name))
        await soon(lambda: archiving.begun == ["a", "b"], "two are under way")
        for name in "abcdefg":
            archivist.want(PutAway(name))
        archiving.go_on.set()
        await soon(lambda: value(metrics, "archived") == 5, "they are done")
        assert archiving.begun == ["a", "b", "c", "d", "e"]  # f and g found no room
        archivist.want(Release("a"))  # it is known no more
        await soon(lambda: value(metrics, "released") == 1, "it is released")
    assert value(metrics, "archived_bytes") == 50


async def test_what_fails_is_counted_and_told_and_the_next_gets_its_turn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    archiving, metrics = Slow(), Metrics()
    archiving.go_on.set()
    archiving.errors = {
        "away": ArchiveUnavailable("it is away"),
        "damaged": ArchiveDamaged("it", "broken"),
        "odd": KeyError("odd"),
        "changed": Changed("changed", "something was added"),
    }
    with caplog.at_level(logging.WARNING, "runtail.gateway"):
        async with Archivist(archiving, replace(SETTINGS, archive_queue=9), metrics) as archivist:
            for name in (*archiving.errors, "good"):
                archivist.want(PutAway(name))
            await soon(lambda: value(metrics, "archived") == 1, "the good one is archived")
            await soon(lambda: value(metrics, "archive_errors") == 3, "the others are counted")
    told = " ".join(record.getMessage() for record in caplog.records)
    assert all(name in told for name in ("away", "damaged", "odd"))
    assert "something was added" not in told  # that is no failure
