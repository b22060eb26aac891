"""One pub/sub connection to one node: probed, and made anew whenever it is cut or deaf."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError, RedisError, ResponseError, TryAgainError

from runtail_broker.changes import told
from runtail_broker.connections.client import Shard
from runtail_broker.connections.hearing import hear
from runtail_broker.errors import RuntailError
from runtail_broker.keys import execution_of, is_changes, is_live, is_notes
from runtail_broker.keys import probe as probe_key
from runtail_broker.script import script

log = logging.getLogger("runtail.live")
_ELSEWHERE: Final = ("MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN")
_MOVING: Final = re.compile(r"\[(\d+)->-")


class Listener(Protocol):
    """Who hears; both are called in the event loop and must not wait."""

    def message(self, execution_id: str, payload: bytes) -> None:
        """Take a frame of the live channel (see `Entry.from_live`)."""

    def fresh(self, execution_id: str) -> None:
        """The subscription was confirmed, for the first time or anew: prove and re-read."""

    def unheard(self, execution_id: str) -> None:
        """Its slot is moving: what is published meanwhile is not heard, so read by yourself."""

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
    """Mean time between two probes of each node; each is up to a fifth earlier or later."""
    probe_timeout_seconds: float = 6.0
    """How long a link may go without hearing its probe before it is cut and made anew."""
    backoff_seconds: float = 5.0
    """Longest wait before a link is made anew; the waits are random below it."""
    poll_seconds: float = 0.5
    """How often is told what is unheard while its slot moves, which each probe looks for."""

    @classmethod
    def hearing_within(cls, seconds: float) -> Self:
        """Probe so often that a link which misses no more than one probe is not called deaf."""
        return cls(probe_seconds=min(2.0, seconds / 3), probe_timeout_seconds=seconds)

    def __post_init__(self) -> None:
        # a link is judged just before its next probe: it has heard nothing since the last one
        least = self.probe_seconds * 1.5
        if self.probe_timeout_seconds < least:
            raise ValueError(
                f"probe_timeout_seconds is {self.probe_timeout_seconds}, expected at least "
                f"{least:g}: one and a half times probe_seconds"
            )


class Link:
    """One pub/sub connection; made anew for ever until its task is cancelled.

    *doubt* is called when a channel may belong elsewhere, or the node does not answer.
    """

    def __init__(
        self, shard: Shard, listener: Listener, settings: LiveSettings, doubt: Callable[[], None]
    ) -> None:
        self._shard, self._listener, self._settings = shard, listener, settings
        self._doubt = doubt
        self._wanted: set[str] = set()
        self._confirmed: set[str] = set()
        self._changes: dict[str, bool] = {}  # channel → subscribe it, or unsubscribe
        self._changed = asyncio.Event()
        self._own = probe_key(shard.tag) + ":" + secrets.token_hex(8)
        self.heard = float("-inf")
        self.has_heard = False
        self.round_trip = self._probed = 0.0
        self.contact_since = float("inf")
        self.led_away = False
        """Whether what it probes with belongs to another node by now."""
        self.moving: frozenset[int] = frozenset()
        """The slots that are moving away from this node, as of the last probe."""
        self._run_id = b""

    def change(self, *, subscribe: str = "", unsubscribe: str = "") -> None:
        """Ask for a change; all that are asked for in one turn of the loop go out together."""
        channel = subscribe or unsubscribe
        (self._wanted.add if subscribe else self._wanted.discard)(channel)
        self._changes[channel] = bool(subscribe)
        self._changed.set()

    def ask_again(self, channel: str) -> None:
        """Subscribe to *channel* once more, if it is wanted and was not confirmed."""
        if channel in self._wanted and channel not in self._confirmed:
            self.change(subscribe=channel)

    async def run(self) -> None:
        attempts = 0
        while True:
            begun = time.monotonic()
            connection = _connection(self._shard.node)
            try:
                async with asyncio.TaskGroup() as group:
                    async with asyncio.timeout(self._settings.probe_timeout_seconds):
                        await connection.connect()  # nothing is probed yet
                    self._confirmed.clear()
                    self._changes = dict.fromkeys(self._wanted, True) | {self._own: True}
                    self._changed.set()
                    group.create_task(hear(connection, self._take, self._refused))
                    group.create_task(self._write(connection))
                    group.create_task(self._probe())
            except* (RedisError, RuntailError, OSError, TimeoutError) as group_error:
                log.warning("live link to %s cut: %s", self._shard.tag, group_error.exceptions[0])
                self._doubt()
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
                self._hear(channel.decode(), payload)
            case [b"ssubscribe", channel, _] if channel != self._own.encode():
                self._confirm(channel.decode())
            case [b"sunsubscribe", channel, _]:
                self._confirmed.discard(channel.decode())
                if channel.decode() in self._wanted or channel == self._own.encode():
                    self._doubt()  # nobody asked for it: the slot has gone to another node

    def _hear(self, channel: str, payload: bytes) -> None:
        if is_live(channel):  # most are
            self._listener.message(execution_of(channel), payload)
        elif channel == self._own:
            self.heard, self.has_heard = time.monotonic(), True
            self.round_trip = self.heard - self._probed
        elif is_changes(channel):
            self._listener.changed(told(payload))
        elif is_notes(channel):
            self._listener.noted(execution_of(channel))

    def _confirm(self, channel: str) -> None:
        self._confirmed.add(channel)
        if is_changes(channel):
            self._listener.changes_fresh()
        elif is_notes(channel):
            self._listener.noted(execution_of(channel))
        else:
            self._listener.fresh(execution_of(channel))

    def _refused(self, error: ResponseError) -> None:
        """Take the refusal of a subscription; raise what is not about where it belongs."""
        if not str(error).startswith(_ELSEWHERE):
            raise error
        self._doubt()

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
        node, key = self._shard.node, probe_key(self._shard.tag)
        self._probed = time.monotonic()
        try:
            await node.eval(probe.text, 1, key, self._own, secrets.token_hex(4), keep_ms)
        except (AskError, TryAgainError):
            self.led_away = True
            self._doubt()
        await self._look_at_primary()
        if self._shard.clustered:
            self.moving = await _moving(node)

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


async def _moving(node: Redis) -> frozenset[int]:
    """Ask which slots are moving away from *node*; none if it may not be asked."""
    try:
        rows = (await node.execute_command("CLUSTER", "NODES")).decode().splitlines()
    except ResponseError as error:
        log.debug("CLUSTER NODES is refused: %s", error)
        return frozenset()
    own = next((row for row in rows if "myself" in row.split(" ", 3)[2]), "")
    return frozenset(int(slot) for slot in _MOVING.findall(own))


def _connection(node: Redis) -> AbstractConnection:
    """Make a connection of our own beside the pool's: a subscriber's cannot be shared.

    RESP2, whose messages are plain replies; no time limit, since silence is judged by the probe.
    """
    pool = node.connection_pool
    known = {**pool.connection_kwargs, "protocol": 2, "socket_timeout": None}
    connection: AbstractConnection = pool.connection_class(**known)
    return connection
