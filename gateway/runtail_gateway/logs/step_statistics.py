"""Sum up an execution's records by step. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtail_broker.records.record import LEVELS


@dataclass(slots=True)
class StepSummary:
    """What the records of one step name say; times are RFC 3339 as the worker wrote them.

    A name may run more than once, also at the same time: `runs` were seen to begin, `duration_ms`
    and `waited_ms` are of all that have ended or begun, `attempts` is the highest seen.
    """

    step_name: str | None
    step_type: str | None = None
    status: str | None = None
    runs: int = 0
    attempts: int = 0
    started_at: str | None = None
    ended_at: str | None = None
    duration_ms: float | None = None
    waited_ms: float | None = None
    records: int = 0
    levels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0))
    _open: int = 0

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one record of the step."""
        self.records += 1
        self.step_type = self.step_type or _text(record.get("step_type"))
        kind, level = record.get("kind"), _text(record.get("level"))
        if kind is None and level in self.levels:
            self.levels[level] += 1
        if kind == "step":
            self._add_step(record)

    def _add_step(self, record: Mapping[str, Any]) -> None:
        status, when = _text(record.get("status")), _text(record.get("timestamp"))
        attempt = record.get("attempt")
        self.attempts = max(self.attempts, attempt if type(attempt) is int else 0)
        if status == "running":
            self.runs += 1
            self._open += 1
            self.started_at = self.started_at or when
            self.waited_ms = _sum(self.waited_ms, record.get("waited_ms"))
        else:
            self._open = max(0, self._open - 1)
            self.ended_at = when
            self.duration_ms = _sum(self.duration_ms, record.get("duration_ms"))
        if self._open:  # another run of it goes on
            self.status, self.ended_at = "running", None
        else:
            self.status = status

    def json(self) -> dict[str, object]:
        """Make the JSON object of it."""
        names = (name for name in self.__dataclass_fields__ if not name.startswith("_"))
        return {name: getattr(self, name) for name in names}


class StepStatistics:
    """All steps in the order of their first appearance, at most *most*, and what is of none."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._steps: dict[str, StepSummary] = {}
        self._outside = StepSummary(None)

    def add(self, record: Mapping[str, Any]) -> bool:
        """Take one record; False, and nothing is changed, if its step would be one too many."""
        name = record.get("step_name")
        if not isinstance(name, str):
            self._outside.add(record)
            return True
        if name not in self._steps:
            if len(self._steps) >= self._most:
                return False
            self._steps[name] = StepSummary(name)
        self._steps[name].add(record)
        return True

    def json(self) -> dict[str, object]:
        """Make the JSON object of it."""
        outside = {"records": self._outside.records, "levels": self._outside.levels}
        return {"steps": [step.json() for step in self._steps.values()], "outside": outside}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _sum(known: float | None, value: object) -> float | None:
    if type(value) not in (int, float):
        return known
    return round((known or 0.0) + float(value), 3)  # type: ignore[arg-type]
