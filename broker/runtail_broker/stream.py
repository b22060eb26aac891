"""Read an execution's stream: pages both ways, every one of them proved.

Reads go to the primary, together with the state and in one step with it (MULTI), so that a page and
the bounds it is judged by belong to one moment; or, if wanted, to a replica, and the proof alone to
the primary.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from redis.exceptions import RedisError

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START, Cursor, RecordId, start_of
from runtail_broker.errors import ExecutionNotFound
from runtail_broker.keys import ExecutionKeys
from runtail_broker.proof import (
    BOUNDS,
    Bounds,
    Continues,
    Diverged,
    Gap,
    Verdict,
    prove,
    prove_id,
)
from runtail_broker.records.entry import Entry

log = logging.getLogger("runtail.broker")
DEFAULT_ENTRIES = 64
_MUTE_SECONDS = 30.0  # without replicas, after one that was away
_LOOK_ENTRIES = 2  # read on each side of a guess while a record is looked for
_MOST_LOOKS = 100


class StreamReader:
    """Read the streams of *nodes*. Raises what `Nodes` raises.

    With *replicas*, full pages of history are read from replicas. The primary only says whether it
    holds the page's last frame: tags chain, so then it holds all before it.
    """

    def __init__(self, nodes: Nodes, *, replicas: bool = False) -> None:
        self._nodes, self._replicas = nodes, replicas
        self._not_before = 0.0  # when a replica may be read again

    async def bounds(self, execution_id: str) -> Bounds:
        """Read what the state says of the stream."""
        keys = ExecutionKeys.of(execution_id)
        return Bounds.read(await self._nodes.ask(keys.state, ("HMGET", keys.state, *BOUNDS)))

    async def was_deleted(self, execution_id: str) -> bool:
        """Whether an execution that does not exist was deleted, not long ago."""
        key = ExecutionKeys.of(execution_id).deleted
        return bool(await self._nodes.ask(key, ("EXISTS", key)))

    async def after(
        self, execution_id: str, cursor: Cursor, entries: int = DEFAULT_ENTRIES
    ) -> tuple[Verdict, Bounds]:
        """Prove *cursor* and read at most *entries* frames after it."""
        bare = cursor.seq is None
        low = str(cursor.id) if bare else f"({cursor.id}"
        found, bounds = await self._range(execution_id, low, entries)
        return (prove_id if bare else prove)(cursor, found, bounds), bounds

    async def resume(
        self, execution_id: str, cursors: Sequence[Cursor], entries: int = DEFAULT_ENTRIES
    ) -> tuple[Verdict, Bounds]:
        """Prove the first of *cursors* (newest first) that can be proved.

        A newest cursor that was trimmed is a Gap; older ones count only if they are proved. When
        none can be, the verdict is that of the newest.
        """
        newest, bounds = await self.after(execution_id, cursors[0], entries)
        if not isinstance(newest, Diverged):
            return newest, bounds
        for cursor in cursors[1:]:
            verdict, bounds = await self.after(execution_id, cursor, entries)
            if isinstance(verdict, Continues) or (cursor.is_start and isinstance(verdict, Gap)):
                return verdict, bounds
        return newest, bounds

    async def ending(self, execution_id: str, holder: Entry, entries: int) -> list[Entry]:
        """Read at most *entries* frames that end with *holder*, ascending."""
        return await self._back(execution_id, str(holder.id), entries)

    async def before(self, execution_id: str, follower: Entry, entries: int) -> list[Entry]:
        """Read at most *entries* frames that end just before *follower*, ascending.

        Empty when nothing before it is kept, or what lies there is of another history.
        """
        found = await self._back(execution_id, f"({follower.id}", entries)
        return found if found and found[-1].end.tag == follower.before else []

    async def _back(self, execution_id: str, high: str, count: int) -> list[Entry]:
        key = ExecutionKeys.of(execution_id).stream
        rows = await self._nodes.at(key, lambda n: n.xrevrange(key, high, "-", count=count))
        return [Entry.from_stream(*row) for row in rows][::-1]

    async def find(self, execution_id: str, seq: int) -> Entry | None:
        """Find the frame that holds record *seq*, or the first one after it, by bisecting.

        About 10 small reads however long the stream is. None when nothing from *seq* on is kept.
        """
        keys = ExecutionKeys.of(execution_id)
        bounds = await self.bounds(execution_id)
        if bounds.epoch is None:
            raise ExecutionNotFound(execution_id)
        first = await self._probe(keys, "-")
        if first is None or seq > bounds.last.number:
            return None
        if first.last_seq >= seq:
            return first
        return await self._bisect(keys, first, bounds.last, seq)

    async def cursor_at(self, execution_id: str, seq: int) -> Cursor:
        """Name the place after record *seq*; before the first one kept when that is later."""
        if seq > 0:
            holder = await self.find(execution_id, seq)
            if holder is not None and holder.seq <= seq:
                return holder.cursor_at(seq)
        bounds = await self.bounds(execution_id)
        if seq >= bounds.last.number > 0:
            return bounds.last
        return START if bounds.epoch is None else start_of(bounds.epoch)

    async def _bisect(
        self, keys: ExecutionKeys, first: Entry, last: Cursor, seq: int
    ) -> Entry | None:
        """Close in on *seq* from both sides, by guessing where it is and by halving, in turn.

        Each look reads what lies on both sides of a place, so that a long silence costs one look.
        """
        low, high = first.end, last  # low lies before seq, high at or beyond it
        for look in range(_MOST_LOOKS):
            middle = _middle(low, high, seq if look % 2 == 0 else None)
            found = await self._around(keys, middle)
            before = [entry for entry in found if entry.last_seq < seq]
            rest = found[len(before) :]
            if rest and (rest[0].seq <= seq or before or rest[0].id >= middle):
                return rest[0]  # if it lies after seq, what was between is removed or trimmed
            if not found:
                return None
            low = before[-1].end if before else low
            high = rest[0].end if rest else high
        return None

    async def _around(self, keys: ExecutionKeys, place: RecordId) -> list[Entry]:
        """Read the few entries before *place* and those from it on, ascending.

        Side by side, each led to where the slot goes: what is trimmed between them harms neither.
        """
        key, look = keys.stream, _LOOK_ENTRIES
        before, after = await asyncio.gather(
            self._nodes.at(key, lambda n: n.xrevrange(key, f"({place}", "-", count=look)),
            self._nodes.at(key, lambda n: n.xrange(key, str(place), "+", count=look)),
        )
        return [Entry.from_stream(*row) for row in [*before[::-1], *after]]

    async def _probe(self, keys: ExecutionKeys, low: str) -> Entry | None:
        rows = await self._nodes.at(keys.stream, lambda n: n.xrange(keys.stream, low, "+", count=1))
        return Entry.from_stream(*rows[0]) if rows else None

    async def _range(self, execution_id: str, low: str, count: int) -> tuple[list[Entry], Bounds]:
        keys = ExecutionKeys.of(execution_id)
        if self._replicas and time.monotonic() > self._not_before:
            copied = await self._copied(execution_id, low, count)
            if copied:
                last = copied[-1]
                held, bounds = await self._with_bounds(keys, str(last.id), str(last.id), 1)
                if held and held[0].end == last.end:
                    return copied, bounds
        return await self._with_bounds(keys, low, "+", count)

    async def _with_bounds(
        self, keys: ExecutionKeys, low: str, high: str, count: int
    ) -> tuple[list[Entry], Bounds]:
        state, rows = await self._nodes.ask(
            keys.stream,
            ("HMGET", keys.state, *BOUNDS),
            ("XRANGE", keys.stream, low, high, "COUNT", count),
        )
        return [Entry.from_stream(*row) for row in rows], Bounds.read(state)

    async def _copied(self, execution_id: str, low: str, count: int) -> list[Entry]:
        """Read a full page that chains from a replica; empty if there is none, or it is away."""
        replica = await self._nodes.replica_of(execution_id)
        if replica is None:
            return []
        key = ExecutionKeys.of(execution_id).stream
        try:
            rows: Any = await replica.xrange(key, low, "+", count=count)
        except (RedisError, OSError) as error:
            log.info("a replica was not read: %s", error)
            self._not_before = time.monotonic() + _MUTE_SECONDS
            return []
        found = [Entry.from_stream(*row) for row in rows]
        chains = all(after.before == entry.end.tag for entry, after in pairwise(found))
        return found if chains and len(found) == count else []


def _middle(low: Cursor, high: Cursor, seq: int | None) -> RecordId:
    """Guess where *seq* lies between two places, or halve the way: by time, else by number."""
    share = (1, 2) if seq is None else (seq - low.number, high.number - low.number)
    if high.id.ms > low.id.ms + 1:
        return RecordId(low.id.ms + _part(high.id.ms - low.id.ms, share), 0)
    if high.id.ms > low.id.ms:
        return RecordId(high.id.ms, 0)
    return RecordId(low.id.ms, low.id.n + _part(high.id.n - low.id.n, share))


def _part(span: int, share: tuple[int, int]) -> int:
    """Take *share* of *span*, but neither none nor all of it."""
    return min(max(span * share[0] // max(share[1], 1), 1), max(span - 1, 1))
