"""Look executions up: one state, many by their creation time, who has one open."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from runtail_broker.client import Nodes
from runtail_broker.keys import ExecutionKeys, indexes
from runtail_broker.proof import BOUNDS, Bounds
from runtail_broker.state import ExecutionState


@dataclass(frozen=True, slots=True)
class Publisher:
    """What an execution knows of one of its publishers."""

    id: str
    last_batch: int
    records: int
    open: bool
    dropped: int
    beat: int
    role: str

    @classmethod
    def read(cls, name: bytes, packed: bytes) -> Publisher:
        """Read a field of the publishers hash (its layout is in append.lua)."""
        last, count, is_open, dropped, beat, _, role = packed.decode().split(" ")
        return cls(
            name.decode(), int(last), int(count), is_open == "1", int(dropped), int(beat), role
        )


class Executions:
    """Read what the engine knows of executions. Raises what `Nodes` raises."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    async def state(self, execution_id: str) -> ExecutionState | None:
        """Read one state; None when the execution does not exist."""
        state, _ = await self.look(execution_id)
        return state

    async def look(self, execution_id: str) -> tuple[ExecutionState | None, Bounds]:
        """Read one state, and what it says of the stream, in the same moment."""
        key = ExecutionKeys.of(execution_id).state
        stored = await self._nodes.at(key, lambda node: node.hgetall(key))
        bounds = Bounds.read([stored.get(name.encode()) for name in BOUNDS])
        return ExecutionState.read(execution_id, stored), bounds

    async def publishers(self, execution_id: str) -> list[Publisher]:
        """List the publishers of one execution."""
        key = ExecutionKeys.of(execution_id).publishers
        packed = await self._nodes.at(key, lambda node: node.hgetall(key))
        return [Publisher.read(name, value) for name, value in packed.items()]

    async def newest(self, limit: int) -> list[ExecutionState]:
        """List the *limit* executions that were created last, newest first.

        One that the index names but that does not exist (its opening never came) is left out.
        """
        newest = await asyncio.gather(*(self._of_index(key, limit) for key in indexes()))
        ids = [name for _, name in sorted((row for rows in newest for row in rows), reverse=True)]
        return await self._states(ids[:limit])

    async def _of_index(self, key: str, limit: int) -> list[tuple[float, str]]:
        rows = await self._nodes.at(
            key, lambda node: node.zrange(key, 0, limit - 1, desc=True, withscores=True)
        )
        return [(float(score), name.decode()) for name, score in rows]

    async def _states(self, ids: list[str]) -> list[ExecutionState]:
        """Read many states, in one round trip per node."""
        by_node: dict[Redis, list[str]] = {}
        for name in ids:
            by_node.setdefault(await self._nodes.node_of(name), []).append(name)
        found: dict[str, ExecutionState | None] = {}
        for names in by_node.values():
            found.update(await self._states_at(names))
        return [state for name in ids if (state := found[name]) is not None]

    async def _states_at(self, names: list[str]) -> dict[str, ExecutionState | None]:
        async def read(node: Redis) -> list[Any]:
            pipe = node.pipeline(transaction=False)
            for name in names:
                pipe.hgetall(ExecutionKeys.of(name).state)
            return await pipe.execute()

        stored = await self._nodes.at(ExecutionKeys.of(names[0]).state, read)
        return {
            name: ExecutionState.read(name, values)
            for name, values in zip(names, stored, strict=True)
        }
