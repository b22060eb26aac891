"""Know how much the engine holds of executions, and which of them go first when it is too much.

Pure: no I/O, no clock. What was seen of each execution counts until it is seen again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heapify, heappop
from itertools import islice
from typing import Final

from runtail_broker.standing import Standing

WARN_SHARE: Final = 0.8
"""What part of the cap may be used before that is warned of; with an archive, filling it begins."""
_AFTERWARDS: Final = 0.9  # what part of the cap, or of the warning, is left when some had to go


@dataclass(frozen=True, slots=True)
class Pressure:
    """How full it is: *kept* bytes of *cap*, and whether that is worth a warning, or too much."""

    kept: int
    cap: int

    @property
    def warns(self) -> bool:
        """Whether the cap is near."""
        return self.kept >= self.cap * WARN_SHARE

    @property
    def is_over(self) -> bool:
        """Whether the cap is passed."""
        return self.kept > self.cap


class Ledger:
    """What each execution kept when it was last seen; no longer than what the engine holds."""

    def __init__(self) -> None:
        self._seen: dict[str, Standing] = {}
        self._running: dict[str, None] = {}
        self.bytes = 0

    def saw(self, execution_id: str, standing: Standing | None) -> None:
        """Take what is there now; None for an execution that is gone."""
        before = self._seen.pop(execution_id, None)
        self._running.pop(execution_id, None)
        self.bytes -= before.frame_bytes if before else 0
        if standing is None or not standing.frame_bytes:
            return
        self._seen[execution_id] = standing
        self.bytes += standing.frame_bytes
        if not standing.ended:
            self._running[execution_id] = None

    def running(self, most: int) -> list[str]:
        """List those that change: the ones longest unseen, at most *most*."""
        return list(islice(self._running, most))

    def too_much(self, limit: float) -> Iterable[tuple[str, Standing]]:
        """List what goes so that clearly less than *limit* bytes stay: finished ones, the oldest
        first. Running ones never go."""
        excess = self.bytes - limit * _AFTERWARDS
        if self.bytes <= limit:
            return
        ended = [(each.last_ms, name) for name, each in self._seen.items() if each.ended]
        heapify(ended)  # all of them are many, and those that go are few
        while ended and excess > 0:
            _, name = heappop(ended)
            excess -= self._seen[name].frame_bytes
            yield name, self._seen[name]

    def __len__(self) -> int:
        return len(self._seen)
