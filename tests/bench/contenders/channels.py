"""Django Channels: a consumer for every viewer, groups over Redis, served by Daphne.

From channels.readthedocs.io: an `AsyncWebsocketConsumer` that joins a group when it connects, the
`channels_redis.core.RedisChannelLayer` it recommends for production, Daphne as its server. Layers
hold 100 messages a channel by default and drop what is beyond; `capacity` is raised so that a burst
arrives. They keep nothing for who comes later or comes back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.bench.contender import Engine, Served
from tests.bench.contenders.channels_site import GROUP, layer_settings
from tests.bench.processes import command, free_port, listens, packages
from tests.bench.records import numbered
from tests.polling import until

_NO_HISTORY = "it keeps no history"


@dataclass(frozen=True, slots=True)
class Channels:
    """Daphne processes that share a channel layer."""

    name: str = "channels"
    share: float = 0.05
    about: str = "Django Channels, `RedisChannelLayer`, a group an execution, served by Daphne"
    leaves_out: Mapping[str, str] = field(
        default_factory=lambda: dict.fromkeys(("W4", "W4.20", "W7", "W8"), _NO_HISTORY)
    )
    remarks: Mapping[str, str] = field(
        default_factory=lambda: {
            "W5": "returning from `group_send` is all there is of an acknowledgement"
        }
    )

    def version(self) -> str:
        """Say what it consists of."""
        return packages("django", "channels", "channels-redis", "daphne")

    def missing(self) -> str:
        """Say what is not installed."""
        gone = [each for each in ("channels", "channels_redis", "daphne") if not find_spec(each)]
        return f"{', '.join(gone)} is not installed" if gone else ""

    @contextmanager
    def serving(self, engine: Engine, *, gateways: int = 1, history: int = 0) -> Iterator[Served]:
        """Run servers on the engine."""
        daphne = str(Path(sys.executable).with_name("daphne"))
        site = "tests.bench.contenders.channels_site:application"
        ports = tuple(free_port() for _ in range(gateways))
        env = {"BENCH_REDIS_URL": engine.url, "PYTHONPATH": "."}
        with ExitStack() as stack:
            children = [
                stack.enter_context(
                    command(daphne, "-v", "0", "-b", "127.0.0.1", "-p", str(port), site, env=env)
                )
                for port in ports
            ]
            for port in ports:
                until(lambda at=port: listens(at), "Daphne listens")  # type: ignore[misc]
            yield Served("channels", ports, tuple(children), {"url": engine.url})


CONTENDER = Channels()


class Feeder:
    """Send every record to its group; returning from `group_send` is all there is of an answer."""

    def __init__(self, url: str) -> None:
        from channels_redis.core import RedisChannelLayer

        self._layer: Any = RedisChannelLayer(**layer_settings(url))

    async def open(self, executions: Sequence[str]) -> None:
        self._names = executions

    async def publish(self, batches: Sequence[tuple[int, int, int]]) -> None:
        for execution, first, count in batches:
            name = self._names[execution]
            for seq in range(first, first + count):
                message = {"type": "log", "text": numbered(name, seq).decode()}
                await self._layer.group_send(GROUP.format(name), message)

    async def close(self) -> None:
        await self._layer.close_pools()
