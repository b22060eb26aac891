"""Count what a client may still send. Pure: no I/O."""

from __future__ import annotations

import time


class Allowance:
    """How many messages a client may still send: *most* at once, and as many again a minute."""

    __slots__ = ("_at", "_left", "_most")

    def __init__(self, most: int) -> None:
        self._most, self._left = most, float(most)
        self._at = time.monotonic()

    def take(self, now: float) -> bool:
        """Take one; False if none is left."""
        self._left = min(self._most, self._left + (now - self._at) * self._most / 60)
        self._at = now
        self._left -= 1
        return self._left >= 0
