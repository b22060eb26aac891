"""Hear every frame as it is appended: one pub/sub connection per process and node.

The stream is the truth, this is the fast path. Whoever listens must prove and re-read whenever
`fresh` is called: what was published before a subscription was confirmed is not heard. A link can
be alive and deaf, so each one is probed by a script that writes to its node and publishes back.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from redis.asyncio import Redis
from redis.crc import key_slot

from runtail_broker.connections.client import Nodes, Shard
from runtail_broker.connections.ending import end
from runtail_broker.connections.live_link import Link, Listener, LiveSettings
from runtail_broker.errors import RuntailError
from runtail_broker.keys import ExecutionKeys, changes, execution_of, is_changes

__all__ = ["Listener", "Live", "LiveSettings"]

log = logging.getLogger("runtail.live")
_LOOK_SECONDS = 5.0  # between two looks where the channels belong, while nothing casts doubt on it
_AT_ONCE = 200  # channels whose home is looked for in one turn of the loop
_DOUBT_SECONDS = 0.1  # between two looks, when something does; the waits are random above it


class Live:
    """Subscriptions to live channels, over one link per node. Use as an async context manager.

    A channel whose slot moves, or whose primary changes, is subscribed to where it belongs then.
    """

    def __init__(self, nodes: Nodes, listener: Listener, settings: LiveSettings) -> None:
        self._nodes, self._listener, self._settings = nodes, listener, settings
        self._links: dict[Redis, Link] = {}
        self._tasks: dict[Redis, asyncio.Task[None]] = {}
        self._homes: dict[str, Link] = {}  # of each wanted channel
        self._doubted = asyncio.Event()
        self._moves = nodes.moves
        self._keeping: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Live:
        for work in (self._keep_homes(), self._tell_unheard()):
            self._keeping.append(asyncio.create_task(work))
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(*self._keeping, *self._tasks.values())

    async def start(self) -> None:
        """Link to every node there is, so that readiness can be told before anybody watches."""
        for shard in await self._nodes.shards():
            self._link(shard)

    async def want(self, execution_id: str) -> None:
        """Subscribe to *execution_id*; `fresh` tells when it is confirmed."""
        await self._subscribe(ExecutionKeys.of(execution_id).live)

    def drop(self, execution_id: str) -> None:
        """Unsubscribe from *execution_id*."""
        self._unsubscribe(ExecutionKeys.of(execution_id).live)

    async def want_notes(self, execution_id: str, *, wanted: bool = True) -> None:
        """Subscribe to changes of the notes of *execution_id*; or do so no more."""
        channel = ExecutionKeys.of(execution_id).notes
        if wanted:
            await self._subscribe(channel)
        else:
            self._unsubscribe(channel)

    async def want_changes(self, *, wanted: bool = True) -> None:
        """Subscribe to the changes of all executions; or do so no more."""
        for channel in changes():
            if wanted:
                await self._subscribe(channel)
            else:
                self._unsubscribe(channel)

    def silent_seconds(self) -> float:
        """How long ago the link that was silent longest heard its own probe; inf before all did."""
        return max(self._silences(), default=float("inf"))

    def round_trip_seconds(self) -> float:
        """How long the last probe took until it was heard; of the slowest link, 0 before any."""
        return max((link.round_trip for link in self._links.values()), default=0.0)

    @property
    def all_heard(self) -> bool:
        """Whether every link has heard a probe of its own since it was made."""
        return bool(self._links) and all(link.has_heard for link in self._links.values())

    def silent_seconds_of(self, execution_id: str) -> float:
        """How long ago the link that hears *execution_id* heard its own probe; inf if none does."""
        link = self._homes.get(ExecutionKeys.of(execution_id).live)
        return float("inf") if link is None else time.monotonic() - link.heard

    def deaf_seconds(self) -> float:
        """How long ago any link heard its own probe: with one shard away the others still serve."""
        return min(self._silences(), default=float("inf"))

    def contact_seconds(self) -> float:
        """How long there has been uninterrupted contact with the same primaries.

        Below 0 while there is none; as far as `confirm` last knew which nodes are primaries.
        """
        now = time.monotonic()
        return min(
            (now - link.contact_since for link in self._links.values()), default=float("-inf")
        )

    async def confirm(self) -> None:
        """Ask which nodes are primaries now, and each which process it is: sooner than a probe."""
        await self._keep_primaries()
        for link in list(self._links.values()):
            await link.confirm()

    def doubt(self) -> None:
        """Look soon where the channels belong."""
        self._doubted.set()

    def _silences(self) -> Iterable[float]:
        now = time.monotonic()
        return (now - link.heard for link in self._links.values())

    async def _subscribe(self, channel: str) -> None:
        link = await self._link_to(channel)
        self._homes[channel] = link
        link.change(subscribe=channel)

    def _unsubscribe(self, channel: str) -> None:
        link = self._homes.pop(channel, None)
        if link is not None:
            link.change(unsubscribe=channel)

    async def _link_to(self, channel: str) -> Link:
        node = await self._nodes.node_of_key(channel)
        if node not in self._links:
            shards = {shard.node: shard for shard in await self._nodes.shards()}
            self._link(shards.get(node) or Shard(node, _tag_of(channel), clustered=True))
        return self._links[node]

    def _link(self, shard: Shard) -> None:
        if shard.node in self._links:
            return
        link = Link(shard, self._listener, self._settings, self.doubt)
        self._links[shard.node] = link
        task = asyncio.create_task(link.run(), name=f"live link {shard.tag}")
        self._tasks[shard.node] = task

    # ---- where channels belong

    async def _keep_homes(self) -> None:
        """Look again and again where the channels belong: soon when in doubt, else now and then."""
        while True:
            in_doubt = await self._waited()
            try:
                if in_doubt:
                    await self._nodes.look()
                await self._keep_primaries()
                if in_doubt or self._nodes.moves != self._moves:
                    self._moves = self._nodes.moves
                    await self._keep_all_homes()
            except RuntailError as error:
                log.info("it is not known which node serves what: %s", error)
            await asyncio.sleep(_DOUBT_SECONDS * random.uniform(1, 3))

    async def _keep_all_homes(self) -> None:
        for number, channel in enumerate(list(self._homes)):
            await self._keep_home(channel)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)  # others get their turn

    async def _waited(self) -> bool:
        try:
            async with asyncio.timeout(_LOOK_SECONDS * random.uniform(0.8, 1.2)):
                await self._doubted.wait()
        except TimeoutError:
            return False
        self._doubted.clear()
        return True

    async def _keep_primaries(self) -> None:
        """Link to the nodes that are primaries now, and to no others."""
        shards = {shard.node: shard for shard in await self._nodes.shards()}
        for node, link in list(self._links.items()):
            if node not in shards or link.led_away:
                del self._links[node]
                self.doubt()  # what was subscribed to there has no home now
                await end(self._tasks.pop(node))
        for shard in shards.values():
            self._link(replace(shard, tag=await self._nodes.some_tag(shard)))

    async def _keep_home(self, channel: str) -> None:
        """Subscribe to *channel* where it belongs, if it does not belong where it is."""
        link = await self._link_to(channel)
        home = self._homes.get(channel)
        if home is None:
            return  # nobody wants it any more
        if home is link:
            link.ask_again(channel)
        else:
            home.change(unsubscribe=channel)
            self._homes[channel] = link
            link.change(subscribe=channel)

    async def _tell_unheard(self) -> None:
        """While slots move: what is published there is not heard here."""
        while True:
            await asyncio.sleep(self._settings.poll_seconds)
            if not any(link.moving for link in self._links.values()):
                continue
            for channel, home in list(self._homes.items()):
                if home.moving and not is_changes(channel) and _slot(channel) in home.moving:
                    self._listener.unheard(execution_of(channel))


@lru_cache(maxsize=16_384)
def _slot(channel: str) -> int:
    return int(key_slot(channel.encode()))


def _tag_of(channel: str) -> str:
    return channel[channel.index("{") + 1 : channel.rindex("}")]
