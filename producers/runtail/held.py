"""Keep acknowledged batches a little longer, to send them again after a failover. Pure: no I/O."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from runtail_broker.script import Batch


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch whose bytes and number are fixed.

    It stands for *weight* added records: *records* of them, which took *buffered_bytes* of the
    buffer, are in it; the others were dropped.
    """

    batch: Batch
    records: int
    weight: int
    buffered_bytes: int


class Held:
    """All batches that a publisher still holds, at most *max_bytes* of frames and *max_seconds*.

    The oldest go first, so what one execution has here is always its newest, without holes.
    Not safe from several threads.
    """

    def __init__(self, max_bytes: int, max_seconds: float) -> None:
        self._max_bytes, self._max_seconds = max_bytes, max_seconds
        self._batches: OrderedDict[tuple[str, int], tuple[Sealed, float]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._batches)

    def hold(self, owner: str, sealed: Sealed, now: float) -> None:
        """Keep *sealed*, which was just acknowledged."""
        self._batches[owner, sealed.batch.number] = sealed, now
        self.bytes += len(sealed.batch.frame)
        self.let_go(now)

    def take_after(self, owner: str, last: int, newest: int) -> list[Sealed]:
        """Remove the batches *newest*, *newest* - 1 … down to *last* + 1, as far as they are held.

        In ascending order.
        """
        found: list[Sealed] = []
        for number in range(newest, last, -1):
            batch = self._batches.pop((owner, number), None)
            if batch is None:
                break
            self.bytes -= len(batch[0].batch.frame)
            found.append(batch[0])
        return found[::-1]

    def let_go(self, now: float) -> None:
        """Forget what is too old or too much."""
        while self._batches:
            sealed, since = next(iter(self._batches.values()))
            if self.bytes <= self._max_bytes and now - since <= self._max_seconds:
                return
            self._batches.popitem(last=False)
            self.bytes -= len(sealed.batch.frame)
