"""Talk to the engine: one place knows which node serves an execution, one place translates errors.

A plain server is a cluster of one node here. Writes are never retried by the client library: a
retried write whose answer was lost would be stored twice, and the scripts dedupe by batch number.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import count
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, RedisError, TryAgainError

from runtail_broker.acks import MEMORY, Acks
from runtail_broker.connections.clients import Clients, address_of, client_of
from runtail_broker.connections.ending import end
from runtail_broker.connections.pipelining import answer_of, run_at, translated
from runtail_broker.connections.shared_link import Command, NotHere
from runtail_broker.connections.topology import Topology, ask_node, ask_sentinel, first_sound
from runtail_broker.engines.engine_url import Address, EngineUrl
from runtail_broker.errors import EngineRefused, RuntailError, Unavailable
from runtail_broker.keys import SETTINGS, ExecutionKeys
from runtail_broker.script import Answer, Call, Limits

LOOK_SECONDS = 15.0  # between two looks at who serves what, while nothing casts doubt on it
_ASKED_AT_ONCE = 5  # nodes of a cluster, when it is asked who serves what
_LEADS = 3  # from node to node, before it is given up
_TRY_AGAIN_SECONDS = (0.01, 0.03, 0.1, 0.3)


class Observe(Protocol):
    """Who is told of each call to the engine; called in the event loop, must not wait."""

    def __call__(self, call: str, seconds: float, *, failed: bool) -> None:
        """Hear of one."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A primary: its client, and a hash tag whose keys it serves."""

    node: Redis
    tag: str
    clustered: bool


def connect(url: str, *, timeout_seconds: float = 5.0, max_connections: int = 32) -> Redis:
    """Make a client for the first address of *url* (see `EngineUrl`); nothing connects yet."""
    return client_of(
        EngineUrl.read(url), timeout_seconds=timeout_seconds, max_connections=max_connections
    )


