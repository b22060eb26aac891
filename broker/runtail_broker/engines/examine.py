"""Ask an engine's primaries about themselves, as far as this user may, and judge the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtail_broker.connections.client import Nodes, Shard
from runtail_broker.connections.clients import address_of
from runtail_broker.connections.pipelining import translated
from runtail_broker.engines.engine_health import Finding, judged
from runtail_broker.errors import RuntailError


@dataclass(frozen=True, slots=True)
class Examined:
    """A primary, where it is, and what was found there."""

    shard: Shard
    place: str
    findings: tuple[Finding, ...]


async def examine(nodes: Nodes) -> list[Examined]:
    """Examine every primary; one that is away is an error of its own.

    Raises what `Nodes` raises if it is not known which there are.
    """
    replicated = await nodes.has_replicas()
    return [await _examine(shard, replicated) for shard in await nodes.shards()]


async def info_of(node: Redis) -> Mapping[str, str]:
    """Read INFO; raise what `Nodes` raises."""
    try:
        told = await node.info()
    except (RedisError, OSError) as error:
        raise translated(error) from error
    return {name: str(value) for name, value in told.items()}


async def _examine(shard: Shard, replicated: bool) -> Examined:
    address = address_of(shard.node)
    place = str(address) if address else "the engine"
    try:
        findings = judged(await info_of(shard.node), replicated=replicated)
    except RuntailError as error:
        findings = [Finding("error", "answer", str(error), "start it, or see why it refuses")]
    return Examined(shard, place, tuple(findings))
