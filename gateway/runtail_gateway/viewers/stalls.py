"""Find the clients that take nothing of what waits for them. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Client = TypeVar("Client", bound=Hashable)
_STILL_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Verdict(Generic[Client]):
    """What one look found."""

    full: bool
    """Whether more waits than may."""
    stalled: list[Client]
    """Who has taken nothing for too long."""
    still: int
    """How many have taken nothing for a few seconds, which most stalled ones began with."""
    slowest: list[Client]
    """For whom most waits, and who must go so that no more waits than may."""


class Stalls(Generic[Client]):
    """What waited for each client at the last look, and since when it has not become less."""

    def __init__(self, stall_seconds: float, most_bytes: int) -> None:
        self._seconds, self._most = stall_seconds, most_bytes
        self._seen: dict[Client, tuple[int, float]] = {}

    def look(self, waiting: Mapping[Client, int], now: float) -> Verdict[Client]:
        """Judge the bytes that wait for each client at *now*; leave out those for whom none do.

        Bytes that wait only ever become fewer because a client has taken some.
        """
        seen, self._seen = self._seen, {}
        for client, count in waiting.items():
            before, since = seen.get(client, (0, now))
            self._seen[client] = count, since if count >= before else now
        stalled = [
            client for client, (_, since) in self._seen.items() if now - since >= self._seconds
        ]
        still = sum(now - since >= _STILL_SECONDS for _, since in self._seen.values())
        total = sum(waiting.values())
        return Verdict(total > self._most, stalled, still, self._slowest(waiting, stalled, total))

    def _slowest(
        self, waiting: Mapping[Client, int], stalled: list[Client], total: int
    ) -> list[Client]:
        left = total - sum(waiting[client] for client in stalled)
        slowest: list[Client] = []
        if left <= self._most:
            return slowest
        gone = set(stalled)
        for client in sorted(waiting, key=waiting.__getitem__, reverse=True):
            if left <= self._most:
                break
            if client not in gone:
                slowest.append(client)
                left -= waiting[client]
        return slowest
