"""With any one guard taken out, the model of tail and resume shows what goes wrong."""

from __future__ import annotations

import sys

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.broker.guards import GUARDS
from tests.broker.test_tail_model import TailMachine
from tests.planting import Defect, planted

SEARCHED = settings(
    max_examples=3000,
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
