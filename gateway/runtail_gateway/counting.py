"""Count in passing: where every record goes by, an addition is all that it may cost.

A counter of prometheus-client takes a lock, and shared between processes it writes to a file too.
"""

from __future__ import annotations

from prometheus_client import Counter


class Passing:
    """A counter for one event loop, whose sum reaches *counter* when somebody looks (`settle`)."""

    __slots__ = ("_counter", "added")

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self.added: float = 0

    def inc(self, amount: float = 1) -> None:
        """Count *amount* more."""
        self.added += amount

    def settle(self) -> None:
        """Tell the counter what was added since the last time."""
        added, self.added = self.added, 0
        if added:
            self._counter.inc(added)
