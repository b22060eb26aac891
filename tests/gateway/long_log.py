"""Fill an execution with millions of records in little time, and count what its engine is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Any

from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import new_random
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.record import encode
from runtail_broker.script import Answer, Batch, Limits, publish_call

_AT_ONCE = 50  # calls
_LIMITS = Limits(max_records=10_000_000, max_bytes=4 * 1024**3, max_age_seconds=10**9)
_READS = ("xrange", "xrevrange", "hmget", "hgetall", "hget", "exists", "zscore", "multi", "exec")


async def write_long_log(
    nodes: Nodes,
    worker: Worker,
    records: int,
    sizes: Sequence[int],
    texts: dict[int, str],
    pauses: Sequence[int],
) -> None:
    """Publish until the execution has *records* records, its status among them.

    In frames of *sizes* in turn; the record of seq *s* reads *texts[s]*, or `row`. A frame of each
    size is made once and sent often. After every few of them the engine's clock seems to have gone
    on by one of *pauses* (ms).
    """
    key = worker.keys.state
    assert (await worker.open(limits=_LIMITS)).word == "created"
    calls = (
        publish_call(worker.execution_id, worker.name, batch)
        for batch in _batches(worker.execution_id, records, sizes, texts)
    )
    waits = cycle(pauses)
    while some := list(islice(calls, _AT_ONCE)):
        await nodes.at(key, lambda node: node.hincrby(key, "ms", next(waits)))
        answers = await nodes.run_all(some)
        assert {a.word for a in answers if isinstance(a, Answer)} == {"stored"}


def _batches(
    name: str, records: int, sizes: Sequence[int], texts: dict[int, str]
) -> Iterator[Batch]:
    made: dict[int, tuple[bytes, int]] = {}
    stops = sorted([*texts, records + 1])  # a text has a frame of its own
    seq = 2
    for number, size in enumerate(cycle(sizes), 1):
        if seq > records:
            return
        room = next(stop for stop in stops if stop >= seq) - seq
        count = min(size, room) or 1
        if not room:
            stops.remove(seq)
            frame, length = _frame(name, [texts[seq]])
        else:
            frame, length = made[count] = made.get(count) or _frame(name, ["row"] * count)
        levels = (0, count, 0, 0)
        yield Batch(number, seq - 2, count, new_random(), 0, levels, length, 0, "", frame)
        seq += count


def _frame(name: str, messages: Sequence[str]) -> tuple[bytes, int]:
    lines = [encode(name, {"message": message}).json for message in messages]
    return encode_frame(lines), sum(map(len, lines))


class EngineCalls:
    """What an engine is asked: reads and MULTI and EXEC, however many travel together."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._before: dict[str, int] = {}

    async def begin(self) -> None:
        """Count from here on."""
        self._before = await self._so_far()

    async def calls(self) -> dict[str, int]:
        """Count what it was asked since, by command."""
        now = await self._so_far()
        found = {name: count - self._before[name] for name, count in now.items()}
        return {name: count for name, count in found.items() if count}

    async def _so_far(self) -> dict[str, int]:
        (shard,) = await self._nodes.shards()
        stats: dict[str, Any] = await shard.node.info("commandstats")
        return {name: stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in _READS}
