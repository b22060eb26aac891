"""Talk to the engine: one place knows which node serves an execution, one place translates errors.

A plain server is a cluster of one node here. Writes are never retried by the client library: a
retried write whose answer was lost would be stored twice, and the scripts dedupe by batch number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields
from itertools import count
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)
from redis.maint_notifications import MaintNotificationsConfig

from runtail_broker.errors import EngineRefused, RuntailError, Unavailable
from runtail_broker.keys import SETTINGS, ExecutionKeys
from runtail_broker.script import Answer, Call, Limits

T = TypeVar("T")
_AWAY = (ConnectionError, TimeoutError, ClusterDownError, ReadOnlyError, TryAgainError, OSError)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a node listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Shard:
    """A primary: its client, and a hash tag whose keys it serves."""

    node: Redis
    tag: str
    clustered: bool


def connect(url: str, *, timeout_seconds: float = 5.0, max_connections: int = 32) -> Redis:
    """Make a client for *url* (`redis://`, `rediss://`, `unix://`); nothing connects yet.

    Who asks while all *max_connections* are busy waits for one, at most *timeout_seconds*: a crowd
    of viewers that come at once is served in turn, not refused.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        timeout=timeout_seconds,
        protocol=3,
        legacy_responses=False,
        decode_responses=False,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        max_connections=max_connections,
        retry=Retry(NoBackoff(), 0),
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    return Redis.from_pool(pool)


class Nodes:
    """Know the nodes of an engine and run what concerns one execution on the one that serves it.

    Everything raises Unavailable when the node does not answer (whether it did what was asked is
    then unknown) and EngineRefused for an error of the engine. Use within one event loop.
    """

    def __init__(self, first: Redis) -> None:
        self._first = first
        self._clients: dict[Address, Redis] = {}
        self._slots: list[tuple[int, int, Address]] | None = None  # None: not asked yet
        self._asking = asyncio.Lock()

    @classmethod
    def connect(cls, url: str, *, timeout_seconds: float = 5.0) -> Nodes:
        """Make the nodes that *url* leads to."""
        return cls(connect(url, timeout_seconds=timeout_seconds))

    async def close(self) -> None:
        """Close all connections."""
        for client in {self._first, *self._clients.values()}:
            await client.aclose()

    async def node_of(self, execution_id: str) -> Redis:
        """Find the client of the node that serves *execution_id*."""
        return await self._of_slot(key_slot(ExecutionKeys.of(execution_id).stream.encode()))

    async def shards(self) -> list[Shard]:
        """List the primaries."""
        slots = await self._topology()
        if not slots:
            return [Shard(self._first, "0", clustered=False)]
        found: dict[Redis, Shard] = {}
        for first, last, address in slots:
            node = self._client(address)
            if node not in found:
                found[node] = Shard(node, _tag_within(first, last), clustered=True)
        return list(found.values())

    async def run(self, call: Call) -> Answer:
        """Run one script."""
        (answer,) = await self.run_all([call])
        if isinstance(answer, RuntailError):
            raise answer
        return answer

    async def run_all(
        self, calls: Sequence[Call], *, replicated: bool = False
    ) -> list[Answer | RuntailError]:
        """Run scripts of executions that one node serves, in one round trip; answers in order.

        With *replicated*, wait until the replicas that exist have it, at most a second.
        """
        node = await self.node_of(calls[0].execution_id)
        replicas = await _replicas(node) if replicated else 0
        try:
            results = await self._once(node, calls, replicas)
        except Unavailable:
            self._slots = None  # whoever serves it next may be another node
            raise
        again = [i for i, result in enumerate(results) if isinstance(result, MovedError | AskError)]
        if not again:
            return [_answer(result) for result in results]
        self._slots = None
        return [
            await self._moved(calls[i], replicas) if i in again else _answer(result)
            for i, result in enumerate(results)
        ]

    async def at(self, key: str, act: Callable[[Redis], Awaitable[Any]]) -> Any:
        """Run *act* on the node that serves *key*; once more if the slot has moved."""
        for attempt in range(3):
            try:
                return await act(await self._of_slot(key_slot(key.encode())))
            except (MovedError, AskError) as error:
                self._slots = None
                if attempt == 2:
                    raise Unavailable(str(error)) from error
            except _AWAY as error:
                self._slots = None
                raise Unavailable(str(error)) from error
            except RedisError as error:
                raise EngineRefused(str(error)) from error
        raise AssertionError("unreachable")

    async def limits(self) -> Limits:
        """Read the limits that operators keep in the engine; the defaults where they keep none."""
        stored = await self.at(SETTINGS, lambda node: node.hgetall(SETTINGS))
        names = {field.name.encode(): field.name for field in fields(Limits)}
        return Limits(**{names[key]: int(value) for key, value in stored.items() if key in names})

    async def _once(self, node: Redis, calls: Sequence[Call], replicas: int) -> list[Any]:
        results = await _pipelined(node, calls, replicas)
        missing = [i for i, result in enumerate(results) if isinstance(result, NoScriptError)]
        if missing:
            for text in {calls[i].script.text for i in missing}:
                await _translated(node.script_load(text))
            # from there on all of them: a later call may have been answered as if the first had
            # failed, and every script recognises what it has done before
            first = missing[0]
            results[first:] = await _pipelined(node, calls[first:], replicas)
        return results

    async def _moved(self, call: Call, replicas: int) -> Answer | RuntailError:
        node = await self.node_of(call.execution_id)
        (result,) = await self._once(node, [call], replicas)
        return _answer(result)

    async def _of_slot(self, slot: int) -> Redis:
        for first, last, address in await self._topology():
            if first <= slot <= last:
                return self._client(address)
        return self._first

    async def _topology(self) -> list[tuple[int, int, Address]]:
        if self._slots is None:
            async with self._asking:
                if self._slots is None:
                    self._slots = await self._ask()
        return self._slots

    async def _ask(self) -> list[tuple[int, int, Address]]:
        """Ask the first node that answers which one serves what."""
        error = Unavailable("no node is known")
        for node in dict.fromkeys((self._first, *self._clients.values())):
            try:
                return await _ask_topology(node)
            except Unavailable as away:
                error = away
        raise error

    def _client(self, address: Address) -> Redis:
        if address not in self._clients:
            pool = self._first.connection_pool
            known = pool.connection_kwargs
            same = (known.get("host"), known.get("port")) == (address.host, address.port)
            self._clients[address] = (
                self._first
                if same
                else Redis.from_pool(
                    type(pool)(
                        connection_class=pool.connection_class,
                        max_connections=pool.max_connections,
                        **{**known, "host": address.host, "port": address.port},
                    )
                )
            )
        return self._clients[address]


