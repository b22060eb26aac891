"""W8: what a record takes, stored in bursts and sent to a viewer, in runtail's two ways."""

from __future__ import annotations

import asyncio

from redis import Redis
from tests.bench.contender import OURS, Contender, Engine, contender
from tests.bench.publishing import Plan as Publishing
from tests.bench.publishing import publish, publishing
from tests.bench.workloads import Run, Sizes, names
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from runtail_broker.keys import ExecutionKeys
from runtail_broker.records.frames_message import SUBPROTOCOL


def sizes(engine: Engine, amount: Sizes) -> Run:
    """Publish a burst in frames of 100; bytes of a record in the stream, and on the wire."""
    ours: Contender = contender(OURS)
    executions = names("sizes", 1)
    with ours.serving(engine) as served:
        plan = Publishing(OURS, served.feed, executions, amount.burst)
        with publishing(plan) as worker:
            publish(worker)
        with Redis.from_url(engine.url) as redis:
            stored = redis.memory_usage(ExecutionKeys.of(executions[0]).stream, samples=0)
        url = f"ws://127.0.0.1:{served.ports[0]}/ws/executions/{executions[0]}/logs"
        text = asyncio.run(_sent(url, None))
        frames = asyncio.run(_sent(url, SUBPROTOCOL))
    return {
        "stored": float(stored) / amount.burst,
        "json": text / amount.burst,
        "frames": frames / amount.burst,
    }


async def _sent(url: str, protocol: str | None) -> int:
    """Read a history to where the viewer is caught up; bytes of its messages."""
    wished = None if protocol is None else [Subprotocol(protocol)]
    size = 0
    async with connect(
        url, subprotocols=wished, compression=None, max_size=None, proxy=None
    ) as socket:
        async for message in socket:
            size += len(message if isinstance(message, bytes) else message.encode())
            if isinstance(message, str) and '"caught_up"' in message:
                break
    return size
