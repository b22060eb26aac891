"""Runtail: the command `runtail gateway` on the engine, as users start it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.bench.contender import Engine, Served
from tests.bench.processes import gateway, packages
from tests.bench.records import record

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import new_random
from runtail_broker.records.frame import encode_frame
from runtail_broker.script import Batch, Call, Limits, open_call, publish_call

_PUBLISHER = "bench"
_OPEN_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Runtail:
    """One gateway process or several, on one engine."""

    name: str = "runtail"
    share: float = 1
    about: str = "`runtail gateway` on the engine, published to by the broker's own scripts"
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """Say what it consists of."""
        return packages("runtail", "starlette", "uvicorn", "uvloop", "redis", "hiredis")

    def missing(self) -> str:
        """It is what is tested."""
        return ""

    @contextmanager
    def serving(self, engine: Engine, *, gateways: int = 1, history: int = 0) -> Iterator[Served]:
        """Run gateways; the history is what the feeder has stored before."""
        with ExitStack() as stack:
            pairs = [stack.enter_context(gateway(engine.url)) for _ in range(gateways)]
            ports = tuple(port for _, port in pairs)
            yield Served("runtail", ports, tuple(c for c, _ in pairs), {"url": engine.url})


CONTENDER = Runtail()


class Feeder:
    """Publish frames as group commit makes them, what is due at once in one round trip."""

    def __init__(self, url: str) -> None:
        self._nodes = Nodes.connect(url)
        self._batches: list[int] = []

    async def open(self, executions: Sequence[str]) -> None:
        self._names = executions
        self._clustered = len(await self._nodes.shards()) > 1
        self._batches = [0] * len(executions)
        calls = [open_call(name, _PUBLISHER, "owner", "bench", Limits()) for name in executions]
        for start in range(0, len(calls), _OPEN_AT_ONCE):
            await self._run(calls[start : start + _OPEN_AT_ONCE])

    async def publish(self, batches: Sequence[tuple[int, int, int]]) -> None:
        await self._run([self._call(*batch) for batch in batches])

    async def close(self) -> None:
        await self._nodes.close()

    def _call(self, execution: int, first: int, count: int) -> Call:
        name = self._names[execution]
        records = [record(name, first + i) for i in range(count)]
        self._batches[execution] += 1
        batch = Batch(
            number=self._batches[execution],
            before=first - 1,
            count=count,
            random=new_random(),
            flags=0,
            levels=(0, count, 0, 0),
            json_bytes=sum(map(len, records)),
            stands_for=0,
            progress="",
            frame=encode_frame(records),
        )
        return publish_call(name, _PUBLISHER, batch)

    async def _run(self, calls: Sequence[Call]) -> None:
        if self._clustered:  # each goes to its node
            await asyncio.gather(*map(self._nodes.run, calls))
            return
        for answer in await self._nodes.run_all(calls):
            if isinstance(answer, Exception):
                raise answer
            if answer.word not in ("stored", "created"):
                raise RuntimeError(f"the engine answered {answer.word!r}, expected 'stored'")
