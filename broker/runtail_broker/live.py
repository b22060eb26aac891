"""Hear every frame as it is appended: one pub/sub connection per process and node.

The stream is the truth, this is the fast path. Whoever listens must prove and re-read whenever
`fresh` is called: what was published before a subscription was confirmed is not heard. A link can
be alive and deaf, so each one is probed by a script that writes to its node and publishes back.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from runtail_broker.changes import told
from runtail_broker.client import Nodes, Shard
from runtail_broker.ending import end
from runtail_broker.errors import RuntailError
from runtail_broker.hearing import hear
from runtail_broker.keys import ExecutionKeys, changes, execution_of, is_changes, is_notes
from runtail_broker.keys import probe as probe_key
from runtail_broker.script import script

log = logging.getLogger("runtail.live")


class Listener(Protocol):
    """Who hears; both are called in the event loop and must not wait."""

    def message(self, execution_id: str, payload: bytes) -> None:
        """Take a frame of the live channel (see `Entry.from_live`)."""

    def fresh(self, execution_id: str) -> None:
        """The subscription was confirmed, for the first time or anew: prove and re-read."""

    def noted(self, execution_id: str) -> None:
        """Its notes changed, or may have: they are subscribed to (see `want_notes`)."""

    def changed(self, execution_ids: list[str]) -> None:
        """These changed, as the list shows them (see `want_changes`)."""

    def changes_fresh(self) -> None:
        """A channel of changes was subscribed to, for the first time or anew: look at the list."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """Bounds of the live subscription."""

    probe_seconds: float = 2.0
    """How often each node is probed."""
    probe_timeout_seconds: float = 6.0
    """How long a link may go without hearing its probe before it is cut and made anew."""
    backoff_seconds: float = 5.0
    """Longest wait before a link is made anew; the waits are random below it."""


class Live:
    """Subscriptions to live channels, over one link per node. Use as an async context manager."""

    def __init__(self, nodes: Nodes, listener: Listener, settings: LiveSettings) -> None:
        self._nodes, self._listener, self._settings = nodes, listener, settings
        self._links: dict[Redis, _Link] = {}
        self._primaries: set[Redis] = set()  # as far as `confirm` knows
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Live:
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(*self._tasks)

    async def start(self) -> None:
        """Link to every node there is, so that readiness can be told before anybody watches."""
        for shard in await self._nodes.shards():
            self._link(shard)

    async def want(self, execution_id: str) -> None:
        """Subscribe to *execution_id*; `fresh` tells when it is confirmed."""
        link = await self._link_of(execution_id)
        link.change(subscribe=ExecutionKeys.of(execution_id).live)

    async def drop(self, execution_id: str) -> None:
        """Unsubscribe from *execution_id*."""
        link = await self._link_of(execution_id)
        link.change(unsubscribe=ExecutionKeys.of(execution_id).live)

    async def want_notes(self, execution_id: str, *, wanted: bool = True) -> None:
        """Subscribe to changes of the notes of *execution_id*; or do so no more."""
        link, channel = await self._link_of(execution_id), ExecutionKeys.of(execution_id).notes
        if wanted:
            link.change(subscribe=channel)
        else:
            link.change(unsubscribe=channel)

    async def want_changes(self, *, wanted: bool = True) -> None:
        """Subscribe to the changes of all executions; or do so no more."""
        for channel in changes():
            node = await self._nodes.at(channel, _itself)
            link = await self._link_to(node)
            if wanted:
                link.change(subscribe=channel)
            else:
                link.change(unsubscribe=channel)

    def silent_seconds(self) -> float:
        """How long ago the link that was silent longest heard its own probe; inf before all did."""
        now = time.monotonic()
        return max((now - link.heard for link in self._links.values()), default=float("inf"))

    def contact_seconds(self) -> float:
        """How long there has been uninterrupted contact with the same primaries.

        Below 0 while there is none; as far as `confirm` last knew which nodes are primaries.
        """
        now = time.monotonic()
        nodes = self._primaries or self._links.keys()
        return min(
            (now - link.contact_since for node, link in self._links.items() if node in nodes),
            default=float("-inf"),
        )

    async def confirm(self) -> None:
        """Ask which nodes are primaries now, and each which process it is: sooner than a probe."""
        shards = await self._nodes.shards()
        for shard in shards:
            self._link(shard)
        self._primaries = {shard.node for shard in shards}
        for node in self._primaries:
            await self._links[node].confirm()

    async def _link_of(self, execution_id: str) -> _Link:
        return await self._link_to(await self._nodes.node_of(execution_id))

    async def _link_to(self, node: Redis) -> _Link:
        if node not in self._links:
            for shard in await self._nodes.shards():
                self._link(shard)
        return self._links[node]

    def _link(self, shard: Shard) -> None:
        if shard.node in self._links:
            return
        link = _Link(shard, self._listener, self._settings)
        self._links[shard.node] = link
        task = asyncio.create_task(link.run(), name=f"live link {shard.tag}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Link:
    """One pub/sub connection; made anew for ever until its task is cancelled."""

    def __init__(self, shard: Shard, listener: Listener, settings: LiveSettings) -> None:
        self._shard, self._listener, self._settings = shard, listener, settings
        self._wanted: set[str] = set()
        self._changes: dict[str, bool] = {}  # channel → subscribe it, or unsubscribe
        self._changed = asyncio.Event()
        self._own = probe_key(shard.tag) + ":" + secrets.token_hex(8)
        self.heard = float("-inf")
        self.contact_since = float("inf")
        self._run_id = b""

    def change(self, *, subscribe: str = "", unsubscribe: str = "") -> None:
        """Ask for a change; all that are asked for in one turn of the loop go out together."""
        channel = subscribe or unsubscribe
        (self._wanted.add if subscribe else self._wanted.discard)(channel)
        self._changes[channel] = bool(subscribe)
        self._changed.set()

    async def run(self) -> None:
        attempts = 0
        while True:
            begun = time.monotonic()
            connection = _connection(self._shard.node)
            try:
                async with asyncio.TaskGroup() as group:
                    await connection.connect()
                    self._changes = dict.fromkeys(self._wanted, True) | {self._own: True}
                    self._changed.set()
                    group.create_task(hear(connection, self._take))
                    group.create_task(self._write(connection))
                    group.create_task(self._probe())
            except* (RedisError, RuntailError, OSError, TimeoutError) as group_error:
                log.warning("live link to %s cut: %s", self._shard.tag, group_error.exceptions[0])
            finally:
                self.contact_since = float("inf")
                with suppress(RedisError, OSError, RuntimeError):
                    await connection.disconnect()
            attempts = 0 if self.heard > begun + self._settings.probe_seconds else attempts + 1
            bound = min(self._settings.backoff_seconds, 0.1 * 2**attempts)
            await asyncio.sleep(random.uniform(0.02, bound))

    def _take(self, reply: list[Any]) -> None:
        match reply:
            case [b"smessage", channel, payload]:
                if channel == self._own.encode():
                    self.heard = time.monotonic()
                elif is_changes(channel.decode()):
                    self._listener.changed(told(payload))
                elif is_notes(channel.decode()):
                    self._listener.noted(execution_of(channel.decode()))
                else:
                    self._listener.message(execution_of(channel.decode()), payload)
            case [b"ssubscribe", channel, _] if channel != self._own.encode():
                if is_changes(channel.decode()):
                    self._listener.changes_fresh()
                elif is_notes(channel.decode()):
                    self._listener.noted(execution_of(channel.decode()))
                else:
                    self._listener.fresh(execution_of(channel.decode()))

    async def _write(self, connection: AbstractConnection) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            changes, self._changes = self._changes, {}
            for word, wanted in ((b"SSUBSCRIBE", True), (b"SUNSUBSCRIBE", False)):
                channels = [channel for channel, want in changes.items() if want is wanted]
                for together in self._commands(channels):
                    await connection.send_command(word, *together)

    def _commands(self, channels: list[str]) -> Iterable[list[str]]:
        """Group channels into commands: a cluster takes only those of one slot together."""
        if self._shard.clustered:
            return ([channel] for channel in channels)
        return (channels[i : i + 1000] for i in range(0, len(channels), 1000))

    async def _probe(self) -> None:
        self.heard = max(self.heard, time.monotonic())  # a new link gets its chance
        while True:
            await self._write_probe()
            await asyncio.sleep(self._settings.probe_seconds * random.uniform(0.8, 1.2))
            silent = time.monotonic() - self.heard
            if silent > self._settings.probe_timeout_seconds:
                raise TimeoutError(f"deaf: its own probe was not heard for {silent:.1f} s")

    async def _write_probe(self) -> None:
        keep_ms = int(self._settings.probe_timeout_seconds * 10_000)
        probe = script("probe")
        node = self._shard.node
        await node.eval(
            probe.text, 1, probe_key(self._shard.tag), self._own, secrets.token_hex(4), keep_ms
        )
        await self._look_at_primary()

    async def confirm(self) -> None:
        """Begin the contact anew if another process answers, or none."""
        if self.contact_since != float("inf"):
            await self._look_at_primary()

    async def _look_at_primary(self) -> None:
        run_id = await _run_id(self._shard.node)
        if run_id != self._run_id or self.contact_since == float("inf"):
            self._run_id, self.contact_since = run_id, time.monotonic()


async def _run_id(node: Redis) -> bytes:
    """Ask which process answers, so that a change of primary is noticed; b"" if it cannot say."""
    try:
        server = await node.execute_command("INFO", "server")
    except RedisError as error:
        log.debug("INFO server is refused: %s", error)
        return b""
    if isinstance(server, dict):
        return str(server.get("run_id", "")).encode()
    return next((row[7:] for row in server.split(b"\r\n") if row.startswith(b"run_id:")), b"")


async def _itself(node: Redis) -> Redis:
    return node


def _connection(node: Redis) -> AbstractConnection:
    """Make a connection of our own beside the pool's: a subscriber's cannot be shared.

    RESP2, whose messages are plain replies; no time limit, since silence is judged by the probe.
    """
    pool = node.connection_pool
    known = {**pool.connection_kwargs, "protocol": 2, "socket_timeout": None}
    connection: AbstractConnection = pool.connection_class(**known)
    return connection