class Nodes:
    """Know the nodes of an engine and run what concerns one execution on the one that serves it.

    Everything raises Unavailable when the node does not answer (whether it did what was asked is
    then unknown) and EngineRefused for an error of the engine. A node that is away holds up nothing
    that another one serves. Use within one event loop.
    """

    def __init__(
        self, first: Redis, url: EngineUrl | None = None, *, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._clients, self._url, self._look_seconds = Clients(first), url, look_seconds
        self._topology: Topology | None = None  # None: not asked yet
        self._moved: dict[int, Address] = {}  # slots of which it was heard since then
        self._looked_at = 0.0
        self.moves = 0
        """Grows whenever it is heard that something is served elsewhere than before."""
        self.observed: Observe | None = None
        """Called after each call: its script or `read`, how long it took, whether it failed."""
        self._asking = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None

    @classmethod
    def connect(
        cls, url: str, *, timeout_seconds: float = 5.0, look_seconds: float = LOOK_SECONDS
    ) -> Nodes:
        """Make the nodes that *url* leads to; raise ValueError that says what is wrong with it."""
        read = EngineUrl.read(url)
        return cls(
            client_of(read, timeout_seconds=timeout_seconds), read, look_seconds=look_seconds
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._looking is not None:
            await end(self._looking)
        await self._clients.close()

    async def node_of(self, execution_id: str) -> Redis:
        """Find the client of the node that serves *execution_id*."""
        return await self.node_of_key(ExecutionKeys.of(execution_id).stream)

    async def node_of_key(self, key: str) -> Redis:
        """Find the client of the node that serves *key*, or the channel of that name."""
        topology = await self._known_topology()
        if not topology.ranges and not self._moved:
            return self._clients.first
        return self._of_slot(key_slot(key.encode()), topology)

    async def shards(self) -> list[Shard]:
        """List the primaries."""
        topology = await self._known_topology()
        if not topology.ranges:
            return [Shard(self._clients.first, "0", clustered=False)]
        found: dict[Redis, Shard] = {}
        for each in topology.ranges:
            node = self._clients.at(each.primary)
            if node not in found:
                found[node] = Shard(node, _tag_within(each.first, each.last), topology.clustered)
        return list(found.values())

    async def has_replicas(self) -> bool:
        """Whether it is a cluster, or watched by Sentinels: replicas are expected then."""
        return bool((await self._known_topology()).ranges)

    async def some_tag(self, shard: Shard) -> str:
        """Find a hash tag at random whose keys *shard* serves."""
        ranges = [
            each
            for each in (await self._known_topology()).ranges
            if self._clients.at(each.primary) is shard.node
        ]
        if not ranges:
            return shard.tag
        chosen = random.choice(ranges)
        return _tag_within(chosen.first, chosen.last, random.randrange(1_000_000))

    async def replica_of(self, execution_id: str) -> Redis | None:
        """Find a replica of the node that serves *execution_id*; None if none is known."""
        topology = await self._known_topology()
        slot = key_slot(ExecutionKeys.of(execution_id).stream.encode())
        serving = topology.range_of(slot)
        if serving is None or not serving.replicas or slot in self._moved:
            return None
        address = random.choice(serving.replicas)
        return self._clients.replica_at(address, clustered=topology.clustered)

    async def run(self, call: Call, *, acks: Acks = MEMORY) -> Answer:
        """Run one script."""
        (answer,) = await self.run_all([call], acks=acks)
        if isinstance(answer, RuntailError):
            raise answer
        return answer

    async def run_all(
        self, calls: Sequence[Call], *, replicated: bool = False, acks: Acks = MEMORY
    ) -> list[Answer | RuntailError]:
        """Run scripts of executions that one node serves, in one round trip; answers in order.

        With *replicated*, wait until the replicas that exist have it, at most a second. What is not
        as safe as *acks* says is answered by NotSafe, once for all that this call has stored.
        """
        begun, failed = time.perf_counter(), True
        try:
            answers = await self._run_all(calls, replicated, acks)
            failed = any(isinstance(answer, RuntailError) for answer in answers)
            return answers
        finally:
            self._observe(calls[0].script.name, begun, failed)

    async def _run_all(
        self, calls: Sequence[Call], replicated: bool, acks: Acks
    ) -> list[Answer | RuntailError]:
        node = await self.node_of(calls[0].execution_id)
        run = partial(run_at, replicated=replicated, acks=acks, waiting=self._clients.waiting)
        try:
            results = await run(node, calls)
            for _ in range(_LEADS):
                led = self._led(node, results)
                for (there, asking), indexes in led.items():
                    some = await run(there, [calls[index] for index in indexes], asking=asking)
                    for index, result in zip(indexes, some, strict=True):
                        results[index] = result
        except Unavailable:
            self.doubt()  # whoever serves it next may be another node
            raise
        answers = [answer_of(result) for result in results]
        if any(isinstance(answer, Unavailable) for answer in answers):
            self.doubt()
        return answers

    async def at(self, key: str, act: Callable[[Redis], Awaitable[Any]]) -> Any:
        """Run *act*, of one command or one transaction, on the node that serves *key*.

        Wherever the slot has gone, or is going just now; not again if its fate is unknown.
        """
        begun, failed = time.perf_counter(), False
        try:
            return await self._at(key, act)
        except RuntailError as error:
            failed = True
            if isinstance(error, Unavailable):
                self.doubt()
            raise
        finally:
            self._observe("read", begun, failed)

    async def ask(self, key: str, *commands: Command) -> Any:
        """Read by *commands*, in one step, on the node that serves *key*; the last one's answer.

        What others ask there in this turn of the loop goes along. For what may be run twice: where
        it cannot be answered so, it is asked again as `at` does. Several commands are a
        transaction, and its answer is that of EXEC. A map may be a dict or a flat list.
        """
        steps = commands if len(commands) == 1 else (("MULTI",), *commands, ("EXEC",))
        begun = time.perf_counter()
        try:
            answer = await self._clients.shared(await self.node_of_key(key)).ask(*steps)
        except NotHere:
            return await self.at(key, partial(_run_at_once, commands))
        except (RedisError, OSError) as error:
            self._observe("read", begun, failed=True)
            self.doubt()
            raise translated(error) from error
        self._observe("read", begun, failed=False)
        return answer

    async def ask_each(self, commands: Sequence[Command]) -> list[Any]:
        """Read by each of *commands*, whose second word is a key, as `ask` does; answers in order.

        Where the engine refuses one, EngineRefused stands in place of its answer.
        """
        asked: dict[Redis, list[int]] = {}
        for index, (_, key, *_) in enumerate(commands):
            asked.setdefault(await self.node_of_key(str(key)), []).append(index)
        answers: list[Any] = [None] * len(commands)
        for node, indexes in asked.items():
            begun = time.perf_counter()
            some = await self._clients.shared(node).ask_each([commands[i] for i in indexes])
            failed = any(_is_cut(answer) for answer in some)
            self._observe("read", begun, failed)
            for index, answer in zip(indexes, some, strict=True):
                answers[index] = answer
                if isinstance(answer, Exception):
                    answers[index] = await self._ask_again(commands[index], answer)
        return answers

    async def _ask_again(self, command: Command, error: Exception) -> Any:
        if _is_cut(error):
            self.doubt()
            raise translated(error) from error
        try:
            return await self.at(str(command[1]), partial(_run_at_once, [command]))
        except EngineRefused as refused:
            return refused

    async def _at(self, key: str, act: Callable[[Redis], Awaitable[Any]]) -> Any:
        node, asked = await self.node_of_key(key), act
        leads, waits = _LEADS, list(_TRY_AGAIN_SECONDS)
        while True:
            try:
                return await asked(node)
            except (MovedError, AskError) as error:
                if not leads:
                    raise Unavailable(str(error)) from error
                leads -= 1
                node, asking = self._lead(node, error)
                asked = partial(self._clients.asking, act=act) if asking else act
            except TryAgainError as error:
                if not waits:
                    raise Unavailable(str(error)) from error
                await asyncio.sleep(waits.pop(0))
                node, asked = await self.node_of_key(key), act
            except (RedisError, OSError) as error:
                raise translated(error) from error

    def _observe(self, what: str, begun: float, failed: bool) -> None:
        if self.observed is not None:
            self.observed(what, time.perf_counter() - begun, failed=failed)

    def doubt(self) -> None:
        """Look soon who serves what: a node did not answer as it should."""
        if self._topology is None or not self._topology.ranges:
            self._topology = None  # one server: asked when it is used next
        elif self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_quietly(), name="look at the nodes")

    async def look(self) -> None:
        """Look who serves what; nothing changes while nobody answers."""
        async with self._asking:
            await self._look()

    async def limits(self) -> Limits:
        """Read the limits that operators keep in the engine; the defaults where they keep none."""
        stored = await self.at(SETTINGS, lambda node: node.hgetall(SETTINGS))
        names = {field.name.encode(): field.name for field in fields(Limits)}
        return Limits(**{names[key]: int(value) for key, value in stored.items() if key in names})

    def _led(self, node: Redis, results: Sequence[Any]) -> dict[tuple[Redis, bool], list[int]]:
        """Group what was led elsewhere by where it was led to, and whether to ask there."""
        led: dict[tuple[Redis, bool], list[int]] = {}
        for index, result in enumerate(results):
            if isinstance(result, MovedError | AskError):
                led.setdefault(self._lead(node, result), []).append(index)
        return led

    def _lead(self, node: Redis, error: MovedError | AskError) -> tuple[Redis, bool]:
        """Find the node that *node* led to, and whether the slot is only moving there."""
        here = address_of(node)
        there = Address(error.host or (here.host if here else "127.0.0.1"), error.port)
        if isinstance(error, MovedError):  # an AskError too, for redis-py
            self._moved[error.slot_id] = there
            self.moves += 1
            self.doubt()
            return self._clients.at(there), False
        return self._clients.at(there), True

    def _of_slot(self, slot: int, topology: Topology) -> Redis:
        if slot in self._moved:
            return self._clients.at(self._moved[slot])
        if not topology.ranges:
            return self._clients.first
        serving = topology.range_of(slot)
        if serving is None:
            self.doubt()
            raise Unavailable(f"no node serves slot {slot}")
        return self._clients.at(serving.primary)

    async def _known_topology(self) -> Topology:
        topology = self._topology
        if topology is None:
            async with self._asking:
                topology = self._topology or await self._look()
        if topology.ranges and time.monotonic() > self._looked_at + self._look_seconds:
            self.doubt()
        return topology

    async def _look(self) -> Topology:
        topology = await first_sound(self._whom_to_ask())
        self.moves += self._topology is None or topology.ranges != self._topology.ranges
        self._topology = topology
        self._moved.clear()
        self._looked_at = time.monotonic()
        return topology

    async def _look_quietly(self) -> None:
        try:
            await self.look()
        except Unavailable:
            self._looked_at = time.monotonic()  # what was known stands until somebody answers

    def _whom_to_ask(self) -> list[Callable[[], Awaitable[Topology]]]:
        clients, url = self._clients, self._url
        if url is not None and url.kind == "sentinel":
            sentinels = [clients.sentinel_at(seed, url) for seed in url.seeds]
            return [partial(ask_sentinel, each, url.service, clients.at) for each in sentinels]
        for seed in url.seeds if url is not None and url.kind == "cluster" else ():
            clients.at(seed)
        known = clients.known()
        chosen = random.sample(known, min(len(known), _ASKED_AT_ONCE))
        return [partial(ask_node, node, here) for node, here in chosen]


def _is_cut(answer: object) -> bool:
    """Whether the shared link had no answer, and it may not be asked for by another."""
    return isinstance(answer, Exception) and not isinstance(answer, NotHere)


async def _run_at_once(commands: Sequence[Command], node: Redis) -> Any:
    if len(commands) == 1:
        return await node.execute_command(*commands[0])
    pipe = node.pipeline(transaction=True)
    for command in commands:
        pipe.execute_command(*command)
    return await pipe.execute()


def _tag_within(first: int, last: int, start: int = 0) -> str:
    """Find a hash tag whose slot lies in *first* … *last*."""
    return next(str(i) for i in count(start) if first <= key_slot(b"%d" % i) <= last)
