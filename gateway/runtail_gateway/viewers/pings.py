"""Ping all connections of a server by one timer: one of its own took 0.7 KB of each connection."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Pinged(Protocol):
    """A connection that is to be asked now and then whether it lives."""

    def send_keepalive_ping(self) -> None:
        """Ask it; whoever hears the answer expects the next one."""


class Pings:
    """The connections that are to be pinged, each *seconds* after it was added. In one loop."""

    def __init__(self) -> None:
        self._due: dict[Pinged, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due)

    def add(self, connection: Pinged, seconds: float) -> None:
        """Ping *connection*, once; all wait equally long, so the first one added is due first."""
        due = asyncio.get_running_loop().time() + seconds
        self._due[connection] = due
        self._wait_until(due)

    def remove(self, connection: Pinged) -> None:
        """Ping *connection* no more."""
        self._due.pop(connection, None)

    def _wait_until(self, due: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(due, self._ping)

    def _ping(self) -> None:
        """Ping those that are due, and wait for the next one."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._due:
            connection, due = next(iter(self._due.items()))
            if due > now:
                self._wait_until(due)
                break
            del self._due[connection]
            connection.send_keepalive_ping()
