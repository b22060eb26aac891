"""The suite is tested by planted defects: each of them is caught, by a seed that is printed."""

from __future__ import annotations

import logging
import sys

import pytest
from tests.faults.defects import DEFECTS
from tests.faults.engine import engine
from tests.faults.running import broken_by
from tests.faults.schedule import schedule
from tests.planting import Defect, planted

_SEEDS = 12
_SETTLE_SECONDS = 6.0  # what has not settled by then is broken


async def caught(defect: Defect) -> str:
    """Try seeds, the known one first, until one catches *defect*; say which, and how."""
    logging.disable(logging.CRITICAL)  # what a defect warns of is no matter
    try:
        with planted(defect):
            for seed in dict.fromkeys([defect.seed, *range(_SEEDS)]):
                with engine() as running:
                    ops = schedule(seed, 60)
                    broken = await broken_by(running, ops, defect.edits, _SETTLE_SECONDS)
                if broken:
                    return f"seed {seed}: {broken[0]}"
    finally:
        logging.disable(logging.NOTSET)
    return ""


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
async def test_a_planted_defect_is_caught(defect: Defect) -> None:
    """The list is printed by `pytest -s`."""
    how = await caught(defect)
    sys.stdout.write(f"\n{defect.name}: {how}\n")
    assert how, f"{defect.name} was not caught by {_SEEDS} seeds"


async def test_a_defect_of_a_script_is_caught() -> None:
    """One of them in the short part, so that a suite that sees nothing is noticed at once."""
    (defect,) = (each for each in DEFECTS if each.name == "batches in any order")
    assert await caught(defect)
