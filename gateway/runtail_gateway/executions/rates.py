"""Spread what came over a time evenly over rows of time. Pure: no I/O."""

from __future__ import annotations

from itertools import accumulate


class Rates:
    """How much came in each of *rows* rows of *row_ms* from *since_ms* on.

    What began before, or goes on behind, counts with its share. Each `add` costs the same, however
    many rows it reaches over.
    """

    def __init__(self, since_ms: int, row_ms: int, rows: int) -> None:
        self._since_ms, self._row_ms, self._count = since_ms, row_ms, rows
        self._parts = [0.0] * rows
        self._steps = [0.0] * (rows + 1)  # by how much whole rows hold more than the one before

    def add(self, begin_ms: int, end_ms: int, amount: int) -> None:
        """Add what came evenly from *begin_ms* to *end_ms*."""
        last = self._since_ms + self._count * self._row_ms
        if end_ms <= begin_ms:
            if self._since_ms <= begin_ms < last:
                self._parts[self._row(begin_ms)] += amount
            return
        rate = amount / (end_ms - begin_ms)
        begin, end = max(begin_ms, self._since_ms), min(end_ms, last)
        if end <= begin:
            return
        first, behind = self._row(begin), self._row(end - 1)
        if first == behind:
            self._parts[first] += rate * (end - begin)
            return
        self._parts[first] += rate * (self._begin(first + 1) - begin)
        self._parts[behind] += rate * (end - self._begin(behind))
        self._steps[first + 1] += rate * self._row_ms
        self._steps[behind] -= rate * self._row_ms

    def rows(self) -> list[float]:
        """List the amount of each row."""
        whole = accumulate(self._steps[: self._count])
        return [part + full for part, full in zip(self._parts, whole, strict=True)]

    def _row(self, ms: int) -> int:
        return (ms - self._since_ms) // self._row_ms

    def _begin(self, row: int) -> int:
        return self._since_ms + row * self._row_ms
