"""Opening and ending wait for the replicas that exist: what a viewer was told, a failover keeps."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
import redis
from tests.engines import free_port, redis_server

from runtail_broker.connections.client import Nodes
from runtail_broker.script import Limits, close_call, finish_call, open_call
from runtail_broker.stream import StreamReader

pytestmark = pytest.mark.redis_server
DEADLINE_SECONDS = 20.0


@dataclass(frozen=True)
class Pair:
    """A primary and its replica, by their URLs."""

    primary: str
    replica: str

    @contextmanager
    def replica_frozen(self) -> Iterator[None]:
        """Stop the replica's process, which stays connected."""
        with redis.Redis.from_url(self.replica) as client:
            pid = int(client.info("server")["process_id"])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        primary = stack.enter_context(redis_server())
        replica = stack.enter_context(redis_server())
        with redis.Redis.from_url(primary) as first, redis.Redis.from_url(replica) as second:
            second.execute_command("REPLICAOF", "127.0.0.1", _listen(first))
            _until_linked(first)
        yield Pair(primary, replica)


def _listen(client: redis.Redis) -> int:
    """Let a server that listens on a socket only listen on a free port of loopback too."""
    port = free_port()
    client.config_set("port", port)
    return port


def _until_linked(primary: redis.Redis) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not primary.execute_command("ROLE")[2]:
        assert time.monotonic() < deadline, "no replica has linked to its primary"
        time.sleep(0.05)


async def _finished(nodes: Nodes, execution_id: str, *, replicated: bool) -> None:
    await nodes.run_all([open_call(execution_id, "p", "owner", "", Limits())])
    await nodes.run_all([close_call(execution_id, "p", 0, "completed")], replicated=replicated)
    await nodes.run_all([finish_call(execution_id)], replicated=replicated)


async def test_what_was_ended_is_on_the_replica_when_the_call_returns(
    pair: Pair, execution_id: str
) -> None:
    nodes, copy = Nodes.connect(pair.primary), Nodes.connect(pair.replica)
    await _finished(nodes, execution_id, replicated=True)
    assert (await StreamReader(copy).bounds(execution_id)).end
    await nodes.close()
    await copy.close()


async def test_a_replica_that_does_not_answer_is_waited_for_a_second_and_no_longer(
    pair: Pair, execution_id: str
) -> None:
    nodes = Nodes.connect(pair.primary)
    with pair.replica_frozen():
        begun = time.monotonic()
        await _finished(nodes, execution_id, replicated=True)
        took = time.monotonic() - begun
    assert 1.8 < took < 4.5  # the closing and the ending, a second each
    await nodes.close()


async def test_publishing_waits_for_no_replica(pair: Pair, execution_id: str) -> None:
    nodes = Nodes.connect(pair.primary)
    with pair.replica_frozen():
        begun = time.monotonic()
        await _finished(nodes, execution_id, replicated=False)
        assert time.monotonic() - begun < 1
    await nodes.close()
