"""Keep acknowledged batches a little longer, to send them again after a failover. Pure: no I/O."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from runtail_broker.script import Batch


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the spill file *file* a batch is."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch whose bytes and number are fixed.

    It stands for *weight* added records: *records* of them, which took *buffered_bytes* of the
    buffer, are in it; the others were dropped. One that has a *place* is in a spill file, and may
    be without its frame here.
    """

    batch: Batch
    records: int
    weight: int
    buffered_bytes: int
    place: Place | None = None

    @property
    def is_away(self) -> bool:
        """Whether its frame is in the spill file only."""
        return self.place is not None and not self.batch.frame

    def put_away(self, place: Place) -> Sealed:
        """Keep what is needed to find it in the spill file."""
        return replace(self, batch=replace(self.batch, frame=b""), place=place)


class Held:
    """All batches that a publisher still holds, at most *max_bytes* of frames and *max_seconds*.

    The oldest go first, so what one execution has here is always its newest, without holes.
    Not safe from several threads.
    """

    def __init__(self, max_bytes: int, max_seconds: float) -> None:
        self._max_bytes, self._max_seconds = max_bytes, max_seconds
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everything, as a forked process must: what is here is its parent's."""
        self._batches: OrderedDict[tuple[str, int], tuple[Sealed, float]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._batches)

    def hold(self, owner: str, sealed: Sealed, now: float) -> None:
        """Keep *sealed*, which was just acknowledged."""
        if sealed.place is not None:
            sealed = sealed.put_away(sealed.place)  # the file has its bytes
        self._batches[owner, sealed.batch.number] = sealed, now
        self.bytes += len(sealed.batch.frame)
        self.let_go(now)

    def of(self, owner: str) -> list[Sealed]:
        """List what is held of *owner*, in ascending order."""
        found = [batch for (name, _), (batch, _) in self._batches.items() if name == owner]
        return sorted(found, key=lambda sealed: sealed.batch.number)

    def put_away(self, owner: str, sealed: Sealed, place: Place) -> None:
        """Keep only the *place* of *sealed*, which is in a spill file now."""
        _, since = self._batches[owner, sealed.batch.number]
        self._batches[owner, sealed.batch.number] = sealed.put_away(place), since
        self.bytes -= len(sealed.batch.frame)

    def uses(self, file: str) -> bool:
        """Whether something is held whose bytes are in the spill file *file*."""
        places = (sealed.place for sealed, _ in self._batches.values())
        return any(place is not None and place.file == file for place in places)

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
