"""Run the demo workflow (20 seconds of steps) and trials, through the SDK like anybody's worker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from runtail_broker.connections.ending import end
from runtail_gateway.trials.trial import Trial
from runtail_gateway.trials.trial_run import Simulated, simulate

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
DEMO_WORKFLOW = "demo-etl"
_LINES_A_STEP = 24
_SECONDS_A_LINE = 0.16


class DemoRuns:
    """Demo executions in this process, at most *most* at once."""

    def __init__(self, redis_url: str | None, most: int) -> None:
        self._redis_url, self._most = redis_url, most
        self._publisher: AsyncPublisher | None = None
        self._runs: dict[str, asyncio.Task[None]] = {}

    def start(self, execution_id: str, trial: Trial | None = None) -> bool:
        """Begin a run under *execution_id*, of *trial* or of the demo.

        False if as many as allowed are under way.
        """
        if len(self._runs) >= self._most:
            return False
        if execution_id not in self._runs:
            task = asyncio.create_task(self._run(execution_id, trial))
            self._runs[execution_id] = task
            task.add_done_callback(lambda _: self._runs.pop(execution_id, None))
        return True

    async def close(self) -> None:
        """Cancel what runs, and let its end be stored."""
        await end(*self._runs.values())
        if self._publisher is not None:
            await self._publisher.close()

    async def _run(self, execution_id: str, trial: Trial | None) -> None:
        if self._publisher is None:
            from runtail import AsyncPublisher  # here: a gateway without demo needs no publisher

            self._publisher = AsyncPublisher(redis_url=self._redis_url)
        workflow_id = DEMO_WORKFLOW if trial is None else trial.name
        chance = random.Random(execution_id)
        with suppress(ConnectionError, Simulated):  # the execution has told that it failed
            async with self._publisher.execution(execution_id, workflow_id=workflow_id) as run:
                _cancel_when_asked(run)
                await (workflow(run, chance) if trial is None else simulate(run, trial, chance))


def _cancel_when_asked(run: Execution) -> None:
    """Let a wish to cancel end the task that this is called in."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    cancel: Callable[[], object] = task.cancel

    def asked() -> None:  # in the publisher's thread
        with suppress(RuntimeError):  # the loop is closed: all is over
            loop.call_soon_threadsafe(cancel)

    run.on_cancel(asked)


async def workflow(run: Execution, chance: random.Random) -> None:
    """Do what a small pipeline would: a plan, steps, errors now and then; the last may fail."""
    fails = chance.random() < 0.15
    names = [name for name, _ in _STEPS]
    run.set_plan(
        {"name": name, "step_type": kind, "after": names[max(n - 1, 0) : n]}
        for n, (name, kind) in enumerate(_STEPS)
    )
    run.progress(0)
    for number, (name, kind) in enumerate(_STEPS):
        async with run.step(name, step_type=kind, input_data={"batches": _LINES_A_STEP}) as step:
            kept = 0
            for line in range(_LINES_A_STEP):
                kept += _say(run, line, chance)
                done = number * _LINES_A_STEP + line + 1
                if line % 4 == 3:
                    run.progress(round(100 * done / (_LINES_A_STEP * len(_STEPS))))
                await asyncio.sleep(_SECONDS_A_LINE * chance.uniform(0.5, 1.5))
            step.output({"rows": kept})
            run.metric("rows kept", kept, "rows")
            if fails and number == len(_STEPS) - 1:
                raise ConnectionError(f"{name}: the storage answered 503 three times")
    run.link("report", "https://example.org/reports/orders")


def _say(run: Execution, line: int, chance: random.Random) -> int:
    """Log what became of one batch; return how many rows it kept."""
    rows, luck = chance.randint(200, 5000), chance.random()
    kept = rows - chance.randint(0, 50)
    if luck < 0.02:
        text = "TimeoutError: no answer within 2.0 s"
        run.error(f"batch {line} failed, trying again", error_message=text)
    elif luck < 0.08:
        run.warning(f"batch {line} took longer than usual")
    elif luck < 0.2:
        run.debug(f"cache {'hit' if luck < 0.15 else 'miss'} for batch {line}")
    else:
        run.info(
            f"batch {line}: {rows:,} rows",
            input_data={"batch": line, "rows": rows},
            output_data={"kept": kept},
            duration_ms=round(chance.uniform(20, 400), 1),
        )
    return kept
