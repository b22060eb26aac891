"""Bring what workers say over HTTP to the engine, as their SDK would do it by itself."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from runtail_broker.acks import MEMORY, Acks
from runtail_broker.connections.client import Nodes
from runtail_broker.connections.ending import end
from runtail_broker.errors import EngineRefused, RuntailError, Unavailable
from runtail_broker.keys import ExecutionKeys, index_of
from runtail_broker.script import Answer, Call, Limits
from runtail_gateway.executions.list_watch import tell_all
from runtail_gateway.metrics.metrics import Metrics

_LISTED_AT_ONCE = 64
_OTHERS_SECONDS = 1.0  # for other nodes, when one has answered
T = TypeVar("T")
_CHANGING = ("open", "close", "finish")  # what watchers of the list are told of


class PublishEngine:
    """The engine behind a gateway, for those who publish. Use within one event loop."""

    def __init__(self, nodes: Nodes, limits_seconds: float, metrics: Metrics) -> None:
        self._nodes, self._limits_seconds, self.metrics = nodes, limits_seconds, metrics
        self._limits: tuple[float, Limits] | None = None
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def limits(self) -> Limits:
        """Return the limits that operators keep in the engine, as of not long ago."""
        now = time.monotonic()
        if self._limits is None or now - self._limits[0] > self._limits_seconds:
            try:
                self._limits = now, await self._nodes.limits()
            except Unavailable:
                if self._limits is None:
                    raise  # else those of before count: the node that has them may be away for long
            except (ValueError, TypeError):
                self._limits = now, Limits()  # somebody's typing error must not stop the workers
        return self._limits[1]

    async def enlist(self, execution_ids: Sequence[str]) -> None:
        """List executions in their indexes, before they open; an earlier listing keeps its time."""
        for error in (await self.enlist_all(execution_ids)).values():
            raise error

    async def enlist_all(self, execution_ids: Sequence[str]) -> dict[str, RuntailError]:
        """Do it; say which could not be listed, and why."""
        failed: dict[str, RuntailError] = {}
        for start in range(0, len(execution_ids), _LISTED_AT_ONCE):
            some = execution_ids[start : start + _LISTED_AT_ONCE]
            results = await asyncio.gather(*map(self._enlist, some), return_exceptions=True)
            for name, result in zip(some, results, strict=True):
                if isinstance(result, RuntailError):
                    failed[name] = result
                elif result is not None:
                    raise result
        return failed

    async def _enlist(self, execution_id: str) -> None:
        key, now_ms = index_of(execution_id), int(time.time() * 1000)
        async with _not_for_long():
            await self._nodes.at(key, lambda node: node.zadd(key, {execution_id: now_ms}, nx=True))

    async def primary(self, execution_id: str) -> str:
        """Name the server that is primary for the execution now; '' where servers have no name."""
        key = ExecutionKeys.of(execution_id).state
        try:
            async with _not_for_long():
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

        A node that is away fails its own calls alone, and holds up those of others for a second at
        most.
        """
        answers: dict[int, Answer | RuntailError] = {}
        by_node: dict[object, list[int]] = {}
        for index, call in enumerate(calls):
            try:
                node = await self._nodes.node_of(call.execution_id)
            except Unavailable as error:
                answers[index] = error
            else:
                by_node.setdefault(node, []).append(index)
        seconds = _OTHERS_SECONDS + (acks.seconds if acks.command else 0)
        running = {
            asyncio.create_task(
                self._at_one([calls[index] for index in indexes], replicated, acks)
            ): indexes
            for indexes in by_node.values()
        }
        for task in await _done_soon(running, seconds):
            answers.update(zip(running.pop(task), task.result(), strict=True))
        await end(*running)
        silent = Unavailable("the node that serves it does not answer")
        answers.update((index, silent) for indexes in running.values() for index in indexes)
        changed = {call.execution_id for call in calls if call.script.name in _CHANGING}
        await tell_all(self._nodes, changed)
        told = [answers[index] for index in range(len(calls))]
        for call, answer in zip(calls, told, strict=True):
            self.metrics.publish_answered(call.script.name, _word(answer))
        return told

    async def _at_one(
        self, calls: Sequence[Call], replicated: bool, acks: Acks
    ) -> list[Answer | RuntailError]:
        try:
            return await self._nodes.run_all(calls, replicated=replicated, acks=acks)
        except RuntailError as error:
            return [error] * len(calls)

    def turn(self, execution_id: str) -> asyncio.Lock:
        """Make those who publish to one execution without numbers of their own take turns."""
        lock = self._turns.get(execution_id)
        if lock is None:
            lock = self._turns[execution_id] = asyncio.Lock()
        return lock


def _word(answer: Answer | RuntailError) -> str:
    return answer.word if isinstance(answer, Answer) else "error"


@asynccontextmanager
async def _not_for_long() -> AsyncIterator[None]:
    """Let what one node is asked for hold up the requests about others for a second at most."""
    try:
        async with asyncio.timeout(_OTHERS_SECONDS):
            yield
    except TimeoutError as error:
        raise Unavailable("the node that serves it does not answer") from error


async def _done_soon(tasks: Collection[asyncio.Task[T]], seconds: float) -> set[asyncio.Task[T]]:
    """Wait for one of *tasks*, then *seconds* for the others; give those that are done.

    Cancels them all if it is cancelled.
    """
    if not tasks:
        return set()
    try:
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if rest:
            later, _ = await asyncio.wait(rest, timeout=seconds)
            done |= later
        return done
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        raise
