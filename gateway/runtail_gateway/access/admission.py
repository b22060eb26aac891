"""Decide who may come in: so many viewers, so many of one address, none while the process is full.

One object for all endpoints of a process. A viewer that is refused may come again later (close
4329 or 4330, over HTTP 503 with `Retry-After`): another gateway, or this one, may have room.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import HTTPConnection

from runtail_broker.records.frames_message import SUBPROTOCOL as FRAMES
from runtail_gateway.access.addresses import Counted, Networks
from runtail_gateway.access.allowance import Allowances
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.drain import Drain


class Comers:
    """How often each address may come, of those addresses that are counted at all."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.counted = Counted(settings.exempt_addresses).client
        self._often = Allowances(settings.connects_per_minute, settings.client_table)

    def may_come(self, client: str | None) -> bool:
        """Count one attempt of *client*; False if it is one too many."""
        return client is None or self._often.take(client, time.monotonic())


class Doorkeeper:
    """Which connections of any kind this process takes; it counts those that were cut."""

    def __init__(self, settings: GatewaySettings, metrics: Metrics) -> None:
        self.settings, self._metrics = settings, metrics
        self._comers = Comers(settings)
        self._proxies = Networks(settings.trusted_proxies)

    def lets_in(self, address: str | None, connections: int) -> bool:
        """Whether *address* may connect, when there are that many *connections* with its own."""
        if connections > self.settings.connections:
            self.cut("connections")
            return False
        if self._proxies and address is not None and address in self._proxies:
            return True  # whoever comes through it is counted as a viewer
        if not self._comers.may_come(self._comers.counted(address)):
            self.cut("connects_per_minute")
            return False
        return True

    def cut(self, bound: str) -> None:
        """Count a connection that is cut because of *bound*, a setting's name."""
        self._metrics.cut(bound)


class Viewers:
    """The connections of viewers that this process serves."""

    def __init__(self, settings: GatewaySettings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self.door = Doorkeeper(settings, metrics)
        self._comers = Comers(settings)
        self._of: Counter[str | None] = Counter()
        self._now = 0
        self.drain = Drain()
        self.full = False
        """Whether more bytes wait for viewers than may: nobody is taken before they are fewer."""

    @contextmanager
    def one(self, connection: HTTPConnection) -> Iterator[None]:
        """Count one connection while the block lasts; raise Refused if it is one too many.

        The block is left by Refused too when the process is about to end.
        """
        client = self._comers.counted(connection.client.host if connection.client else None)
        self._require_room(client)
        protocol = _spoken(connection)
        self._count(client, 1, protocol)
        try:
            with self.drain.stay():
                yield
        finally:
            self._count(client, -1, protocol)

    def saw_waiting(self, total_bytes: int, stalled: int, *, full: bool) -> None:
        """Know what waits for all clients, how many take nothing, whether it is too much."""
        self.full = full
        self._metrics.waiting.set(total_bytes)
        self._metrics.stalled.set(stalled)

    def _require_room(self, client: str | None) -> None:
        settings = self._settings
        if not self._comers.may_come(client):
            raise _too_many(f"{settings.connects_per_minute} viewers a minute from {client}")
        if self.full:
            told = f"{settings.waiting_bytes} bytes wait for viewers that do not read"
            raise Refused(4330, "full", told + ", the most allowed", 503)
        if self._now >= settings.viewers:
            raise _too_many(f"{settings.viewers} viewers")
        if client is not None and self._of[client] >= settings.viewers_per_address:
            raise _too_many(f"{settings.viewers_per_address} viewers from {client}")

    def _count(self, client: str | None, more: int, protocol: str) -> None:
        self._now += more
        self._metrics.connected(protocol, more)
        self._metrics.viewers.set(self._now)
        if client is not None:
            self._of[client] += more
            if not self._of[client]:
                del self._of[client]


def _spoken(connection: HTTPConnection) -> str:
    """Name what a viewer speaks, as the metric has it."""
    many = "execution_id" not in connection.path_params
    if connection.scope["type"] == "http":
        return "many_events" if many else "events"
    if many:
        return "many"
    return "frames" if FRAMES in connection.scope.get("subprotocols", ()) else "websocket"


def _too_many(what: str) -> Refused:
    return Refused(4329, "too_many", f"{what}, the most allowed", 503)
