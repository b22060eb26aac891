"""Plant a defect, and look whether a seed catches it."""

from __future__ import annotations

import logging

from tests.faults.engine import engine
from tests.faults.running import broken_by
from tests.faults.schedule import schedule
from tests.planting import Defect, planted

SEEDS = 24
_SETTLE_SECONDS = 6.0  # what has not settled by then is broken


async def caught(defect: Defect) -> str:
    """Try seeds, the known ones first, until one catches *defect*; say which, and how."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # what a defect warns of is no matter
    try:
        with planted(defect):
            for seed in dict.fromkeys([*defect.seeds, *range(SEEDS)]):
                with engine() as running:
                    ops = schedule(seed, 60)
                    broken = await broken_by(running, ops, defect.edits, _SETTLE_SECONDS)
                if broken:
                    return f"seed {seed}: {broken[0]}"
    finally:
        logging.disable(before)
    return ""
