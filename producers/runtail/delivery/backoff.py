"""Wait longer after each failure, and warn rarely."""

from __future__ import annotations

import logging
import random
import time

from runtail_broker.errors import Unavailable


class AskedToWait(Unavailable):
    """A gateway that is busy, or going away; *seconds* is how long it wants to be left alone."""

    def __init__(self, text: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(text)


class Backoff:
    """Full jitter: after the n-th failure in a row wait at random, below a bound that doubles."""

    __slots__ = ("_failures", "_maximum", "_minimum", "until")

    def __init__(self, minimum_seconds: float, maximum_seconds: float) -> None:
        self._minimum, self._maximum = minimum_seconds, maximum_seconds
        self._failures = 0
        self.until = 0.0

    def failed(self, now: float, at_least: float = 0.0) -> None:
        """Begin a wait, no shorter than *at_least* seconds."""
        bound = min(self._maximum, self._minimum * 2 ** min(self._failures + 1, 30))
        self._failures += 1
        self.until = now + at_least + random.uniform(min(self._minimum, bound), bound)

    def succeeded(self) -> None:
        """Start afresh."""
        self._failures, self.until = 0, 0.0


class RareWarnings:
    """Log each text at most once in *seconds*, with the number of times it was held back."""

    def __init__(self, logger: logging.Logger, seconds: float) -> None:
        self._logger, self._seconds = logger, seconds
        self._told: dict[str, tuple[float, int]] = {}

    def warn(self, text: str, *arguments: object) -> None:
        """Log *text* % *arguments*; the text alone decides whether it was logged before."""
        now = time.monotonic()
        last, held_back = self._told.get(text, (-self._seconds, 0))
        if now - last < self._seconds:
            self._told[text] = last, held_back + 1
            return
        self._told[text] = now, 0
        more = f" ({held_back} more since the last warning)" if held_back else ""
        self._logger.warning(text + more, *arguments)
