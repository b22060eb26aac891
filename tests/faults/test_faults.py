"""Whatever happens to engine, gateways, links and viewers: promises 1 to 8 are kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.faults.engine import Engine, engine
from tests.faults.running import broken_by, told
from tests.faults.schedule import schedule


@pytest.fixture(scope="module")
def faulty_engine() -> Iterator[Engine]:
    """An engine that is killed, frozen and emptied."""
    with engine() as running:
        yield running


async def kept(faulty_engine: Engine, seed: int, length: int) -> None:
    ops = schedule(seed, length)
    violations = await broken_by(faulty_engine, ops)
    assert not violations, f"seed {seed}: {await told(faulty_engine, ops, violations)}"


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_the_promises_are_kept(faulty_engine: Engine, seed: int) -> None:
    await kept(faulty_engine, seed, length=60)


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(100, 130))
async def test_whatever_happens_for_longer_the_promises_are_kept(
    faulty_engine: Engine, seed: int
) -> None:
    await kept(faulty_engine, seed, length=200)
