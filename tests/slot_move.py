"""Move one slot of a cluster from server to server, step by step, as `redis-cli --cluster` does."""

from __future__ import annotations

from dataclasses import dataclass

from redis.crc import key_slot
from tests.engine_sets import Cluster
from tests.server_process import Server

from runtail_broker.keys import ExecutionKeys


@dataclass(frozen=True, slots=True)
class SlotMove:
    """The slot of an execution, the server that has it, and another primary that gets it."""

    cluster: Cluster
    slot: int
    source: Server
    target: Server

    @classmethod
    def of(cls, cluster: Cluster, execution_id: str) -> SlotMove:
        """Plan to move the slot of *execution_id* to the primary of other slots."""
        slot = key_slot(ExecutionKeys.of(execution_id).state.encode())
        source = cluster.primary_of(slot)
        others = (cluster.primary_of(other) for other in range(100, 16_384, 2000))
        return cls(cluster, slot, source, next(other for other in others if other is not source))

    def begin(self) -> None:
        """Let the source lead to the target for what it has not."""
        self._set(self.target, "IMPORTING", _name(self.source))
        self._set(self.source, "MIGRATING", _name(self.target))

    def keys(self) -> list[str]:
        """List the keys of the slot that are at the source."""
        found = self.source.ask("CLUSTER", "GETKEYSINSLOT", self.slot, 1000)
        return [key.decode() for key in found]

    def move(self, *keys: str) -> None:
        """Move *keys*."""
        if keys:
            place = ("MIGRATE", "127.0.0.1", self.target.port, "", 0, 5000, "AUTH2")
            self.source.ask(*place, "operator", "change-me-operator", "KEYS", *keys)

    def finish(self) -> None:
        """Move what is left, and make the target the slot's owner."""
        self.move(*self.keys())
        name = _name(self.target)
        for server in (self.target, self.source):
            self._set(server, "NODE", name)
        for server in self.cluster.servers:
            if server not in (self.target, self.source) and server.ask("ROLE")[0] == b"master":
                self._set(server, "NODE", name)

    def _set(self, server: Server, word: str, name: str) -> None:
        server.ask("CLUSTER", "SETSLOT", self.slot, word, name)


def _name(server: Server) -> str:
    return str(server.ask("CLUSTER", "MYID").decode())
