"""Run the demo workflow: 20 seconds of steps, through the public SDK like anybody's worker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from runtail_broker.ending import end

if TYPE_CHECKING:
    from runtail import AsyncPublisher
    from runtail.run import Execution

_STEPS = (
    ("fetch orders", "http"),
    ("validate", "python"),
    ("join customers", "sql"),
    ("score", "model"),
    ("write report", "storage"),
)
_LINES_A_STEP = 24
_SECONDS_A_LINE = 0.16


class DemoRuns:
    """Demo executions in this process, at most *most* at once."""

    def __init__(self, redis_url: str | None, most: int) -> None:
        self._redis_url, self._most = redis_url, most
        self._publisher: AsyncPublisher | None = None
        self._runs: dict[str, asyncio.Task[None]] = {}

    def start(self, execution_id: str) -> bool:
        """Begin a run under *execution_id*; False if as many as allowed are under way."""
        if len(self._runs) >= self._most:
            return False
        if execution_id not in self._runs:
            task = asyncio.create_task(self._run(execution_id))
            self._runs[execution_id] = task
            task.add_done_callback(lambda _: self._runs.pop(execution_id, None))
        return True

    async def close(self) -> None:
        """Cancel what runs, and let its end be stored."""
        await end(*self._runs.values())
        if self._publisher is not None:
            await self._publisher.close()

    async def _run(self, execution_id: str) -> None:
        if self._publisher is None:
            from runtail import AsyncPublisher  # here: a gateway without demo needs no publisher

            self._publisher = AsyncPublisher(redis_url=self._redis_url)
        async with self._publisher.execution(execution_id, workflow_id="demo-etl") as run:
            await workflow(run, random.Random(execution_id))


async def workflow(run: Execution, chance: random.Random) -> None:
    """Log what a small pipeline would; errors now and then; the last step may fail."""
    fails = chance.random() < 0.15
    run.progress(0)
    for number, (step, kind) in enumerate(_STEPS):
        async with _timed(run, step, kind):
            for line in range(_LINES_A_STEP):
                _say(run, step, kind, line, chance)
                done = number * _LINES_A_STEP + line + 1
                if line % 4 == 3:
                    run.progress(round(100 * done / (_LINES_A_STEP * len(_STEPS))))
                await asyncio.sleep(_SECONDS_A_LINE * chance.uniform(0.5, 1.5))
            if fails and number == len(_STEPS) - 1:
                raise ConnectionError(f"{step}: the storage answered 503 three times")


@asynccontextmanager
async def _timed(run: Execution, step: str, kind: str) -> AsyncIterator[None]:
    begun = asyncio.get_running_loop().time()
    run.info(f"{step} started", step_name=step, step_type=kind)
    yield
    took_ms = round((asyncio.get_running_loop().time() - begun) * 1000, 1)
    run.info(f"{step} done", step_name=step, step_type=kind, duration_ms=took_ms)


def _say(run: Execution, step: str, kind: str, line: int, chance: random.Random) -> None:
    rows, luck = chance.randint(200, 5000), chance.random()
    if luck < 0.02:
        run.error(
            f"batch {line} failed, trying again",
            step_name=step,
            step_type=kind,
            error_message="TimeoutError: no answer within 2.0 s",
        )
    elif luck < 0.08:
        run.warning(f"batch {line} took longer than usual", step_name=step, step_type=kind)
    elif luck < 0.2:
        run.debug(f"cache {'hit' if luck < 0.15 else 'miss'} for batch {line}", step_name=step)
    else:
        run.info(
            f"batch {line}: {rows:,} rows",
            step_name=step,
            step_type=kind,
            input_data={"batch": line, "rows": rows},
            output_data={"kept": rows - chance.randint(0, 50)},
            duration_ms=round(chance.uniform(20, 400), 1),
        )
