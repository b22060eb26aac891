"""Time a named part of an execution, and say in the log how it ended."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from runtail.async_too import AsyncToo
from runtail.context import Place, Scope, enter, leave, place_in
from runtail.outcome import Told, ended_by, mark_told, reason_of, told_of, traceback_of
from runtail.wrapping import wrapped

if TYPE_CHECKING:
    from runtail.run import Execution

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class StepOptions:
    """What a step is called, and what its records say from the start."""

    name: str
    step_type: str | None = None
    input_data: object = None
    attempt: int | None = None
    attempts: int | None = None
    waited_ms: float | None = None
    queued_at: datetime | float | None = None

    def fields(self, now: float) -> dict[str, object]:
        """Make the fields that all records of the step share; *now* in seconds since 1970."""
        given = {
            "attempt": self.attempt,
            "attempts": self.attempts,
            "waited_ms": _waited_ms(self.queued_at, now)
            if self.waited_ms is None
            else self.waited_ms,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(slots=True)
class _Entered:
    """A step that runs."""

    run: Execution
    scope: Scope
    fields: dict[str, object]
    began_ns: int
    ended: str | None = None  # skipped or retried, if the worker said so
    reason: str = ""
    output: object = None


class Step(AsyncToo["Step"]):
    """A step of an execution: a `with` or `async with` block, or a decorator of any function.

    Its first record says `running`, its last one `completed`, `failed`, `retried`, `skipped` or
    `cancelled`, with `duration_ms` by the monotonic clock. An exception always passes through. It
    fails the step, or, while `attempt` is below `attempts`, makes it `retried`. Logs made inside
    carry its name, type and id. One object is one block at a time; outside any execution it does
    nothing. Nothing here raises.
    """

    def __init__(self, find: Callable[[], Execution | None], options: StepOptions) -> None:
        self._find, self._options = find, options
        self._entered: _Entered | None = None

    @property
    def id(self) -> str | None:
        """The step's id, unlike that of any other step of its execution; None unless it runs."""
        place = None if self._entered is None else self._entered.scope.place
        return None if place is None else place.id

    def output(self, data: object) -> None:
        """Set the step's `output_data`: as it is when the block ends."""
        if self._entered is not None:
            self._entered.output = data

    def skip(self, reason: str = "") -> None:
        """Let the step end as `skipped`, unless an exception leaves the block."""
        self._mark("skipped", reason)

    def retry(self, reason: str = "") -> None:
        """Let the step end as `retried`, also if an exception leaves the block."""
        self._mark("retried", reason)

    def _mark(self, ended: str, reason: str) -> None:
        if self._entered is not None:
            self._entered.ended, self._entered.reason = ended, reason

    def __enter__(self) -> Self:
        run = self._find()
        self._entered = None if run is None else _begin(run, self._options)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        entered, self._entered = self._entered, None
        if entered is not None:
            _end(entered, error, self._options)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate *function*: every call is a step of its own."""
        return wrapped(function, lambda: Step(self._find, self._options))


def _begin(run: Execution, options: StepOptions) -> _Entered:
    parent = place_in(run)
    place = Place(run.new_step_id(), options.name, options.step_type)
    fields = named_by(place)
    if parent is not None:
        fields["parent_step_id"] = parent.id
    fields |= options.fields(time.time())
    began = fields | {"status": "running"}
    if options.input_data is not None:
        began["input_data"] = options.input_data
    run.record("step", began)
    return _Entered(run, enter(run, place), fields, time.perf_counter_ns())


def _end(entered: _Entered, error: BaseException | None, options: StepOptions) -> None:
    duration_ms = round((time.perf_counter_ns() - entered.began_ns) / 1e6, 3)
    leave(entered.scope)
    run, place = entered.run, entered.scope.place
    status = _status(entered.ended, error, options)
    fields = entered.fields | {"status": status, "duration_ms": duration_ms}
    if entered.output is not None:
        fields["output_data"] = entered.output
    if entered.reason and status == entered.ended:
        fields["reason"] = entered.reason
    if error is not None and status != "completed":
        fields = {"reason": reason_of(error, run.mask_text)} | fields
        if ended_by(error) == "failed" and place is not None:
            fields |= told_once(run, error)
            mark_told(error, told_of(error, run.id) or Told(run.id, place.id, place.name))
    run.send_progress_of(None if place is None else place.id)
    run.record("step", fields)


def _status(marked: str | None, error: BaseException | None, options: StepOptions) -> str:
    ended = ended_by(error)
    if ended == "completed":
        return marked or ended
    if ended == "cancelled" or marked == "retried":
        return marked if marked == "retried" and ended == "failed" else ended
    attempt, attempts = options.attempt, options.attempts
    again = attempt is not None and attempts is not None and attempt < attempts
    return "retried" if again else "failed"


def named_by(place: Place | None) -> dict[str, object]:
    """Make the fields by which a record names its step."""
    if place is None:
        return {}
    fields: dict[str, object] = {"step_name": place.name, "step_id": place.id}
    return fields if place.type is None else fields | {"step_type": place.type}


def told_once(run: Execution, error: BaseException) -> dict[str, object]:
    """Make `error_message`: the traceback, or a line if a step has published it already."""
    told = told_of(error, run.id)
    if told is None:
        return {"error_message": traceback_of(error, run.max_error_chars, run.mask_text)}
    line = f"{reason_of(error, run.mask_text)} (traceback in step {told.step_name})"
    return {"error_message": line, "error_step_id": told.step_id}


def _waited_ms(queued_at: datetime | float | None, now: float) -> float | None:
    """How long ago *queued_at* was; None for what is no time. A clock apart cannot make it < 0."""
    try:
        if queued_at is None:
            return None
        then = queued_at.timestamp() if isinstance(queued_at, datetime) else float(queued_at)
        waited = max(now - then, 0.0)
        return round(waited * 1000, 3) if math.isfinite(waited) else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
