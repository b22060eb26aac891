"""Pass the items of an iterable on, and report how many there were so far."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Generic, TypeVar

from runtail.delivery.throttle import Slot

T = TypeVar("T")
L = TypeVar("L")


class Tally(Generic[L]):
    """How many items were asked for and handled; reports itself, made when it is sent.

    Held by the throttle, apart from the iterable, which it must not keep alive.
    """

    __slots__ = ("_offer", "_report", "_slot", "done", "total")

    def __init__(
        self,
        total: float | None,
        report: Callable[[float, float | None], L],
        offer: Callable[[Callable[[], L]], Slot[L]],
    ) -> None:
        self.done, self.total = 0, total
        self._report, self._offer = report, offer
        self._slot = offer(self)

    def __call__(self) -> L:
        return self._report(self.done, self.total)

    def add(self) -> None:
        """Count one more."""
        self.done += 1
        if self._slot.waiting is not self:  # else what waits will say so, and this costs nothing
            self._slot = self._offer(self)

    def finish(self) -> None:
        """Know the total at the end, if it was not known before."""
        if self.total is None:
            self.total = self.done
            self._slot = self._offer(self)


class Tracked(Generic[T, L]):
    """An iterator that counts an item once the next is asked for; the rest is the source's own.

    No generator: it needs no closing, so a `break` or an exception can leave no report behind that
    some later garbage collection would make.
    """

    def __init__(self, items: Iterable[T], tally: Tally[L]) -> None:
        self._items, self._tally = iter(items), tally
        self._handed_out = False

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._handed_out:
            self._handed_out = False
            self._tally.add()
        try:
            item = next(self._items)
        except StopIteration:
            self._tally.finish()
            raise
        self._handed_out = True
        return item


class AsyncTracked(Generic[T, L]):
    """Do what `Tracked` does, for an async iterable."""

    def __init__(self, items: AsyncIterable[T], tally: Tally[L]) -> None:
        self._items, self._tally = aiter(items), tally
        self._handed_out = False

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        if self._handed_out:
            self._handed_out = False
            self._tally.add()
        try:
            item = await anext(self._items)
        except StopAsyncIteration:
            self._tally.finish()
            raise
        self._handed_out = True
        return item


def length_of(items: object) -> int | None:
    """How many *items* there are, if they say so."""
    try:
        return len(items)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - no length, or a worker's own __len__ raised: indeterminate
        return None
