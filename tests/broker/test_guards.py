"""With any one guard taken out, the model of tail and resume shows what goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from hypothesis.strategies import SearchStrategy
from tests.broker.archives.test_archive_model import Schedule
from tests.broker.guards import ARCHIVE_GUARDS, GUARDS
from tests.broker.shelf import Shelf, shelf_in
from tests.broker.test_tail_model import TailMachine
from tests.faults.scripts import edited
from tests.planting import Defect, planted

from runtail_broker.connections.client import Nodes
from runtail_broker.errors import RuntailError

SEARCHED = settings(
    max_examples=5000,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
)


class Drawn:
    """What a rule draws, in its order."""

    def __init__(self, *values: Any) -> None:
        self._values = list(values)

    def draw(self, _: SearchStrategy[Any]) -> Any:
        """Give the next value."""
        return self._values.pop(0)


def _goes_back_into_a_gap(machine: TailMachine) -> None:
    """A history too rare to be found by chance.

    A viewer was told that 1 to 4 are trimmed, and stands at the head; then the old primary is back,
    which has them still, and shares 1 to 3 with what the tail had seen before the viewer came.
    """
    machine.begin(count=1)
    machine.read(how="prove")
    machine.append(counted=[1, 1, 1, 1], later=1, heard=True)
    machine.fail_over(lose=2, shift=0, seen=False, data=Drawn([], 0))
    machine.append(counted=[1, 1, 1], later=1, heard=True)
    for _ in range(3):
        machine.read(how="prove")
    machine.lose_records(how="trim", count=4)
    machine.pull(pick=0, at_most=3, times=4)
    machine.fall_behind(pick=0, seq=40)
    machine.fail_back()
    machine.read(how="prove")
    machine.pull(pick=0, at_most=3, times=4)
    machine.everybody_agrees_once_it_is_quiet()


PINNED = {"a viewer takes over from the tail only what it passed": _goes_back_into_a_gap}


@pytest.mark.parametrize("history", PINNED.values(), ids=lambda history: history.__name__)
def test_with_all_guards_a_rare_history_is_as_it_should_be(
    history: Callable[[TailMachine], None],
) -> None:
    history(TailMachine())


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_without_the_guard_there_is_a_counterexample(guard: Defect) -> None:
    """The shortest schedule found is printed (`pytest -s`)."""
    with planted(guard), pytest.raises((AssertionError, ArithmeticError)) as found:
        _look_for_one(guard)
    told = "\n  ".join(getattr(found.value, "__notes__", ["no schedule was noted"]))
    sys.stdout.write(f"\nwithout “{guard.name}”: {found.value}\n  {told}\n")


def _look_for_one(guard: Defect) -> None:
    if guard.name in PINNED:
        PINNED[guard.name](TailMachine())
    else:
        run_state_machine_as_test(TailMachine, settings=SEARCHED)


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
