"""The suite is tested by planted defects: each of them is caught, by a seed that is printed."""

from __future__ import annotations

import sys

import pytest
from tests.faults.catching import SEEDS, caught
from tests.faults.defects import DEFECTS
from tests.planting import Defect


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
async def test_a_planted_defect_is_caught(defect: Defect) -> None:
    """The list is printed by `pytest -s`."""
    how = await caught(defect)
    sys.stdout.write(f"\n{defect.name}: {how}\n")
    assert how, f"{defect.name} was not caught by {SEEDS} seeds"


async def test_a_defect_of_a_script_is_caught() -> None:
    """One of them in the short part, so that a suite that sees nothing is noticed at once."""
    (defect,) = (each for each in DEFECTS if each.name == "batches in any order")
    assert await caught(defect)
