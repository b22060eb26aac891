"""Publish for one contender at a pace.

`python -m tests.bench.publishing` reads a `Plan` as a line of JSON, prints `{"ready": true}` when
the executions are open, waits for another line, publishes, and prints what it took.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import uvloop
from tests.bench.contender import feeder
from tests.bench.figures import percentile
from tests.bench.processes import Child, running

_TICK_SECONDS = 0.005  # what falls due within it is published together


@dataclass(frozen=True, slots=True)
class Plan:
    """What to publish, where and how fast."""

    contender: str
    feed: Mapping[str, Any]
    executions: Sequence[str]
    records: int
    """For each execution."""
    per_second: float = 0
    """For each execution; 0 is as fast as it is acknowledged."""
    together: int = 100
    """Records a batch, where there is no pace."""


@dataclass(frozen=True, slots=True)
class Published:
    """What it took."""

    seconds: float
    cpu_seconds: float
    began_ns: int
    late_ms: float
    """How far behind its pace it fell at the most: then it was the bottleneck."""
    late_p99_ms: float
    """The same, of 99 records of a hundred."""


@contextmanager
def publishing(plan: Plan) -> Iterator[Child]:
    """Run the publisher in a process of its own; it waits for a line when it is ready."""
    with running("tests.bench.publishing") as child:
        child.say(json.dumps(asdict(plan)))
        child.answer()
        yield child


def publish(child: Child) -> Published:
    """Let it publish, and wait until all is acknowledged."""
    child.say("go")
    return Published(**child.answer())


async def _main(plan: Plan) -> None:
    feeding = feeder(plan.contender, plan.feed)
    await feeding.open(plan.executions)
    print('{"ready": true}', flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    gc.disable()
    began, cpu, late = time.monotonic_ns(), time.process_time(), [0.0]
    if plan.per_second:
        late = await _paced(plan, feeding)
    else:
        for batch in _batches(plan):
            await feeding.publish([batch])
    seconds = (time.monotonic_ns() - began) / 1e9
    used = time.process_time() - cpu
    done = Published(seconds, used, began, max(late) * 1000, percentile(late, 0.99) * 1000)
    print(json.dumps(asdict(done)), flush=True)
    await feeding.close()


def _batches(plan: Plan) -> Iterator[tuple[int, int, int]]:
    for first in range(1, plan.records + 1, plan.together):
        count = min(plan.together, plan.records + 1 - first)
        for execution in range(len(plan.executions)):
            yield execution, first, count


async def _paced(plan: Plan, feeding: Any) -> list[float]:
    """Publish one record of each execution in turn, spread evenly; return how late each was."""
    many = len(plan.executions)
    apart = 1 / (plan.per_second * many)
    began, late = time.monotonic(), list[float]()
    number, total = 0, plan.records * many
    while number < total:
        await asyncio.sleep(max(0.0, began + number * apart - time.monotonic()))
        now = time.monotonic() - began
        due = max(1, min(total, int((now + min(apart, _TICK_SECONDS)) / apart) + 1) - number)
        due = min(due, total - number, many)
        late += (max(0.0, now - (number + i) * apart) for i in range(due))
        await feeding.publish(
            [((number + i) % many, (number + i) // many + 1, 1) for i in range(due)]
        )
        number += due
    return late


if __name__ == "__main__":
    fields: dict[str, Any] = json.loads(sys.stdin.readline())
    uvloop.run(_main(Plan(**fields)))
