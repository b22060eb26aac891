"""Weigh what an engine keeps against what it may keep: `max_total_bytes`, and its memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.shared_link import Command
from runtail_broker.engines.engine_health import size_text
from runtail_broker.engines.examine import info_of
from runtail_broker.engines.said import Said
from runtail_broker.errors import RuntailError
from runtail_broker.executions import Executions
from runtail_broker.keys import ExecutionKeys, indexes

WARN_SHARE: Final = 0.8
"""What part of the cap may be used until it is told; gateways warn at the same."""
_MOST: Final = 4000  # executions whose bytes are read, of all parts of the list alike
_OVERHEAD: Final = 1.3  # what frames take in memory, beside keys and copies while it writes


async def weighed(nodes: Nodes) -> AsyncIterator[Said]:
    """Say how full it is, and whether its memory holds what the cap allows."""
    place = "the cap"
    try:
        cap = (await nodes.limits()).max_total_bytes
        kept, looked, count = await _kept(nodes)
        infos = [await info_of(shard.node) for shard in await nodes.shards()]
    except RuntailError as error:
        yield Said("ok", place, f"is not shown: {error}", "a gateway's user may see it")
        return
    about = "" if looked == count else f", by {looked} of {count} executions"
    text = f"{size_text(kept)} of {size_text(cap)} are kept ({kept / cap:.0%}{about})"
    if kept < cap * WARN_SHARE:
        yield Said("ok", place, text)
    else:
        advice = "beyond it the oldest that have ended go: give gateways an archive, let "
        advice += "`runtail prune` delete some, or HSET runtail:settings max_total_bytes to more"
        yield Said("warning", place, text, advice)
    memory = [int(info["maxmemory"]) for info in infos]
    if all(memory) and sum(memory) < cap * _OVERHEAD:
        text = f"max_total_bytes is {size_text(cap)}, maxmemory {size_text(sum(memory))} in all"
        fits = int(sum(memory) / _OVERHEAD)
        advice = f"HSET runtail:settings max_total_bytes {fits}, or raise maxmemory: else the "
        advice += "memory is full, and records are refused, before the oldest are let go"
        yield Said("warning", place, text, advice)


async def _kept(nodes: Nodes) -> tuple[float, int, int]:
    """Add up the bytes of frames; of many executions some stand for all."""
    names: list[str] = []
    count, keys = 0, list(indexes())
    for key in keys:
        count += await nodes.at(key, partial(_count, key))
        names += await nodes.at(key, partial(_newest, key, _MOST // len(keys)))
    found = await Executions(nodes).read_all(names, _read)
    sizes = [int(value or 0) for value in found.values()]
    mean = sum(sizes) / len(sizes) if sizes else 0.0
    return mean * count, len(names), count


def _read(name: str) -> Command:
    return ("HGET", ExecutionKeys.of(name).state, "bytes")


async def _count(key: str, node: Redis) -> int:
    return int(await node.zcard(key))


async def _newest(key: str, most: int, node: Redis) -> list[str]:
    names: list[Any] = list(await node.zrange(key, 0, most - 1, desc=True))
    return [name.decode() for name in names]
