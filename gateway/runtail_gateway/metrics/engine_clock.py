"""Know how far the engine's clock is ahead of this process's, so that both tell one time."""

from __future__ import annotations

import time

from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.pipelining import translated

_ASKED = 3  # times each primary: the quickest answer says it best


async def ahead_seconds(nodes: Nodes) -> tuple[float, float]:
    """Ask all primaries: how far they are ahead in the mean, and the one that is off most.

    Exact to half of a round trip. Raises what `Nodes` raises.
    """
    try:
        ahead = [await _ahead(shard.node) for shard in await nodes.shards()]
    except (RedisError, OSError) as error:
        raise translated(error) from error
    return sum(ahead) / len(ahead), max(ahead, key=abs)


async def _ahead(node: Redis) -> float:
    tries = []
    for _ in range(_ASKED):
        begun, timer = time.time(), time.perf_counter()
        seconds, microseconds = await node.time()
        took = time.perf_counter() - timer
        tries.append((took, float(seconds) + microseconds / 1e6 - (begun + took / 2)))
    return min(tries)[1]
