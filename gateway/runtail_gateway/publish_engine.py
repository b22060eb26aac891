"""Bring what workers say over HTTP to the engine, as their SDK would do it by itself."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Sequence

from runtail_broker.acks import MEMORY, Acks
from runtail_broker.client import Nodes
from runtail_broker.errors import EngineRefused, RuntailError
from runtail_broker.keys import ExecutionKeys, index_of
from runtail_broker.script import Answer, Call, Limits
from runtail_gateway.list_watch import tell_all

_LISTED_AT_ONCE = 64
_CHANGING = ("open", "close", "finish")  # what watchers of the list are told of


class PublishEngine:
    """The engine behind a gateway, for those who publish. Use within one event loop."""

    def __init__(self, nodes: Nodes, limits_seconds: float) -> None:
        self._nodes, self._limits_seconds = nodes, limits_seconds
        self._limits: tuple[float, Limits] | None = None
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def limits(self) -> Limits:
        """Return the limits that operators keep in the engine, as of not long ago."""
        now = time.monotonic()
        if self._limits is None or now - self._limits[0] > self._limits_seconds:
            try:
                self._limits = now, await self._nodes.limits()
            except (ValueError, TypeError):
                self._limits = now, Limits()  # somebody's typing error must not stop the workers
        return self._limits[1]

    async def enlist(self, execution_ids: Sequence[str]) -> None:
        """List executions in their indexes, before they open; an earlier listing keeps its time."""
        for start in range(0, len(execution_ids), _LISTED_AT_ONCE):
            some = execution_ids[start : start + _LISTED_AT_ONCE]
            await asyncio.gather(*map(self._enlist, some))

    async def _enlist(self, execution_id: str) -> None:
        key, now_ms = index_of(execution_id), int(time.time() * 1000)
        await self._nodes.at(key, lambda node: node.zadd(key, {execution_id: now_ms}, nx=True))

    async def primary(self, execution_id: str) -> str:
        """Name the server that is primary for the execution now; '' where servers have no name."""
        key = ExecutionKeys.of(execution_id).state
        try:
            info = await self._nodes.at(key, lambda node: node.info("server"))
        except EngineRefused:
            return ""
        return str(info.get("run_id", ""))

    async def run(self, call: Call, *, replicated: bool = False, acks: Acks = MEMORY) -> Answer:
        """Run one call; raise what went wrong."""
        (answer,) = await self.run_all([call], replicated=replicated, acks=acks)
        if isinstance(answer, RuntailError):
            raise answer
        return answer

    async def run_all(
        self, calls: Sequence[Call], *, replicated: bool, acks: Acks = MEMORY
    ) -> list[Answer | RuntailError]:
        """Run calls, those of one node in their order and one round trip; answers in order.

        A node that is away fails its own calls alone.
        """
        by_node: dict[object, list[int]] = {}
        for index, call in enumerate(calls):
            node = await self._nodes.node_of(call.execution_id)
            by_node.setdefault(node, []).append(index)
        answers: dict[int, Answer | RuntailError] = {}

        async def at_one(indexes: Sequence[int]) -> None:
            some = [calls[index] for index in indexes]
            try:
                results = await self._nodes.run_all(some, replicated=replicated, acks=acks)
            except RuntailError as error:
                results = [error] * len(some)
            answers.update(zip(indexes, results, strict=True))

        await asyncio.gather(*map(at_one, by_node.values()))
        changed = {call.execution_id for call in calls if call.script.name in _CHANGING}
        await tell_all(self._nodes, changed)
        return [answers[index] for index in range(len(calls))]

    def turn(self, execution_id: str) -> asyncio.Lock:
        """Make those who publish to one execution without numbers of their own take turns."""
        lock = self._turns.get(execution_id)
        if lock is None:
            lock = self._turns[execution_id] = asyncio.Lock()
        return lock
