"""Tell apart each run of a step, from the records that say how it went. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_TEXTS: Final = ("step_type", "parent_step_id", "reason")
_NUMBERS: Final = ("duration_ms", "waited_ms", "attempt", "attempts")
_MOST_CHARS: Final = 1000  # of an error's message: the whole one stands in the log


class StepRuns:
    """At most *most* runs of an execution's steps, in the order in which they are first told of.

    A run is known by its `step_id`. One that was published without is the newest of its name that
    goes on. Times are RFC 3339 as the worker wrote them; one that was never seen is None.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._runs: list[dict[str, Any]] = []
        self._by_id: dict[str, dict[str, Any]] = {}
        self._nameless: dict[str, list[dict[str, Any]]] = {}  # those that go on, by step name

    def add(self, record: Mapping[str, Any]) -> bool:
        """Take one `step` record; False, and nothing is changed, for one run too many."""
        name, step_id = text(record.get("step_name")), text(record.get("step_id"))
        if name is None:
            return True
        begins = record.get("status") == "running"
        run = self._known(name, step_id, begins=begins)
        if run is None:
            if len(self._runs) >= self._most:
                return False
            run = self._new(name, step_id, record)
        _take(run, record, begins=begins)
        if not begins and step_id is None and run in self._nameless.get(name, ()):
            self._nameless[name].remove(run)
        return True

    def json(self) -> list[dict[str, Any]]:
        """List the runs, ready to be encoded."""
        return self._runs

    def _known(self, name: str, step_id: str | None, *, begins: bool) -> dict[str, Any] | None:
        if step_id is not None:
            return self._by_id.get(step_id)
        going_on = self._nameless.get(name)
        return going_on[-1] if going_on and not begins else None

    def _new(self, name: str, step_id: str | None, record: Mapping[str, Any]) -> dict[str, Any]:
        run: dict[str, Any] = {"step_id": step_id, "step_name": name, "status": None}
        run |= dict.fromkeys(("started_at", "ended_at", "error_message", *_TEXTS, *_NUMBERS))
        run |= {"first_seq": record.get("seq"), "last_seq": None}
        self._runs.append(run)
        if step_id is not None:
            self._by_id[step_id] = run
        else:
            self._nameless.setdefault(name, []).append(run)
        return run


def _take(run: dict[str, Any], record: Mapping[str, Any], *, begins: bool) -> None:
    run["status"] = text(record.get("status"))
    run["last_seq"] = record.get("seq")
    run["started_at" if begins else "ended_at"] = text(record.get("timestamp"))
    for name in _TEXTS:
        run[name] = text(record.get(name)) or run[name]
    for name in _NUMBERS:
        value = number(record.get(name))
        run[name] = run[name] if value is None else value
    message = text(record.get("error_message"))
    run["error_message"] = run["error_message"] if message is None else message[:_MOST_CHARS]


def text(value: object) -> str | None:
    """Return *value* if it is a text: a worker may have written anything."""
    return value if isinstance(value, str) else None


def number(value: object) -> float | None:
    """Return *value* if it is a number."""
    return value if type(value) in (int, float) else None  # type: ignore[return-value]
