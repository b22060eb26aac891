"""Why batches are missing: a failover took what was acknowledged, the disk what waited."""

from __future__ import annotations

import pytest

from runtail.delivery.holes import FAILOVER, NO_ROOM, UNREADABLE, reason_of_hole


@pytest.mark.parametrize(
    ("acknowledged", "unreadable", "reason"),
    [
        (9, False, FAILOVER),
        (5, True, FAILOVER),
        (4, False, f"{FAILOVER}, or {NO_ROOM}"),
        (2, False, NO_ROOM),
        (0, True, UNREADABLE),
    ],
)
def test_the_reason_of_batches_three_to_five(
    acknowledged: int, unreadable: bool, reason: str
) -> None:
    assert reason_of_hole(2, 6, acknowledged, unreadable=unreadable) == reason
