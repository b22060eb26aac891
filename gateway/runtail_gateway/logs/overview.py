"""Gather what a page shows of an execution before its log. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runtail_gateway.logs.step_runs import StepRuns, number, text
from runtail_gateway.logs.step_statistics import StepStatistics


class Samples:
    """Values over time, thinned to at most *most*: at even distances, and always the last one."""

    def __init__(self, most: int) -> None:
        self._most = max(2, most)
        self._kept: list[list[float | None]] = []
        self._last: list[float | None] | None = None
        self._stride, self._count = 1, 0

    def add(self, ms: int, value: float | None) -> None:
        """Take the next value."""
        self._last = [ms, value]
        if self._count % self._stride == 0:
            if len(self._kept) == self._most - 1:
                self._kept, self._stride = self._kept[::2], self._stride * 2
            if self._count % self._stride == 0:
                self._kept.append(self._last)
        self._count += 1

    def json(self) -> list[list[float | None]]:
        """List `[ms, value]`, ascending."""
        if self._last is None or self._kept[-1] is self._last:
            return self._kept
        return [*self._kept, self._last]


@dataclass(frozen=True, slots=True)
class OverviewBounds:
    """How much an overview holds: *steps* and *runs* end it, of other things some are left off."""

    steps: int
    runs: int
    items: int
    samples: int


@dataclass(slots=True)
class _Items:
    """Things that have a key each, at most *most*; *left_off* counts keys that found no room."""

    most: int
    by_key: dict[tuple[str | None, ...], dict[str, Any]] = field(default_factory=dict)
    left_off: set[tuple[str | None, ...]] = field(default_factory=set)

    def at(self, key: tuple[str | None, ...], **fresh: Any) -> dict[str, Any]:
        """Find what is known under *key*, or make it; without room it is not remembered."""
        if key not in self.by_key:
            if len(self.by_key) >= self.most:
                if len(self.left_off) < self.most:
                    self.left_off.add(key)
                return fresh
            self.by_key[key] = fresh
        return self.by_key[key]


class Overview:
    """The plan, steps, runs, links, metrics and progress among the records that it is given."""

    def __init__(self, bounds: OverviewBounds) -> None:
        self._samples = bounds.samples
        self._plan: Mapping[str, Any] | None = None
        self._steps, self._runs = StepStatistics(bounds.steps), StepRuns(bounds.runs)
        self._links, self._metrics = _Items(bounds.items), _Items(bounds.items)
        self._parts, self._progress = _Items(bounds.items), Samples(bounds.samples)
        self.last_error: Mapping[str, Any] | None = None

    def add(self, record: Mapping[str, Any]) -> bool:
        """Take one record; False, and nothing is changed, if there is no room for it."""
        kind = record.get("kind")
        if kind == "step" and not self._runs.add(record):
            return False
        if not self._steps.add(record):
            return False
        match kind:
            case None if record.get("level") == "error":
                self.last_error = record
            case "plan":
                self._plan = record
            case "link":
                self._add_link(record)
            case "metric":
                self._add_metric(record)
            case "progress":
                self._add_progress(record)
        return True

    def json(self) -> dict[str, Any]:
        """Make the members of an answer."""
        items = (self._links, self._metrics, self._parts)
        return {
            "plan": self._plan,
            **self._steps.json(),
            "runs": self._runs.json(),
            "links": list(self._links.by_key.values()),
            "metrics": [
                metric | {"samples": metric["samples"].json()}
                for metric in self._metrics.by_key.values()
            ],
            "progress": self._progress.json(),
            "parts": list(self._parts.by_key.values()),
            "left_off": sum(len(each.left_off) for each in items),
            "last_error": self.last_error,
        }

    def _add_link(self, record: Mapping[str, Any]) -> None:
        name, url, step = _texts(record, "name", "url", "step_name")
        if name is None or url is None:
            return  # what is no link was stored as text
        link = self._links.at((name, url), name=name, url=url, step_name=step)
        link |= {"seq": record.get("seq"), "step_name": step}

    def _add_metric(self, record: Mapping[str, Any]) -> None:
        name, step, unit = _texts(record, "name", "step_name", "unit")
        value = number(record.get("value"))
        if name is None or value is None:
            return
        fresh = {"name": name, "unit": unit, "step_name": step}
        metric = self._metrics.at((name, step), **fresh, samples=Samples(self._samples))
        metric["unit"] = unit or metric["unit"]
        metric["samples"].add(_ms(record), value)

    def _add_progress(self, record: Mapping[str, Any]) -> None:
        name, step = _texts(record, "name", "step_name")
        value = number(record.get("progress"))
        if not name:
            return self._progress.add(_ms(record), value)
        part = self._parts.at((name, step), name=name, step_name=step)
        part |= {"progress": value, "done": number(record.get("done"))}
        part["total"] = number(record.get("total"))
        return None


def _texts(record: Mapping[str, Any], *names: str) -> tuple[str | None, ...]:
    return tuple(text(record.get(name)) for name in names)


def _ms(record: Mapping[str, Any]) -> int:
    """When it was made (ms since 1970), by the worker's clock; else when it was stored."""
    try:
        return int(datetime.fromisoformat(record["timestamp"]).timestamp() * 1000)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return int(str(record.get("id", "0")).partition("-")[0])
