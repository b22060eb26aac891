"""Let a wrapped program wait for the engine, as it would for a slow terminal. Pure but for a clock.

Nothing of its output is dropped because it writes faster than the engine stores. But it waits only
while that stores: an engine that is away holds no program up, and the buffer's own rule holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from runtail.delivery.buffer import Counters

PATIENCE_SECONDS: Final = 1.0
"""How long the engine may store nothing before the program is no longer made to wait."""


class Pace:
    """Say whether to go on reading, by the publisher's *counters*.

    At most *most* records are to wait to be stored. Leave room behind it for what one read brings.
    """

    def __init__(
        self,
        counters: Callable[[], Counters],
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counters, self._most, self._clock = counters, most, clock
        self._stored = -1
        self._since = 0.0

    def must_wait(self) -> bool:
        """Whether so much waits that no more should be read now."""
        counters, now = self._counters(), self._clock()
        if counters.stored != self._stored:
            self._stored, self._since = counters.stored, now
        return counters.pending > self._most and now - self._since < PATIENCE_SECONDS
