"""Hand what comes to the one who waits for it: what a connection needs of `asyncio.Queue`.

A queue has four deques, 3 KB for each connection of a viewer that says nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Mailbox:
    """What came and was not taken yet, in its order. One waits at a time."""

    __slots__ = ("_held", "_waiting")

    def __init__(self) -> None:
        self._held: list[Any] = []
        self._waiting: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        """Whether there is nothing to take."""
        return not self._held

    def put_nowait(self, item: Any) -> None:
        """Put *item* behind all that is there."""
        self._held.append(item)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def get(self) -> Any:
        """Take what came first, as soon as there is something."""
        while not self._held:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return self._held.pop(0)
