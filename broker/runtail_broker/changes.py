"""Tell whoever watches the list of executions that some of them changed.

Only which: whoever hears it reads the state. A script may not publish to a channel of another slot,
so who has changed a state tells it by a second command. Nothing depends on its arrival: a watcher
looks by itself now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial

from redis.asyncio import Redis

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import changes_of


async def tell(nodes: Nodes, execution_ids: Iterable[str]) -> None:
    """Tell that *execution_ids* changed; raises what `Nodes` raises."""
    by_channel: dict[str, list[str]] = {}
    for name in execution_ids:
        by_channel.setdefault(changes_of(name), []).append(name)
    await asyncio.gather(
        *(
            nodes.at(channel, partial(_publish, channel, " ".join(names)))
            for channel, names in by_channel.items()
        )
    )


def told(payload: bytes) -> list[str]:
    """Read what `tell` published."""
    return payload.decode("utf-8", "replace").split()


async def _publish(channel: str, payload: str, node: Redis) -> None:
    await node.execute_command("SPUBLISH", channel, payload)
