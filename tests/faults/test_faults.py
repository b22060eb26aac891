"""Whatever happens to engine, workers, gateways, links and viewers: promises 1 to 8 are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from tests.faults.cluster import ClusterEngine, cluster
from tests.faults.engine import Engine, engine
from tests.faults.running import broken_by, told
from tests.faults.schedule import CLUSTERED, KINDS, Op, schedule, with_rare

LONG, CLUSTER = range(100, 130), range(200, 208)
LENGTH, CLUSTER_LENGTH = 200, 80


@pytest.fixture(scope="module")
def faulty_engine() -> Iterator[Engine]:
    """An engine that is killed, frozen and emptied."""
    with engine() as running:
        yield running


@pytest.fixture(scope="module")
def faulty_cluster() -> Iterator[ClusterEngine]:
    """A cluster whose primaries change and whose slots move."""
    with cluster() as running:
        yield running


async def kept(on: Engine | ClusterEngine, seed: int, ops: Sequence[Op]) -> None:
    violations = await broken_by(on, ops)
    assert not violations, f"seed {seed}: {await told(on, ops, violations)}"


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_the_promises_are_kept(faulty_engine: Engine, seed: int) -> None:
    await kept(faulty_engine, seed, schedule(seed, 60))


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", LONG)
async def test_whatever_happens_for_longer_the_promises_are_kept(
    faulty_engine: Engine, seed: int
) -> None:
    await kept(faulty_engine, seed, with_rare(seed, LENGTH))


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", CLUSTER)
async def test_whatever_happens_to_a_cluster_the_promises_are_kept(
    faulty_cluster: ClusterEngine, seed: int
) -> None:
    await kept(faulty_cluster, seed, schedule(seed, CLUSTER_LENGTH, CLUSTERED))


def test_every_kind_of_fault_occurs_in_the_long_runs() -> None:
    alone = {op.kind for seed in LONG for op in with_rare(seed, LENGTH)}
    clustered = {op.kind for seed in CLUSTER for op in schedule(seed, CLUSTER_LENGTH, CLUSTERED)}
    assert alone | clustered == set(KINDS)
    assert clustered == set(CLUSTERED)
