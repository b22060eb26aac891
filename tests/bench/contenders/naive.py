"""The gateway that one writes first: an `XREAD BLOCK` for every viewer, a message for every record.

Served as uvicorn serves by default. What such a gateway does about a viewer that comes back is
usually nothing; here it goes on after the entry id that the viewer names: every message tells its.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from redis.asyncio import Redis
from tests.bench.contender import Engine, Make, Served
from tests.bench.processes import packages, running
from tests.bench.records import numbered


@dataclass(frozen=True, slots=True)
class Naive:
    """Starlette, redis-py, uvicorn."""

    name: str = "naive"
    share: float = 1
    about: str = "Starlette with an `XREAD BLOCK` a viewer and a message a record, under uvicorn"
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """Say what it consists of."""
        return packages("starlette", "uvicorn", "redis")

    def missing(self) -> str:
        """It needs what the gateway needs."""
        return ""

    @contextmanager
    def serving(self, engine: Engine, *, gateways: int = 1, history: int = 0) -> Iterator[Served]:
        """Run gateways on the engine."""
        with ExitStack() as stack:
            children = [
                stack.enter_context(running("tests.bench.naive_gateway", engine.url))
                for _ in range(gateways)
            ]
            ports = tuple(child.ports()[0] for child in children)
            yield Served("naive", ports, tuple(children), {"url": engine.url})


CONTENDER = Naive()


class Feeder:
    """Pipelined `XADD`, an entry a record."""

    def __init__(self, url: str, make: Make = numbered) -> None:
        self._make = make
        self._redis: Redis = Redis.from_url(url)

    async def open(self, executions: Sequence[str]) -> None:
        self._names = executions

    async def publish(self, batches: Sequence[tuple[int, int, int]]) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for execution, first, count in batches:
            name = self._names[execution]
            for seq in range(first, first + count):
                pipe.xadd(name, {"f": self._make(name, seq)})
        await pipe.execute()

    async def close(self) -> None:
        await self._redis.aclose()
