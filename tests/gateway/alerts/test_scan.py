"""Logs are looked through once, a bounded part at a time, and from the place that was kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_broker.stream import StreamReader
from runtail_broker.tally import Tally
from runtail_gateway.alerts.rules import Rule
from runtail_gateway.alerts.scan import RECORDS_OF_ONE, Match, Scan
from runtail_gateway.alerts.text import Pattern
from runtail_gateway.alerts.watch import HORIZON_MS

NOW: Final = 4_000_000_000_000
RULE = Rule("disk", "text", ("ops",), texts=(Pattern.of("disk full"),))


def tally(worker: Worker, records: int, last_ms: int = NOW) -> Tally:
    return Tally(worker.execution_id, "wf", "running", last_ms, 0, last_ms, records, False)


async def look(scan: Scan, *tallies: Tally, since: int = 0) -> list[Match]:
    """Look once, and keep the places as whoever dealt with what was found does."""
    found, places = await scan.look(tallies, {RULE.name: since}, NOW)
    scan.places |= places
    return found


async def test_a_long_log_is_looked_through_in_parts_by_whoever_has_the_place(
    engine_nodes: Nodes, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=12, records=1000)
    await worker.log("Disk FULL")
    seen, reader, turns = tally(worker, 12_002), StreamReader(engine_nodes), 0
    places: dict[str, str] = {}
    found: list[Match] = []
    while not (scan := Scan(reader, [RULE], places)).is_through(seen, NOW):
        found += await look(scan, seen)
        places, turns = scan.places, turns + 1
    assert [match.seq for match in found] == [12_002]
    assert turns == 12_002 // RECORDS_OF_ONE + 1
    assert await look(Scan(reader, [RULE], places), seen) == []


async def test_only_what_came_since_the_rule_counts(engine_nodes: Nodes, worker: Worker) -> None:
    await worker.open()
    await worker.log("disk full, said once", "disk full, said again")
    scan = Scan(StreamReader(engine_nodes), [RULE], {})
    assert await look(scan, tally(worker, 3), since=NOW) == []


async def test_what_nobody_wrote_to_for_a_day_is_not_looked_at(
    engine_nodes: Nodes, worker: Worker
) -> None:
    await worker.open()
    await worker.log("disk full")
    scan = Scan(StreamReader(engine_nodes), [RULE], {})
    old = tally(worker, 2, NOW - HORIZON_MS - 1)
    assert await look(scan, old) == []
    assert scan.is_through(old, NOW)
    assert await look(scan, tally(worker, 2))


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"message": "the disk full of it"}, True),
        ({"message": "no", "error_message": "Disk full"}, True),
        ({"message": "disk full", "level": "debug"}, False),
        ({"message": "disk", "other": "disk full"}, False),
    ],
)
async def test_what_counts_is_what_a_log_of_a_level_says(
    engine_nodes: Nodes, worker: Worker, record: dict[str, object], found: bool
) -> None:
    rule = replace(RULE, levels=("info", "error"))
    await worker.open()
    await worker.log_records([record])
    scan = Scan(StreamReader(engine_nodes), [rule], {})
    assert bool(await look(scan, tally(worker, 2))) is found


async def test_a_text_that_json_spells_otherwise_is_found(
    engine_nodes: Nodes, worker: Worker
) -> None:
    rule = replace(RULE, texts=(Pattern.of('say "über" \\'.lower()),))
    await worker.open()
    await worker.log('Say "Über" \\ twice')
    assert await look(Scan(StreamReader(engine_nodes), [rule], {}), tally(worker, 2))
