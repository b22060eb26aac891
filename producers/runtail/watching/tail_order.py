"""Put what several executions bring into the order of its time. Pure: no I/O, no clock.

History comes in portions, an execution's turn after another's: what came is held until each one
that still has history has something to compare. Live lines pass as they come.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")
MOST_HELD: Final = 20_000
"""Pieces that are held at most; then they pass in the order that there is."""
Place = tuple[int, int]
"""When a piece was stored, as its record's id says: ms, and a number within that."""


class Order(Generic[T]):
    """The pieces of executions that are named; each one's own are in order."""

    def __init__(self, names: Iterable[str]) -> None:
        self._behind = set(names)  # those whose history is not here yet
        self._held: dict[str, deque[tuple[Place, T]]] = {}
        self._last: dict[str, Place] = {}
        self._count = 0

    def add(self, name: str, place: Place | None, piece: T) -> None:
        """Take a piece; one without a *place* stays behind the one before it."""
        at = max(self._last.get(name, (0, 0)), place or (0, 0))
        self._last[name] = at
        self._held.setdefault(name, deque()).append((at, piece))
        self._count += 1

    def is_live(self, name: str) -> None:
        """Wait for *name* no longer: all of its history was added, or it is over."""
        self._behind.discard(name)

    def ready(self) -> Iterator[T]:
        """Give what nothing older can come before, in order."""
        if self._count > MOST_HELD:
            self._behind.clear()
        heads = [(held[0][0], name) for name, held in self._held.items() if held]
        heapq.heapify(heads)
        while heads and all(self._held.get(name) for name in self._behind):
            _, name = heapq.heappop(heads)
            held = self._held[name]
            self._count -= 1
            yield held.popleft()[1]
            if held:
                heapq.heappush(heads, (held[0][0], name))

    def rest(self) -> Iterator[T]:
        """Give all that is held, in order."""
        self._behind.clear()
        yield from self.ready()


def place_of(record_id: object) -> Place | None:
    """Read a record's id; None for what is none."""
    ms, _, number = str(record_id).partition("-")
    if ms.isascii() and ms.isdigit() and number.isascii() and number.isdigit():
        return int(ms), int(number)
    return None
