"""With any one guard taken out, the model of tail and resume shows what goes wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.broker.archives.test_archive_model import Schedule
from tests.broker.guards import ARCHIVE_GUARDS, GUARDS
from tests.broker.shelf import Shelf, shelf_in
from tests.broker.test_tail_model import TailMachine
from tests.faults.scripts import edited
from tests.planting import Defect, planted

from runtail_broker.connections.client import Nodes
from runtail_broker.errors import RuntailError

SEARCHED = settings(
    max_examples=15_000,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
)


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_without_the_guard_there_is_a_counterexample(guard: Defect) -> None:
    """The shortest schedule found is printed (`pytest -s`)."""
    with planted(guard), pytest.raises((AssertionError, ArithmeticError)) as found:
        run_state_machine_as_test(TailMachine, settings=SEARCHED)
    told = "\n  ".join(getattr(found.value, "__notes__", ["no schedule was noted"]))
    sys.stdout.write(f"\nwithout “{guard.name}”: {found.value}\n  {told}\n")


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
