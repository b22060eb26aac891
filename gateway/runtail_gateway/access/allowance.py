"""Decide how often somebody may do something: so many at once, and as many again a minute. Pure."""

from __future__ import annotations


class Allowance:
    """*most* at once, and as many again a minute."""

    __slots__ = ("_at", "_left", "_most")

    def __init__(self, most: int, now: float) -> None:
        self._most, self._left, self._at = most, float(most), now

    def take(self, now: float) -> bool:
        """Take one; False if none is left."""
        self._refill(now)
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def has_one(self, now: float) -> bool:
        """Whether one is left."""
        self._refill(now)
        return self._left >= 1

    def untouched(self, now: float) -> bool:
        """Whether all is there again: nobody need remember it."""
        self._refill(now)
        return self._left >= self._most

    def _refill(self, now: float) -> None:
        self._left = min(self._most, self._left + (now - self._at) * self._most / 60)
        self._at = now


class Allowances:
    """An allowance for each client, of *table* clients at most."""

    def __init__(self, most: int, table: int) -> None:
        self._most, self._table = most, table
        self._of: dict[str, Allowance] = {}

    def __len__(self) -> int:
        return len(self._of)

    def take(self, client: str, now: float) -> bool:
        """Take one of *client*'s; False if none is left."""
        allowance = self._of.pop(client, None)
        if allowance is None:
            self._make_room(now)
            allowance = Allowance(self._most, now)
        self._of[client] = allowance  # behind all others: the first is the one longest unheard of
        return allowance.take(now)

    def used_up(self, client: str, now: float) -> bool:
        """Whether *client* could take none now."""
        allowance = self._of.get(client)
        return allowance is not None and not allowance.has_one(now)

    def _make_room(self, now: float) -> None:
        """Forget those that have all of theirs again, and if need be the one longest unheard of."""
        while self._of:
            first = next(iter(self._of))
            if len(self._of) < self._table and not self._of[first].untouched(now):
                return
            del self._of[first]
