"""A cluster of the suite's own: its primaries change and its slots move, as operators do it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.crc import key_slot
from redis.exceptions import RedisError
from tests.engine_sets import START_SECONDS, Cluster, engine_cluster
from tests.faults.line_worker import Direct
from tests.polling import until
from tests.server_process import Server
from tests.slot_move import SlotMove

from runtail_broker.keys import ExecutionKeys


class ClusterEngine:
    """Three primaries and their replicas. What is done to them concerns one execution's slot."""

    frozen = False

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._move: SlotMove | None = None

    @property
    def url(self) -> str:
        return self._cluster.url_as("operator")

    def worker_link(self) -> Direct:
        """Make a way for a worker."""
        return Direct(self._cluster.url_as("runtail-worker"))

    def gateway_link(self) -> Direct:
        """Make a way for a gateway."""
        return Direct(self._cluster.url)

    def ask(self, *command: str | int) -> None:
        """Run a command on all primaries."""
        for server in self._cluster.servers:
            with suppress(RedisError):
                if server.ask("ROLE")[0] == b"master":
                    server.ask(*command)

    def fail_over_by_command(self, execution_id: str) -> None:
        """Let a replica take over from the primary, which lives on as a replica."""
        primary = self._sound_primary(execution_id)
        replica = self._cluster.replicas_of(primary)[0]
        replica.ask("CLUSTER", "FAILOVER")
        self._until_another_serves(execution_id, primary)

    def fail_over_by_kill(self, execution_id: str) -> None:
        """Kill the primary; what it had not sent to its replica is lost. It comes back later."""
        primary = self._sound_primary(execution_id)
        primary.kill()
        self._until_another_serves(execution_id, primary)

    def migrate_slot(self, execution_id: str) -> None:
        """Take one step of moving the slot to another primary: begin, move a key, move the rest."""
        if self._move is None:
            self._sound_primary(execution_id)
            self._move = SlotMove.of(self._cluster, execution_id)
            self._move.begin()
        elif len(keys := sorted(self._move.keys())) > 1:
            self._move.move(keys[0])
        else:
            self.end_move()

    def end_move(self) -> None:
        """Move what is left of a slot that is moving."""
        if self._move is not None:
            self._move.finish()
            self._move = None

    def _sound_primary(self, execution_id: str) -> Server:
        """Mend the cluster, and find the primary of the execution's slot."""
        self.end_move()
        for server in self._cluster.servers:
            if server.process is None or server.process.poll() is not None:
                server.restart()
        until(self._cluster.is_whole, "the cluster is whole", START_SECONDS)
        primary = self._cluster.primary_of(_slot(execution_id))
        until(lambda: bool(self._cluster.replicas_of(primary)), "it has a replica", START_SECONDS)
        return primary

    def _until_another_serves(self, execution_id: str, former: Server) -> None:
        slot = _slot(execution_id)

        def another() -> bool:
            with suppress(RedisError, ValueError):
                return self._cluster.primary_of(slot) is not former
            return False

        until(another, "another one is primary", START_SECONDS)

    # --- what a cluster is spared ------------------------------------------------------------

    def thaw(self) -> None:
        """No server is frozen."""

    def empty(self) -> None:
        """No memory is filled."""

    def empty_disk(self) -> None:
        """No disk is filled."""


def _slot(execution_id: str) -> int:
    return key_slot(ExecutionKeys.of(execution_id).state.encode())


@contextmanager
def cluster() -> Iterator[ClusterEngine]:
    """Run one."""
    with engine_cluster("valkey") as servers:
        yield ClusterEngine(servers)
