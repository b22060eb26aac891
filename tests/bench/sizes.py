"""W8: what a record takes, stored in bursts and sent to a viewer: runtail's two ways, and peers."""

from __future__ import annotations

import asyncio

from tests.bench.contender import OURS, Contender, Engine, contender
from tests.bench.publishing import Plan as Publishing
from tests.bench.publishing import publish, publishing
from tests.bench.results import Run
from tests.bench.store import bytes_of_files, bytes_of_keys
from tests.bench.viewers import Plan, seen_by, wait_until_ready, watching
from tests.bench.workloads import Sizes, names
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from runtail_broker.records.frames_message import SUBPROTOCOL


def sizes_of(one: Contender, engine: Engine, amount: Sizes) -> Run:
    """Publish a burst; bytes of a record in the store, and on the wire."""
    return _ours(engine, amount) if one.name == OURS else _of_peer(one, engine, amount)


def _ours(engine: Engine, amount: Sizes) -> Run:
    ours: Contender = contender(OURS)
    executions = names("sizes", 1)
    with ours.serving(engine) as served:
        plan = Publishing(OURS, served.feed, executions, amount.burst)
        with publishing(plan) as worker:
            publish(worker)
        stored = bytes_of_keys(engine)
        url = f"ws://127.0.0.1:{served.ports[0]}/ws/executions/{executions[0]}/logs"
        text = asyncio.run(_sent(url, None))
        frames = asyncio.run(_sent(url, SUBPROTOCOL))
    return {
        "stored": float(stored) / amount.burst,
        "json": text / amount.burst,
        "frames": frames / amount.burst,
    }


def _of_peer(peer: Contender, engine: Engine, amount: Sizes) -> Run:
    executions = names("sizes", 1)
    with peer.serving(engine) as served:
        feed = Publishing(peer.name, served.feed, executions, amount.burst)
        plan = Plan(served.dialect, served.ports, executions, 1, amount.burst)
        with publishing(feed) as worker, watching(plan) as crowd:
            wait_until_ready(crowd)
            publish(worker)
            seen = seen_by(crowd)
        stored = bytes_of_keys(engine) if served.store is None else bytes_of_files(served)
    return {"stored": stored / amount.burst, "json": seen.bytes / amount.burst, "lost": seen.lost}


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
