"""The table of what each fault takes of what was acknowledged: every row is seen."""

from __future__ import annotations

import pytest
from tests.durability import ACKS, FAULTS, Fault, documented, see

pytestmark = [pytest.mark.full, pytest.mark.timeout(120)]


@pytest.mark.parametrize("acks", ACKS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.text)
async def test_a_fault_takes_what_the_table_says(fault: Fault, acks: str) -> None:
    row = await see(fault, acks)
    assert row.cells in documented()
    assert row.live_seconds < 30