async def _ask_topology(node: Redis) -> list[tuple[int, int, Address]]:
    """Ask which addresses serve which slots; an empty list from a server that is no cluster."""
    try:
        reply = await node.execute_command("CLUSTER SLOTS")
    except ResponseError:
        return []
    except _AWAY as error:
        raise Unavailable(str(error)) from error
    pool = node.connection_pool.connection_kwargs
    return [
        (int(first), int(last), _address(primary[0], primary[1], pool.get("host", "127.0.0.1")))
        for first, last, primary, *_ in _slot_rows(reply)
    ]


def _slot_rows(reply: Any) -> list[list[Any]]:
    """Bring what redis-py makes of CLUSTER SLOTS, a dict or the raw rows, into rows."""
    if isinstance(reply, dict):
        return [[first, last, value["primary"]] for (first, last), value in reply.items()]
    return list(reply)


def _tag_within(first: int, last: int) -> str:
    """Find a hash tag whose slot lies in *first* … *last*."""
    return next(str(i) for i in count() if first <= key_slot(b"%d" % i) <= last)


def _address(host: bytes | str, port: int, default: str) -> Address:
    name = host.decode() if isinstance(host, bytes) else host
    return Address(name or default, int(port))


async def _pipelined(node: Redis, calls: Sequence[Call], replicas: int) -> list[Any]:
    pipe = node.pipeline(transaction=False)
    for call in calls:
        pipe.evalsha(call.script.sha, len(call.keys), *call.keys, *call.arguments)
    if replicas:
        pipe.execute_command("WAIT", replicas, 1000)
    results: list[Any] = await _translated(pipe.execute(raise_on_error=False))
    return results[: len(calls)]


async def _replicas(node: Redis) -> int:
    """Count the replicas that *node* has now."""
    try:
        role = await node.execute_command("ROLE")
    except ResponseError:
        return 0  # an engine without the command has no replicas either
    except _AWAY as error:
        raise Unavailable(str(error)) from error
    return len(role[2]) if role[0] in (b"master", "master") else 0


async def _translated(awaitable: Awaitable[T]) -> T:
    try:
        return await awaitable
    except _AWAY as error:
        raise Unavailable(str(error)) from error
    except RedisError as error:
        raise EngineRefused(str(error)) from error


def _answer(result: Any) -> Answer | RuntailError:
    if isinstance(result, _AWAY):
        return Unavailable(str(result))
    if isinstance(result, Exception):
        return EngineRefused(str(result))
    return Answer.read(result)
