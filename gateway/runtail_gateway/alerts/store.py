"""Keep alerts in the engine: what was said, what is still to be sent, and what there is to show.

A change is remembered and put into the queue in one transaction, so that whoever holds the work
next sends what its predecessor could not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import orjson

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import ALERTS

MOST_ROWS: Final = 500
MOST_WAITING: Final = 1000
_OVER: Final = ("sent", "silenced", "resolved", "given up")


@dataclass(frozen=True, slots=True)
class Row:
    """One alert to one webhook (none for one that is only shown). Times are ms since 1970.

    *state*: `pending`, `sent`, `silenced`, `resolved` (over, which nobody wanted to be told), or
    `given up`.
    """

    id: str
    to: str
    rule: str
    when: str
    turn: str
    execution_id: str | None
    workflow_id: str | None
    text: str
    at_ms: int
    state: str = "pending"
    attempts: int = 0
    next_ms: int = 0
    trouble: str = ""

    @property
    def key(self) -> str:
        """Its field in the hashes."""
        return f"{self.id}/{self.to}"

    def json(self) -> dict[str, Any]:
        """Make the JSON object of it."""
        return asdict(self)

    def failed(self, trouble: str, next_ms: int) -> Row:
        """Note an attempt that failed."""
        return replace(self, attempts=self.attempts + 1, trouble=trouble[:200], next_ms=next_ms)


class AlertStore:
    """What the engine holds of alerts. Raises what `Nodes` raises."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    async def memory(self) -> dict[str, bytes]:
        """Read what was alerted of."""
        stored = await self._nodes.at(ALERTS.memory, lambda node: node.hgetall(ALERTS.memory))
        return {key.decode(): value for key, value in stored.items()}

    async def rows(self) -> dict[str, Row]:
        """Read what there is to show and to send."""
        stored = await self._nodes.at(ALERTS.rows, lambda node: node.hgetall(ALERTS.rows))
        return {key.decode(): Row(**orjson.loads(value)) for key, value in stored.items()}

    async def places(self) -> dict[str, str]:
        """Read how far logs were looked through."""
        stored = await self._nodes.at(ALERTS.places, lambda node: node.hgetall(ALERTS.places))
        return {key.decode(): value.decode() for key, value in stored.items()}

    async def body(self, row: Row) -> bytes:
        """Read what is to be sent; nothing for what was sent meanwhile."""
        key = row.key
        stored = await self._nodes.at(ALERTS.bodies, lambda node: node.hget(ALERTS.bodies, key))
        return bytes(stored or b"")

    async def keep(
        self,
        memory: Mapping[str, bytes],
        rows: Iterable[Row] = (),
        bodies: Mapping[str, bytes] | None = None,
    ) -> None:
        """Remember, show and put into the queue, at once or not at all."""
        sets: list[tuple[str, Mapping[Any, Any]]] = [
            (ALERTS.memory, memory),
            (ALERTS.rows, {row.key: orjson.dumps(row.json()) for row in rows}),
            (ALERTS.bodies, bodies or {}),
        ]
        await self._change(sets, [])

    async def settle(self, row: Row) -> None:
        """Note how an attempt went; what is over waits no longer."""
        rows = {row.key: orjson.dumps(row.json())}
        gone = [(ALERTS.bodies, [row.key])] if row.state in _OVER else []
        await self._change([(ALERTS.rows, rows)], gone)

    async def note_places(self, places: Mapping[str, str]) -> None:
        """Note how far logs were looked through."""
        await self._change([(ALERTS.places, places)], [])

    async def drop(
        self, memory: Iterable[str] = (), rows: Iterable[str] = (), places: Iterable[str] = ()
    ) -> None:
        """Forget these."""
        gone = [(ALERTS.memory, memory), (ALERTS.rows, rows), (ALERTS.places, places)]
        await self._change([], [(key, list(names)) for key, names in gone])

    async def _change(
        self, sets: list[tuple[str, Mapping[Any, Any]]], gone: list[tuple[str, list[str]]]
    ) -> None:
        async def act(node: Any) -> None:
            pipe = node.pipeline(transaction=True)
            for key, mapping in sets:
                if mapping:
                    pipe.hset(key, mapping=dict(mapping))
            for key, names in gone:
                if names:
                    pipe.hdel(key, *names)
            if len(pipe):
                await pipe.execute()

        await self._nodes.at(ALERTS.memory, act)


def superfluous(rows: Mapping[str, Row]) -> list[str]:
    """List those that are over and more than there is room for: the oldest."""
    over = sorted((row.at_ms, key) for key, row in rows.items() if row.state in _OVER)
    return [key for _, key in over[: max(0, len(over) - MOST_ROWS)]]
