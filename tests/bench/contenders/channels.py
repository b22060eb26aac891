"""Django Channels: a consumer for every viewer, groups over Redis, served by uvicorn.

From channels.readthedocs.io: an `AsyncWebsocketConsumer` that joins a group when it connects, and
channels_redis. Of its two layers it is the quicker one, `RedisPubSubChannelLayer`, and of the
servers that docs.djangoproject.com describes uvicorn: `RedisChannelLayer` under Daphne took two
to five times the CPU here, drops what is beyond a channel's capacity, and cuts off who waits for
5 s with redis-py 8. Neither layer keeps anything for who comes later or comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from tests.bench.contender import Engine, Make, Served
from tests.bench.contenders.channels_site import GROUP, layer_settings
from tests.bench.processes import command, listens, packages, program
from tests.bench.records import numbered
from tests.engines import free_port
from tests.polling import until

_NO_HISTORY = "it keeps no history"


@dataclass(frozen=True, slots=True)
class Channels:
    """Uvicorn processes that share a channel layer."""

    name: str = "channels"
    share: float = 0.05
    about: str = "Django Channels, `RedisPubSubChannelLayer`, a group an execution, under uvicorn"
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
        return packages("django", "channels", "channels-redis", "uvicorn")

    def missing(self) -> str:
        """Say what is not installed."""
        gone = [each for each in ("channels", "channels_redis") if not find_spec(each)]
        return f"{', '.join(gone)} is not installed" if gone else ""

    @contextmanager
    def serving(self, engine: Engine, *, gateways: int = 1, history: int = 0) -> Iterator[Served]:
        """Run servers on the engine."""
        uvicorn = program("uvicorn")
        assert uvicorn is not None, "the gateway itself is served by it"
        how = ("--log-level", "warning", "--lifespan", "off")  # Channels has no lifespan
        site = "tests.bench.contenders.channels_site:application"
        ports = tuple(free_port() for _ in range(gateways))
        env = {"BENCH_REDIS_URL": engine.url, "PYTHONPATH": "."}
        with ExitStack() as stack:
            children = [
                stack.enter_context(command(uvicorn, site, "--port", str(port), *how, env=env))
                for port in ports
            ]
            for port in ports:
                until(lambda at=port: listens(at), "uvicorn listens")  # type: ignore[misc]
            yield Served("channels", ports, tuple(children), {"url": engine.url})


CONTENDER = Channels()


class Feeder:
    """Send every record to its group; returning from `group_send` is all there is of an answer."""

    def __init__(self, url: str, make: Make = numbered) -> None:
        self._make = make
        from channels_redis.pubsub import RedisPubSubChannelLayer

        self._layer: Any = RedisPubSubChannelLayer(**layer_settings(url))

    async def open(self, executions: Sequence[str]) -> None:
        self._names = executions

    async def publish(self, batches: Sequence[tuple[int, int, int]]) -> None:
        for execution, first, count in batches:
            name = self._names[execution]
            for seq in range(first, first + count):
                message = {"type": "log", "text": self._make(name, seq).decode()}
                await self._layer.group_send(GROUP.format(name), message)

    async def close(self) -> None:
        await self._layer.flush()
