"""Simulate a workflow that is tried out, through the public SDK like anybody's worker."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from runtail_gateway.trials.trial import Trial, TrialStep

if TYPE_CHECKING:
    from runtail.run import Execution


class Simulated(Exception):
    """A failure that the definition of a step asked for, or its chance."""


async def simulate(run: Execution, trial: Trial, chance: random.Random) -> None:
    """Let each step begin when those before it have completed; raise the first failure at the end.

    A step behind one that did not complete is skipped.
    """
    run.set_plan(
        {"name": step.name, "after": list(step.after), "step_type": step.step_type}
        for step in trial.steps
    )
    run.progress(0, len(trial.steps))
    await _Simulation(run, trial, chance).run()
    run.link("about this workflow", "https://example.org/workflows/")


class _Simulation:
    def __init__(self, run: Execution, trial: Trial, chance: random.Random) -> None:
        self._run, self._trial, self._chance = run, trial, chance
        self._completed: dict[str, asyncio.Task[bool]] = {}
        self._failures: list[Simulated] = []
        self._over = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for step in self._trial.steps:
                self._completed[step.name] = group.create_task(self._step(step))
        if self._failures:
            raise self._failures[0]

    async def _step(self, step: TrialStep) -> bool:
        """Do one step; say whether it completed."""
        before = [self._completed[name] for name in step.after]
        if before:
            await asyncio.wait(before)
        missing = next((n for n in step.after if not self._completed[n].result()), None)
        if missing is None:
            completed = await self._attempts(step)
        else:
            completed = False
            async with self._run.step(step.name, step_type=step.step_type) as skipped:
                skipped.skip(f"{missing} did not complete")
        self._over += 1
        self._run.progress(self._over, len(self._trial.steps))
        return completed

    async def _attempts(self, step: TrialStep) -> bool:
        for attempt in range(1, step.attempts + 1):
            numbers = {"attempt": attempt, "attempts": step.attempts} if step.attempts > 1 else {}
            try:
                async with self._run.step(
                    step.name, step_type=step.step_type, **numbers
                ) as running:
                    said = await self._attempt(step)
                    running.output({"records": said})
                return True
            except Simulated as failure:
                if attempt == step.attempts:
                    self._failures.append(failure)
        return False

    async def _attempt(self, step: TrialStep) -> int:
        """Log at the step's rate for its time, or fail on the way; return how many it logged."""
        count = round(step.seconds * step.logs_per_second)
        pause = step.seconds / max(1, count)
        fails = self._chance.random() < step.failure
        last = self._chance.randint(0, count) if fails else count
        for number in range(1, last + 1):
            await asyncio.sleep(pause)
            self._say(number, count)
        if fails:
            raise Simulated(f"{step.name} failed after {last} of {count} records, as it may")
        if not count:
            await asyncio.sleep(pause)
        self._run.metric("records", last, "records")
        return last

    def _say(self, number: int, count: int) -> None:
        luck = self._chance.random()
        if luck < 0.05:
            self._run.warning(f"record {number} of {count} took longer than usual")
        elif luck < 0.2:
            self._run.debug(f"record {number} of {count} came from the cache")
        else:
            took = round(self._chance.uniform(1, 90), 1)
            self._run.info(f"record {number} of {count}", duration_ms=took)
