"""Replay from replicas: what it saves the primary, and that no other history is believed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis
from tests.broker.executions import Execution
from tests.engine_sets import Cluster
from tests.polling import until
from tests.server_process import Server

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START
from runtail_broker.proof import Continues
from runtail_broker.stream import StreamReader


@pytest.fixture
async def nodes(whole_cluster: Cluster) -> AsyncIterator[Nodes]:
    nodes = Nodes.connect(whole_cluster.url)
    yield nodes
    await nodes.close()


@pytest.fixture
async def execution(nodes: Nodes, execution_id: str) -> Execution:
    """One of 21 frames."""
    execution = Execution(nodes, execution_id)
    await execution.open()
    for number in range(20):
        await execution.publish(f"line {number}")
    return execution


@pytest.fixture
def replica(whole_cluster: Cluster, execution: Execution) -> Iterator[Server]:
    """The replica that holds it, when it does."""
    slot = whole_cluster.servers[0].ask("CLUSTER", "KEYSLOT", execution.keys.stream)
    primary = whole_cluster.primary_of(slot)
    (replica,) = whole_cluster.replicas_of(primary)

    def is_there() -> bool:
        return written(replica) >= written(primary)

    until(is_there, "the replica has it")
    yield replica
    replica.thaw()


def written(server: Server) -> int:
    """How far its data goes, as bytes of what was replicated."""
    rows = server.ask("INFO", "replication").decode().splitlines()
    row = next(row for row in rows if row.startswith("master_repl_offset:"))
    return int(row.partition(":")[2])


def ranges(server: Server) -> int:
    stats = server.ask("INFO", "commandstats").decode().splitlines()
    row = next((row for row in stats if row.startswith("cmdstat_xrange:")), "calls=0,")
    return int(row.partition("calls=")[2].partition(",")[0])


async def seqs(execution: Execution, entries: int) -> list[int]:
    reader = StreamReader(execution.nodes, replicas=True)
    cursor = START
    found: list[int] = []
    while True:
        verdict, bounds = await reader.after(execution.id, cursor, entries)
        assert isinstance(verdict, Continues)
        if not verdict.entries:
            return found
        found += [entry.seq for entry in verdict.entries]
        cursor = verdict.entries[-1].end
        assert bounds.last.number == 21


async def test_full_pages_come_from_a_replica_and_the_rest_from_the_primary(
    execution: Execution, replica: Server
) -> None:
    before = ranges(replica)
    assert await seqs(execution, 5) == list(range(1, 22))
    assert ranges(replica) - before == 6  # the last two of them are not full


async def test_a_replica_that_is_away_is_not_missed(
    whole_cluster: Cluster, execution: Execution, replica: Server
) -> None:
    replica.freeze()
    quick = Nodes.connect(whole_cluster.url, timeout_seconds=0.3)
    assert await seqs(Execution(quick, execution.id), 21) == list(range(1, 22))
    await quick.close()


class Misled(Nodes):
    """Nodes that take another engine, which holds another history, for the replica."""

    other: Redis

    async def replica_of(self, execution_id: str) -> Redis | None:
        return self.other


async def test_a_page_that_the_primary_does_not_hold_is_not_believed(
    whole_cluster: Cluster, engine_url: str, execution: Execution
) -> None:
    elsewhere = Nodes.connect(engine_url)
    other = Execution(elsewhere, execution.id)
    await other.open()
    for number in range(30):
        await other.publish(f"of another history {number}")
    misled = Misled.connect(whole_cluster.url)
    assert isinstance(misled, Misled)
    misled.other = await elsewhere.node_of(execution.id)
    assert await seqs(Execution(misled, execution.id), 5) == list(range(1, 22))
    await misled.close()
    await elsewhere.close()
