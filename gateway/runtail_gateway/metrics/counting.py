"""Count in passing: where every record goes by, an addition is all that it may cost.

A counter of prometheus-client takes a lock, and shared between processes it writes to a file too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from prometheus_client import Counter, Histogram


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


class PassingValues:
    """The same for a histogram with these *bounds*: an observation is a look-up and an addition.

    `Histogram` itself offers no way to add several at once, so its parts are told.
    """

    __slots__ = ("_bounds", "_counts", "_histogram", "_sum")

    def __init__(self, histogram: Histogram, bounds: Sequence[float]) -> None:
        self._histogram, self._bounds = histogram, bounds
        self._counts, self._sum = [0] * (len(bounds) + 1), 0.0

    def observe(self, value: float) -> None:
        """Count *value*."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def settle(self) -> None:
        """Tell the histogram what was observed since the last time."""
        counts, self._counts = self._counts, [0] * len(self._counts)
        total, self._sum = self._sum, 0.0
        for bucket, count in zip(self._histogram._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
        if total:
            self._histogram._sum.inc(total)
