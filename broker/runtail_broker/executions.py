"""Look executions up: one state, many by their creation time, who has one open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

from redis.asyncio import Redis

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.shared_link import Command
from runtail_broker.errors import EngineRefused
from runtail_broker.keys import INDEX_BUCKETS, ExecutionKeys, indexes
from runtail_broker.proof import BOUNDS, Bounds, require_known
from runtail_broker.state import ExecutionState

T = TypeVar("T")
log = logging.getLogger("runtail.broker")
_LOOK = ("epoch", "seq", "status", "open", "lost", "end", "format")
_READ_AT_ONCE = 200  # then the event loop gets to others
_TIES = 1000  # executions that one part of the index may hold of one millisecond
Listed = tuple[int, str]
"""When an execution was created (ms since 1970), and its id: its place in the list of all."""
NEWEST: Final[Listed] = (2**53, "")
Reading = Callable[[str], Command]  # makes the command that reads something of an execution


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
    lost: bool = False
    """Marked lost; one that is not open then was given up."""
    entry: str = ""
    """What is stored of it: the same, byte for byte, while it is silent."""

    @classmethod
    def read(cls, name: bytes, packed: bytes) -> Publisher:
        """Read a field of the publishers hash (its layout is in append.lua)."""
        entry = packed.decode()
        last, count, is_open, dropped, beat, _, role, *_ = entry.split(" ")
        return cls(
            name.decode(),
            int(last),
            int(count),
            is_open in ("1", "2"),
            int(dropped),
            int(beat),
            role,
            is_open in ("2", "3"),
            entry,
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What an execution's state says in one moment of whether anybody still writes to it.

    *publishers* are read a moment later, and only for one that has not ended.
    """

    id: str
    epoch: int
    seq: int
    status: str
    open: int
    lost: int
    ended: bool
    publishers: tuple[Publisher, ...] = ()

    @classmethod
    def read(cls, name: str, values: Sequence[bytes | None]) -> Look | None:
        """Read the fields named in `_LOOK`; None when the execution does not exist."""
        epoch, seq, status, is_open, lost, end, form = values
        if epoch is None:
            return None
        require_known(form)
        numbers = (int(is_open or 0), int(lost or 0))
        return cls(name, int(epoch), int(seq or 0), (status or b"").decode(), *numbers, bool(end))

    @property
    def seen(self) -> str:
        """What the scripts compare: it changes with every record."""
        return f"{self.epoch} {self.seq}"


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
        key = _state(execution_id)
        stored = await self._nodes.ask(key, ("HGETALL", key))
        bounds = Bounds.read([stored.get(name.encode()) for name in BOUNDS])
        return ExecutionState.read(execution_id, stored), bounds

    async def publishers(self, execution_id: str) -> list[Publisher]:
        """List the publishers of one execution."""
        key = _publishers(execution_id)
        return list(_read(await self._nodes.ask(key, ("HGETALL", key))))

    async def newest(self, limit: int) -> list[ExecutionState]:
        """List the *limit* executions that were created last, newest first.

        One that the index names but that does not exist (its opening never came) is left out.
        """
        return await self.states([name for _, name in await self.older(NEWEST, limit)])

    async def older(self, place: Listed, limit: int) -> list[Listed]:
        """List the *limit* executions of the index before *place*, the newest first."""
        parts = await asyncio.gather(*(self._older(key, place, limit) for key in indexes()))
        return sorted((row for rows in parts for row in rows), reverse=True)[:limit]

    async def since(self, ms: int, most: int) -> tuple[list[Listed], int]:
        """List those created at *ms* or later, or about the *most* newest of them, newest first.

        Also says since when (ms) these are all that the index holds: *ms*, or later.
        """
        each = max(1, most // INDEX_BUCKETS)
        parts = await asyncio.gather(*(self._since(key, ms, each) for key in indexes()))
        # of a part that gave as many as were asked for, older ones may be left
        whole = max([ms, *(rows[-1][0] + 1 for rows in parts if len(rows) == each)])
        listed = (row for rows in parts for row in rows if row[0] >= whole)
        return sorted(listed, reverse=True), whole

    async def _since(self, key: str, ms: int, limit: int) -> list[Listed]:
        rows = await self._nodes.at(
            key,
            lambda node: node.zrange(
                key, "+inf", ms, desc=True, byscore=True, withscores=True, offset=0, num=limit
            ),
        )
        return [(int(score), name.decode()) for name, score in rows]

    async def looks(self, ids: Sequence[str]) -> list[Look]:
        """Look at many executions that may exist, and who publishes to those that did not end.

        One that holds what no script has written there is left out, and warned of.
        """
        found = await self.read_all(ids, lambda name: ("HMGET", _state(name), *_LOOK))
        read = (_readable(name, partial(Look.read, name, found[name])) for name in found)
        looks = [look for look in read if look is not None]
        running = [look.id for look in looks if not look.ended]
        opened = await self.read_all(running, lambda name: ("HGETALL", _publishers(name)))
        whole = (
            _readable(look.id, partial(_with_publishers, look, opened.get(look.id, {})))
            for look in looks
        )
        return [look for look in whole if look is not None]

    async def listed(self, offset: int, count: int) -> list[str]:
        """List *count* ids of each part of the index, newest first, after the *offset* newest."""
        last = offset + count - 1
        parts = await self._nodes.ask_each(
            [("ZRANGE", key, offset, last, "REV") for key in indexes()]
        )
        refused = next((part for part in parts if isinstance(part, EngineRefused)), None)
        if refused is not None:
            raise refused
        return [name.decode() for part in parts for name in part]

    async def _older(self, key: str, place: Listed, limit: int) -> list[Listed]:
        async def read(node: Redis) -> list[Any]:
            ms, _ = place
            pipe = node.pipeline(transaction=True)
            # those of the same millisecond are in order of their ids
            pipe.zrange(key, ms, ms, desc=True, byscore=True, withscores=True, offset=0, num=_TIES)
            pipe.zrange(
                key, f"({ms}", "-inf", desc=True, byscore=True, withscores=True, offset=0, num=limit
            )
            return await pipe.execute()

        ties, rest = await self._nodes.at(key, read)
        listed = [(int(score), name.decode()) for name, score in [*ties, *rest]]
        return [row for row in listed if row < place][:limit]

    async def states(self, ids: list[str]) -> list[ExecutionState]:
        """Read the states of those of *ids* that exist, in their order."""
        stored = await self.read_all(ids, lambda name: ("HGETALL", _state(name)))
        found = (
            _readable(name, partial(ExecutionState.read, name, stored[name]))
            for name in ids
            if name in stored
        )
        return [state for state in found if state is not None]

    async def read_all(self, ids: Sequence[str], read: Reading) -> dict[str, Any]:
        """Read what *read* says of each of *ids*; what was answered, by id.

        In one round trip for a few hundred of a node. One that is of a type that no script makes is
        left out, and warned of.
        """
        found: dict[str, Any] = {}
        for start in range(0, len(ids), _READ_AT_ONCE):
            some = ids[start : start + _READ_AT_ONCE]
            answers = await self._nodes.ask_each([read(name) for name in some])
            found.update(zip(some, answers, strict=True))
        for name in [name for name, answer in found.items() if isinstance(answer, EngineRefused)]:
            if not str(found[name]).startswith("WRONGTYPE"):
                raise found[name]
            log.warning("what the engine holds of %s is of another type", name)
            del found[name]
        return found


def _state(execution_id: str) -> str:
    return ExecutionKeys.of(execution_id).state


def _publishers(execution_id: str) -> str:
    return ExecutionKeys.of(execution_id).publishers


def _with_publishers(look: Look, packed: dict[bytes, bytes]) -> Look:
    return replace(look, publishers=_read(packed))


def _readable(execution_id: str, read: Callable[[], T | None]) -> T | None:
    try:
        return read()
    except ValueError as error:
        log.warning("what the engine holds of %s cannot be read: %s", execution_id, error)
        return None


def _read(packed: dict[bytes, bytes]) -> tuple[Publisher, ...]:
    return tuple(Publisher.read(name, value) for name, value in packed.items())
