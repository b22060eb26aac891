"""Let the newest of many reports through a few times a second; the last one always. No I/O."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """The reports under one key: when one was sent last, and which one waits (*waiting*)."""

    __slots__ = ("next", "waiting")

    def __init__(self) -> None:
        self.next = float("-inf")
        self.waiting: Callable[[], T] | None = None


class Throttle(Generic[T]):
    """Send at most one report per key and *seconds*; what comes between waits, the newest only.

    A report is a function that makes it, called when it is sent, in the order of sending. *later*
    calls a function after some seconds, from any thread, so that the last report does not wait for
    another; a report also goes out when its key, or everything, is closed. Safe from any thread.
    """

    def __init__(
        self,
        seconds: float,
        max_keys: int,
        send: Callable[[T], None],
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self._seconds, self._max_keys, self._send, self._later = seconds, max_keys, send, later
        self._slots: OrderedDict[Hashable, Slot[T]] = OrderedDict()
        self._look_at: float | None = None  # when `later` calls
        self._lock = threading.RLock()  # a signal handler may report progress too

    def offer(self, key: Hashable, report: Callable[[], T]) -> Slot[T]:
        """Send *report* now, or keep it in place of the one that waits under *key*."""
        now = time.monotonic()
        with self._lock:
            slot = self._slot(key)
            slot.waiting = report
            if now >= slot.next:
                self._send_waiting(slot, now)
            elif self._look_at is None:
                self._look_again(slot.next - now, now)
        return slot

    def close(self, key: Callable[[Hashable], bool] | None = None) -> None:
        """Send what waits under the keys that *key* chooses (else under all), and forget them."""
        now = time.monotonic()
        with self._lock:
            for name in [name for name in self._slots if key is None or key(name)]:
                self._send_waiting(self._slots.pop(name), now)

    def flush(self) -> None:
        """Send what waits."""
        now = time.monotonic()
        with self._lock:
            for slot in list(self._slots.values()):  # a signal handler may add one meanwhile
                self._send_waiting(slot, now)

    def begin_anew(self) -> None:
        """Forget everything, as a forked process must: its parent sends what waits."""
        self._lock = threading.RLock()
        self._slots, self._look_at = OrderedDict(), None

    def _slot(self, key: Hashable) -> Slot[T]:
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = Slot()
            if len(self._slots) > self._max_keys:
                self._send_waiting(self._slots.popitem(last=False)[1], time.monotonic())
        return slot

    def _send_waiting(self, slot: Slot[T], now: float) -> None:
        report, slot.waiting = slot.waiting, None
        if report is not None:
            slot.next = now + self._seconds
            self._send(report())

    def _look_again(self, seconds: float, now: float) -> None:
        self._look_at = now + seconds
        self._later(seconds, self._look)

    def _look(self) -> None:
        """Send what has waited long enough; never wait for a thread that is sending itself."""
        now = time.monotonic()
        if not self._lock.acquire(blocking=False):
            self._later(self._seconds, self._look)
            return
        try:
            self._look_at = None
            for slot in list(self._slots.values()):
                if now >= slot.next:
                    self._send_waiting(slot, now)
            waits = [slot.next for slot in self._slots.values() if slot.waiting is not None]
            if waits:
                self._look_again(max(min(waits) - now, 0.0), now)
        finally:
            self._lock.release()
