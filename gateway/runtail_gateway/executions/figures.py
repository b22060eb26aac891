"""Sum up many executions: how many a minute, how long they take, what fails. Pure: no I/O."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runtail_broker.records.outline import StepEnds
from runtail_broker.state import rfc3339
from runtail_broker.tally import Tally
from runtail_gateway.executions.rates import Rates

MOST_ROWS: Final = 1440
MOST_WORKFLOWS: Final = 100
MOST_STEPS: Final = 50
HISTORY: Final = 30
_MOST_STEP_NAMES: Final = 10_000  # of all workflows; what comes beyond is left out
_MINUTE_MS: Final = 60_000
_STATUSES: Final = ("completed", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Window:
    """A time (ms since 1970) in rows of whole minutes, the last of which is under way."""

    since_ms: int
    until_ms: int
    row_ms: int

    @classmethod
    def of(cls, seconds: int, now_ms: int) -> Window:
        """Make the last *seconds*, from the beginning of a row on."""
        row_ms = math.ceil(seconds / 60 / MOST_ROWS) * _MINUTE_MS
        return cls((now_ms - seconds * 1000) // row_ms * row_ms, now_ms, row_ms)

    def holds(self, ms: int) -> bool:
        """Whether *ms* is within it."""
        return self.since_ms <= ms <= self.until_ms

    def row_of(self, ms: int) -> int:
        """Which row *ms* is in."""
        return (ms - self.since_ms) // self.row_ms

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.row_of(self.until_ms) + 1


@dataclass(slots=True)
class _Workflow:
    """The executions of one workflow that ended in the window."""

    finished: Counter[str] = field(default_factory=Counter)
    durations: list[int] = field(default_factory=list)  # of those that completed
    history: list[tuple[int, str, Tally]] = field(default_factory=list)  # a heap of the last ones

    def add(self, tally: Tally) -> None:
        self.finished[tally.status] += 1
        if tally.status == "completed":
            self.durations.append(tally.duration_ms)
        heapq.heappush(self.history, (tally.ended_ms, tally.id, tally))
        if len(self.history) > HISTORY:
            heapq.heappop(self.history)

    def json(self, workflow_id: str | None) -> dict[str, Any]:
        return {
            "workflow_id": workflow_id,
            "finished": self.finished.total(),
            "failed": self.finished["failed"],
            "success_rate": share(self.finished["completed"], self.finished.total()),
            "p50_ms": percentile(self.durations, 50),
            "p95_ms": percentile(self.durations, 95),
            "history": [_past(tally) for _, _, tally in sorted(self.history)],
        }


@dataclass(slots=True)
class _Step:
    runs: int = 0
    failed: int = 0
    durations: list[float] = field(default_factory=list)


class Figures:
    """The figures of a window, of the executions that are added."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._rows = [dict.fromkeys(("started", *_STATUSES), 0) for _ in range(window.rows)]
        self._rates = Rates(window.since_ms, window.row_ms, window.rows)
        self._workflows: dict[str | None, _Workflow] = {}
        self._steps: dict[tuple[str | None, str], _Step] = {}
        self._counted = self._running = 0

    def add(self, tally: Tally) -> None:
        """Count an execution."""
        self._counted += 1
        self._running += tally.status == "running"
        if self._window.holds(tally.started_ms):
            self._rows[self._window.row_of(tally.started_ms)]["started"] += 1
        if self.has_ended_within(tally):
            self._rows[self._window.row_of(tally.ended_ms)][tally.status] += 1
            self._workflows.setdefault(tally.workflow_id, _Workflow()).add(tally)
        self._rates.add(tally.started_ms, tally.last_ms, tally.records)

    def has_ended_within(self, tally: Tally) -> bool:
        """Whether it is one of those that ended in the window."""
        return tally.is_over and self._window.holds(tally.ended_ms)

    def add_steps(self, workflow_id: str | None, steps: Sequence[StepEnds]) -> None:
        """Count the steps of an execution that ended."""
        for ends in steps:
            key = (workflow_id, ends.name)
            if key not in self._steps and len(self._steps) >= _MOST_STEP_NAMES:
                continue
            step = self._steps.setdefault(key, _Step())
            step.runs += ends.runs
            step.failed += ends.failed
            step.durations += ends.durations

    def json(self) -> dict[str, Any]:
        """Make the members of an answer."""
        window, records = self._window, self._rates.rows()
        sums = {name: sum(row[name] for row in self._rows) for name in ("started", *_STATUSES)}
        seconds = (window.until_ms - window.since_ms) / 1000
        return {
            "since": rfc3339(window.since_ms),
            "until": rfc3339(window.until_ms),
            "counted": self._counted,
            "row_seconds": window.row_ms // 1000,
            "per_minute": [
                {"minute": rfc3339(window.since_ms + number * window.row_ms)}
                | row
                | {"records": round(records[number])}
                for number, row in enumerate(self._rows)
            ],
            "running": self._running,
            **sums,
            "success_rate": share(sums["completed"], sum(sums[name] for name in _STATUSES)),
            "records_per_second": round(sum(records) / seconds, 3) if seconds else 0.0,
            "workflows": self._most_used(),
            "steps": self._worst_steps(),
        }

    def _most_used(self) -> list[dict[str, Any]]:
        told = [workflow.json(name) for name, workflow in self._workflows.items()]
        return sorted(told, key=lambda each: (-each["finished"], each["workflow_id"] or ""))[
            :MOST_WORKFLOWS
        ]

    def _worst_steps(self) -> list[dict[str, Any]]:
        """Choose those that fail most, at most half of the room, and those that take longest."""
        told = [_step_json(key, step) for key, step in self._steps.items()]
        failing = sorted((each for each in told if each["failed"]), key=_by_failures)
        chosen = failing[: MOST_STEPS // 2]
        known = {(each["workflow_id"], each["step_name"]) for each in chosen}
        slow = sorted(
            (each for each in told if (each["workflow_id"], each["step_name"]) not in known),
            key=lambda each: (-(each["p95_ms"] or 0), each["step_name"]),
        )
        return sorted(chosen + slow[: MOST_STEPS - len(chosen)], key=_by_failures)


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Find the least of *values* that as many percent do not exceed; None of nothing."""
    if not values:
        return None
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def share(part: int, whole: int) -> float | None:
    """Divide; None for a share of nothing."""
    return round(part / whole, 4) if whole else None


def _past(tally: Tally) -> dict[str, Any]:
    return {
        "ended_at": rfc3339(tally.ended_ms),
        "duration_ms": tally.duration_ms,
        "status": tally.status,
        "id": tally.id,
    }


def _step_json(key: tuple[str | None, str], step: _Step) -> dict[str, Any]:
    return {
        "workflow_id": key[0],
        "step_name": key[1],
        "runs": step.runs,
        "failed": step.failed,
        "p50_ms": percentile(step.durations, 50),
        "p95_ms": percentile(step.durations, 95),
    }


def _by_failures(told: Mapping[str, Any]) -> tuple[int, float, str, str]:
    slowness = -(told["p95_ms"] or 0)
    return -told["failed"], slowness, told["step_name"], told["workflow_id"] or ""
