"""Read the notes that people pin to an execution's lines: a stream beside its log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from redis.asyncio import Redis

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import ExecutionKeys

NO_PLACE: Final = "-"
"""The place of notes of an execution that does not exist."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it is now: *fields* as people see it, *entry* where it is kept.

    *mark* says who may change it, in words that only the gateway compares; '' for nobody.
    """

    id: str
    entry: str
    mark: str
    fields: dict[str, Any]

    @classmethod
    def read(cls, entry: bytes, fields: Mapping[bytes, bytes]) -> Note:
        """Read an entry of the stream (its layout is in note.lua)."""
        seen = orjson.loads(fields[b"j"])
        return cls(seen["id"], entry.decode(), fields.get(b"a", b"").decode(), seen)


@dataclass(frozen=True, slots=True)
class Board:
    """All notes of an execution in one moment; *place* changes with each of their changes."""

    place: str
    notes: dict[str, Note]
    epoch: int = 0
    noted: int = 0
    """Which change was the last; it only rises (see note.lua)."""

    @property
    def exists(self) -> bool:
        """Whether the execution is there."""
        return self.place != NO_PLACE


class Notes:
    """Read notes. Raises what `Nodes` raises."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    async def board(self, execution_id: str) -> Board:
        """Read all notes; as many as note.lua lets there be."""
        keys = ExecutionKeys.of(execution_id)

        async def act(node: Redis) -> Any:
            pipe = node.pipeline(transaction=True)
            pipe.hmget(keys.state, ["epoch", "noted"])
            pipe.xrange(keys.notes)
            return await pipe.execute()

        (epoch, noted), rows = await self._nodes.at(keys.state, act)
        if epoch is None:
            return Board(NO_PLACE, {})
        notes = [Note.read(entry, fields) for entry, fields in rows]
        history, change = int(epoch), int(noted or 0)
        by_id = {note.id: note for note in notes}
        return Board(f"{history:08x}-{change}", by_id, history, change)
