"""With any one guard taken out, the model of tail and resume shows what goes wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.broker.archives.test_archive_model import Schedule
from tests.broker.guards import ARCHIVE_GUARDS, GUARDS
from tests.broker.shelf import Shelf, shelf_in
from tests.broker.tail_schedules import counterexample, failure, schedule
from tests.broker.test_tail_model import TailMachine
from tests.faults.scripts import edited
from tests.planting import Defect, planted

from runtail_broker.connections.client import Nodes
from runtail_broker.errors import RuntailError


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_without_the_guard_there_is_a_counterexample(guard: Defect) -> None:
    """The shortest schedule found is printed (`pytest -s`); with the guard it is harmless."""
    with planted(guard):
        found = counterexample(guard.seeds)
        assert found is not None, f"nothing goes wrong without “{guard.name}”"
        seed, steps = found
        wrong = failure(steps)
    assert failure(steps) is None
    told = "".join(f"\n  {step}" for step in steps)
    sys.stdout.write(f"\nwithout “{guard.name}”, seed {seed}: {wrong}{told}\n")


def test_schedules_hold_every_rule_of_the_model() -> None:
    rules = {rule.function.__name__ for rule in TailMachine().rules}
    assert {step.rule for seed in range(50) for step in schedule(seed)} == rules


@pytest.mark.parametrize(
    "seeds", [range(200), pytest.param(range(200, 10_000), marks=pytest.mark.full)]
)
def test_with_all_guards_there_is_none(seeds: range) -> None:
    """The same schedules; Hypothesis looks for others (test_tail_model.py)."""
    for seed in seeds:
        assert failure(schedule(seed)) is None, f"seed {seed}"


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.parametrize("guard", ARCHIVE_GUARDS, ids=lambda guard: guard.name)
async def test_without_the_archives_condition_records_are_lost(
    guard: Defect, nodes: Nodes, tmp_path: Path
) -> None:
    """A sweeper that slept seals or removes what was added meanwhile."""
    with edited(guard.edits), pytest.raises((AssertionError, RuntailError)) as found:
        await _sweep(shelf_in(nodes, tmp_path))
    sys.stdout.write(f"\nwithout “{guard.name}”: {str(found.value)[:300]}\n")


async def _sweep(shelf: Shelf) -> None:
    for seed in range(200):
        await Schedule(shelf, seed).run(40)
