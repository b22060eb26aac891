"""Take stock of what the engine holds, a bounded part at a time, and mend the list of executions.

Two walks that begin anew when they have been everywhere: over the keys of every node, and over the
list. What lies between two steps may change; each step is true only of its own moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis.asyncio import Redis

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.shared_link import Command
from runtail_broker.executions import Executions
from runtail_broker.keys import (
    EXECUTION_KEYS,
    ExecutionKeys,
    found,
    index_of,
    indexes,
    is_id,
    probe,
)
from runtail_broker.script import script
from runtail_broker.standing import FIELDS, Standing

log = logging.getLogger("runtail.broker")


@dataclass(frozen=True, slots=True)
class Kept:
    """What the engine holds of one execution: its place in the list, its state, its stream.

    *listed_at* is ms since 1970; *last_id* that of a stream without a state, '' if there is none.
    *left_over* says that there is neither, and something that belonged to them all the same.
    """

    id: str
    listed_at: float | None
    standing: Standing | None
    last_id: str = ""
    left_over: bool = False


class KeyWalk:
    """Walk over the keys of all nodes, one node after the other."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._tags: list[str] = []  # one for each node that is still to be walked over
        self._cursor = 0

    async def step(self, keys: int) -> tuple[list[str], bool]:
        """Look at about so many keys; the executions among them, and whether the walk is over."""
        if not self._tags:
            self._tags = [shard.tag for shard in await self._nodes.shards()]
        self._cursor, names = await self._nodes.at(
            probe(self._tags[0]),
            lambda node: node.scan(self._cursor, match=EXECUTION_KEYS, count=keys),
        )
        if self._cursor == 0:
            self._tags.pop(0)
        executions = (found(name) for name in names)
        return list(dict.fromkeys(name for name in executions if name)), not self._tags


class ListWalk:
    """Walk over the list of executions, one part after the other."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._parts: list[str] = []
        self._cursor = 0

    async def step(self, places: int) -> tuple[dict[str, float], bool]:
        """Look at about so many places; where each execution stands, and whether it is over."""
        self._parts = self._parts or list(indexes())
        listed: dict[str, float] = {}
        while self._parts and len(listed) < places:
            key = self._parts[0]
            self._cursor, rows = await self._nodes.at(key, partial(self._scan, key, places))
            listed.update((name.decode("utf-8", "replace"), score) for name, score in rows)
            if self._cursor == 0:
                self._parts.pop(0)
        return listed, not self._parts

    async def _scan(self, key: str, places: int, node: Redis) -> Any:
        return await node.zscan(key, self._cursor, count=places)


class Inventory:
    """What the engine holds, and changes of the list. Raises what `Nodes` raises."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes, self._executions = nodes, Executions(nodes)

    async def now_ms(self) -> int:
        """Ask what time it is by the engine's clock."""
        seconds, micros = await self._nodes.at(probe("0"), lambda node: node.time())
        return int(seconds) * 1000 + int(micros) // 1000

    async def kept(self, ids: Iterable[str]) -> list[Kept]:
        """Look at executions that may exist; what no script has written is left out."""
        names = [name for name in ids if is_id(name)]
        listed = await self._listed(names)
        stored = await self._executions.read_all(names, _read_state)
        standings = {name: _standing(name, values) for name, values in stored.items()}
        gone = [name for name, values in stored.items() if values[0] is None]
        streams = await self._executions.read_all(gone, _read_last)
        empty = [name for name, rows in streams.items() if not rows]
        left = await self._executions.read_all(empty, _read_left)
        return [
            Kept(
                name,
                listed.get(name),
                standings.get(name),
                _last_id(streams.get(name)),
                bool(left.get(name)),
            )
            for name in names
            if standings.get(name) or name in streams
        ]

    async def relist(self, places: Mapping[str, float]) -> int:
        """Put executions that are not on the list at their places; say how many were not."""
        added = 0
        for key, some in _by_part(places).items():
            added += await self._nodes.at(key, partial(_list, key, some))
        return added

    async def unlist(self, places: Mapping[str, float]) -> list[str]:
        """Take off the list what still stands at its place; list what it took off.

        Whatever exists by then is put back: it was opened after it had been looked at.
        """
        gone: list[str] = []
        for key, some in _by_part(places).items():
            gone += await self._nodes.at(key, partial(_unlist, key, some))
        back = [kept.id for kept in await self.kept(gone) if kept.standing or kept.last_id]
        await self.relist({name: places[name] for name in back})
        return [name for name in gone if name not in back]

    async def _listed(self, names: Sequence[str]) -> dict[str, float]:
        parts = _by_part(dict.fromkeys(names, 0.0))
        scores = await asyncio.gather(
            *(self._nodes.at(key, partial(_places, key, list(some))) for key, some in parts.items())
        )
        rows = zip(parts.values(), scores, strict=True)
        pairs = (pair for some, found in rows for pair in zip(some, found, strict=True))
        return {name: score for name, score in pairs if score is not None}


async def _list(key: str, places: Mapping[str, float], node: Redis) -> int:
    return int(await node.zadd(key, dict(places), nx=True) or 0)


async def _places(key: str, names: Sequence[str], node: Redis) -> list[float | None]:
    scores: list[float | None] = await node.zmscore(key, list(names))
    return scores


async def _unlist(key: str, places: Mapping[str, float], node: Redis) -> list[str]:
    seen = [text for name, score in places.items() for text in (name, repr(score))]
    gone = await node.eval(script("unlist").text, 1, key, *seen)
    return [name.decode() for name in gone]


def _by_part(places: Mapping[str, float]) -> dict[str, dict[str, float]]:
    parts: dict[str, dict[str, float]] = {}
    for name, place in places.items():
        parts.setdefault(index_of(name), {})[name] = place
    return parts


def _read_state(name: str) -> Command:
    return ("HMGET", ExecutionKeys.of(name).state, *FIELDS)


def _read_last(name: str) -> Command:
    return ("XREVRANGE", ExecutionKeys.of(name).stream, "+", "-", "COUNT", 1)


def _read_left(name: str) -> Command:
    keys = ExecutionKeys.of(name)
    return ("EXISTS", keys.publishers, keys.steps, keys.notes)


def _last_id(rows: list[Any] | None) -> str:
    return rows[0][0].decode() if rows else ""


def _standing(name: str, values: Sequence[bytes | None]) -> Standing | None:
    try:
        return Standing.read(values)
    except ValueError as error:
        log.warning("what the engine holds of %s cannot be read: %s", name, error)
        return None
