"""Make the clients of an engine's nodes and keep them, and those that a move or a wait needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from runtail_broker.connections.shared_link import SharedLink
from runtail_broker.engines.engine_url import Address, EngineUrl

_WAITING_CONNECTIONS = 8
_SENTINEL_SECONDS = 1.0  # a Sentinel that takes longer is passed over: there are others


def client_of(url: EngineUrl, *, timeout_seconds: float = 5.0, max_connections: int = 32) -> Redis:
    """Make a client for the first address of *url*; nothing connects yet.

    Who asks while all *max_connections* are busy waits for one, at most *timeout_seconds*: a crowd
    of viewers that come at once is served in turn, not refused.
    """
    kind: type[AbstractConnection] = Connection if url.tls is None else SSLConnection
    if url.path:
        kind = UnixDomainSocketConnection
        told: dict[str, Any] = {"path": url.path}
    else:
        told = {"host": url.seeds[0].host, "port": url.seeds[0].port}
    told |= {**(url.tls or {}), **url.server_secrets}
    pool = BlockingConnectionPool(
        connection_class=kind,
        max_connections=max_connections,
        timeout=timeout_seconds,
        protocol=3,
        legacy_responses=False,
        decode_responses=False,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        db=url.db,
        client_name=url.client_name,
        **told,
    )
    return Redis.from_pool(pool)


class Clients:
    """The clients of all nodes; they differ from the *first* one in their address alone."""

    def __init__(self, first: Redis) -> None:
        self.first = first
        self._here = address_of(first)
        self._known: dict[Address, Redis] = {}
        self._replicas: dict[Address, Redis] = {}
        self._askings: dict[Redis, _Asking] = {}
        self._waitings: dict[Redis, Redis] = {}
        self._shared: dict[Redis, SharedLink] = {}

    def at(self, address: Address) -> Redis:
        """Find the client of the node that listens at *address*."""
        if address == self._here:
            return self.first
        if address not in self._known:
            self._known[address] = self._like_first(host=address.host, port=address.port)
        return self._known[address]

    def replica_at(self, address: Address, *, clustered: bool) -> Redis:
        """Find a client that may read at a replica, which a cluster's node has to be told."""
        if address not in self._replicas:
            told = {"redis_connect_func": _read_only} if clustered else {}
            where = {"host": address.host, "port": address.port}
            self._replicas[address] = self._like_first(**where, **told)
        return self._replicas[address]

    def sentinel_at(self, address: Address, url: EngineUrl) -> Redis:
        """Find the client of a Sentinel."""
        if address not in self._known:
            known = self.first.connection_pool.connection_kwargs
            rest = {key: known[key] for key in known if key not in ("username", "password")}
            times = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), _SENTINEL_SECONDS)
            where = {"host": address.host, "port": address.port, "db": 0}
            self._known[address] = _pooled(
                self.first, {**rest, **times, **where, **url.sentinel_secrets}, 4
            )
        return self._known[address]

    def waiting(self, node: Redis) -> Redis:
        """Find a client of *node* for calls that wait until they are safe: readers need not."""
        if node not in self._waitings:
            kwargs = node.connection_pool.connection_kwargs
            self._waitings[node] = _pooled(node, kwargs, _WAITING_CONNECTIONS)
        return self._waitings[node]

    def shared(self, node: Redis) -> SharedLink:
        """Find the link to *node* that all who read there share."""
        if node not in self._shared:
            self._shared[node] = SharedLink(node)
        return self._shared[node]

    async def close(self) -> None:
        """Close all connections."""
        for link in self._shared.values():
            await link.close()
        for client in {*self}:
            await client.aclose()

    async def asking(self, node: Redis, act: Callable[[Redis], Awaitable[Any]]) -> Any:
        """Run *act*, of one command or transaction, at a node that its slot is moving to."""
        if node not in self._askings:
            pool = node.connection_pool
            self._askings[node] = _Asking(_pooled(node, pool.connection_kwargs, 1))
        return await self._askings[node].run(act)

    def __iter__(self) -> Iterator[Redis]:
        askings = (asking.client for asking in self._askings.values())
        beside = (*self._replicas.values(), *self._waitings.values(), *askings)
        return iter((self.first, *self._known.values(), *beside))

    def known(self) -> list[tuple[Redis, Address | None]]:
        """List the nodes that were met so far, the first one first."""
        others = ((client, address) for address, client in self._known.items())
        return [(self.first, self._here), *others]

    def _like_first(self, **other: Any) -> Redis:
        pool = self.first.connection_pool
        return _pooled(self.first, {**pool.connection_kwargs, **other}, pool.max_connections)


class _Asking:
    """A client of one connection, on which ASKING goes ahead: it counts for the next command."""

    def __init__(self, client: Redis) -> None:
        self.client = client
        self._turn = asyncio.Lock()

    async def run(self, act: Callable[[Redis], Awaitable[Any]]) -> Any:
        async with self._turn:
            await self.client.execute_command("ASKING")
            return await act(self.client)


def address_of(node: Redis) -> Address | None:
    """Say where *node* listens; None if that is no address, as for a socket."""
    known = node.connection_pool.connection_kwargs
    return Address(known["host"], int(known["port"])) if known.get("port") else None


def _pooled(node: Redis, kwargs: dict[str, Any], connections: int) -> Redis:
    pool = node.connection_pool
    told = dict(kwargs)
    if isinstance(pool, BlockingConnectionPool):
        told["timeout"] = pool.timeout
    return Redis.from_pool(
        type(pool)(connection_class=pool.connection_class, max_connections=connections, **told)
    )


async def _read_only(connection: AbstractConnection) -> None:
    await connection.on_connect()
    await connection.send_command("READONLY")
    await connection.read_response()
