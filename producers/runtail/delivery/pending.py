"""Queue one execution's records until they are sealed; remember in place what had to be dropped.

Pure: no I/O. Not safe from several threads (`Buffer` locks).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from runtail_broker.records.record import Record


@dataclass(slots=True)  # not frozen, as Record is not
class Progress(Record):
    """A progress record; *progress* is its value as JSON, a number or `null`.

    It is '' for the progress of a part, which is not the execution's.
    """

    progress: str


@dataclass(frozen=True, slots=True)
class Loss:
    """*count* records that were dropped here; becomes one `lost` record."""

    count: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """Ready-made logs that are queued, dropped and sealed as one; *levels* counts them."""

    json: list[bytes]
    levels: tuple[int, int, int, int]
    size: int


Logged = Record | Bundle
Item = Logged | Loss


def weight_of(item: Item) -> int:
    """How many added records *item* stands for."""
    match item:
        case Bundle():
            return len(item.json)
        case Loss():
            return item.count
        case _:
            return 1


def size_of(item: Item) -> int:
    """How many bytes of JSON *item* holds."""
    match item:
        case Bundle():
            return item.size
        case Loss():
            return 0
        case _:
            return len(item.json)


class Pending:
    """A queue in which each record has a serial number: 1, 2, 3 … in the order of adding.

    A bundle is known by the serial of its first record.

    A dropped record leaves a Loss in its place; a Loss that touches another becomes one with it, so
    there is at most one more Loss than there are records. What is added = kept + counted in losses.
    """

    __slots__ = ("_items", "_loss_before", "added", "taken")

    def __init__(self) -> None:
        self._items: OrderedDict[int, Item] = OrderedDict()
        self._loss_before: dict[int, int] = {}  # serial -> start of the Loss that ends before it
        self.added = 0
        self.taken = 0  # of those added, how many left by `take`, those in losses included

    def __len__(self) -> int:
        return len(self._items)

    def holds(self, serial: int) -> bool:
        """Whether the record *serial* still waits here."""
        return isinstance(self._items.get(serial), Logged)

    def add(self, logged: Logged) -> int:
        """Queue *logged*; return its serial."""
        serial = self.added + 1
        self.added += 1 if type(logged) is Record else weight_of(logged)
        self._items[serial] = logged
        return serial

    def drop(self, serial: int) -> Logged | None:
        """Turn what has *serial* into a Loss; None if it does not wait here any more."""
        logged = self._items.get(serial)
        if not isinstance(logged, Logged):
            return None
        start, count = serial, weight_of(logged)
        behind = serial + count
        before = self._loss_before.pop(serial, None)
        if before is not None:
            del self._items[serial]
            start, count = before, count + self._loss_at(before)
        if after := self._loss_at(behind):
            del self._items[behind]
            count += after
        self._items[start] = Loss(count)  # at a key that is there: the place in the order stays
        self._loss_before[start + count] = start
        return logged

    def drop_all(self) -> list[Logged]:
        """Turn all that waits into one Loss in its place."""
        waiting = [(serial, item) for serial, item in self._items.items() if self.holds(serial)]
        for serial, _ in waiting:
            self.drop(serial)
        return [item for _, item in waiting if not isinstance(item, Loss)]

    def take(self, max_records: int, max_bytes: int) -> list[Item]:
        """Remove the head: at least one item, at most *max_records* and *max_bytes* of JSON."""
        taken: list[Item] = []
        size = records = 0
        for item in self._items.values():  # in one go: to begin anew for each costs twice as much
            if type(item) is Record:
                weight, length = 1, len(item.json)
            else:
                weight, length = weight_of(item), size_of(item)
            size += length
            records += 1 if type(item) is Loss else weight
            if taken and (size > max_bytes or records > max_records):
                break
            self.taken += weight
            taken.append(item)
        for _ in taken:
            serial, item = self._items.popitem(last=False)
            if type(item) is Loss:
                del self._loss_before[serial + item.count]
        return taken

    def _loss_at(self, serial: int) -> int:
        item = self._items.get(serial)
        return item.count if isinstance(item, Loss) else 0
