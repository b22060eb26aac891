"""What a worker reports beside its logs: steps, progress, a plan, links, metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
)
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

import orjson

from runtail.context import place_in
from runtail.delivery.pending import Logged, Progress
from runtail.delivery.throttle import Throttle
from runtail.naming import StepIds
from runtail.plan import Plan, plan_fields
from runtail.settings import PublisherSettings
from runtail.shapes import Ungiven, link_fields, metric_fields, progress_fields
from runtail.steps import Step, StepOptions, named_by
from runtail.tracking import AsyncTracked, Tally, Tracked, length_of
from runtail_broker.records.record import Record

if TYPE_CHECKING:
    from tqdm import tqdm

    from runtail.run import Execution

T = TypeVar("T")


class Reports(ABC):
    """The part of an execution that makes records of other kinds than `log`.

    As all of it: safe from any thread, some microseconds a call, and nothing raises.
    """

    def __init__(
        self,
        settings: PublisherSettings,
        later: Callable[[float, Callable[[], None]], None],
        mask_text: Callable[[str], str],
    ) -> None:
        self.is_over = False  # its block was left: code that runs on is outside of it
        self.new_step_id = StepIds()
        self.max_error_chars = settings.max_error_chars
        self.mask_text = mask_text
        self._max_plan_steps = settings.max_plan_steps
        self._throttle: Throttle[Logged] = Throttle(
            settings.progress_seconds, settings.max_progress_keys, self._add, later
        )

    @abstractmethod
    def record(self, kind: str, fields: Mapping[str, object]) -> None: ...
    @abstractmethod
    def _add(self, logged: Logged) -> None: ...
    @abstractmethod
    def _encoded(self, kind: str, fields: Mapping[str, object]) -> Record: ...
    @abstractmethod
    def _noted(self, given: object, error: Exception) -> Record: ...
    @abstractmethod
    def _itself(self) -> Execution: ...

    # ---- steps

    def step(
        self,
        name: str,
        *,
        step_type: str | None = None,
        input_data: object = None,
        attempt: int | None = None,
        attempts: int | None = None,
        waited_ms: float | None = None,
        queued_at: datetime | float | None = None,
    ) -> Step:
        """Make a step of this execution, inside the one that the code is in: see `Step`.

        *attempt* 2 of 3 *attempts* is retried, not failed, when an exception leaves it. *waited_ms*
        is the time before the start, kept apart from its duration; or *queued_at*, a datetime or
        seconds since 1970, from which it is computed.
        """
        options = StepOptions(name, step_type, input_data, attempt, attempts, waited_ms, queued_at)
        return Step(self._itself, options)

    def set_plan(self, plan: Plan) -> None:
        """Declare the steps ahead, so that a screen can draw them before they run.

        Names, `PlanStep`s, mappings with `name` and `after`, or one mapping of name → after.

        What is wrong with it (unknown dependencies, cycles) becomes the record's `note`.
        """
        try:
            fields = plan_fields(plan, self._max_plan_steps)
        except Exception as error:  # noqa: BLE001 - a worker's own values may raise anything
            self._add(self._noted(plan, error))
        else:
            self.record("plan", fields)

    # ---- progress

    @overload
    def progress(self, percent: float | None, /, **fields: object) -> None: ...
    @overload
    def progress(self, done: float | None, total: float | None, /, **fields: object) -> None: ...
    def progress(
        self,
        done: float | None,
        total: float | Ungiven | None = Ungiven.UNGIVEN,
        /,
        **fields: object,
    ) -> None:
        """Report progress, 0 to 100 percent, or *done* of *total*; None (or 0) where nobody knows.

        It is the execution's, or that of a part of it that has a `name=`. At most one in
        `progress_seconds` is sent for each step and name; the last one always is, before its step
        or the execution ends at the latest.
        """
        named = self._named() | fields
        try:
            made = self._progress_made(named, done, total)
        except Exception as error:  # noqa: BLE001 - a worker's own values may raise anything
            self._add(self._noted({"progress": done, **fields}, error))
        else:
            self._throttle.offer(_key(named), lambda: made)

    @overload
    def track(
        self, items: Iterable[T], *, name: str | None = None, total: float | None = None
    ) -> Iterator[T]: ...
    @overload
    def track(
        self, items: AsyncIterable[T], *, name: str | None = None, total: float | None = None
    ) -> AsyncIterator[T]: ...
    def track(
        self,
        items: Iterable[T] | AsyncIterable[T],
        *,
        name: str | None = None,
        total: float | None = None,
    ) -> Iterator[T] | AsyncIterator[T]:
        """Iterate over *items*, and report as `progress` does how many were handled.

        The *total* is their `len` where they have one. It is the progress of the part called
        *name*; without one of the step that the code is in, outside any of the execution. Nested
        loops want names to be told apart.
        """
        named = self._named()
        part = named.get("step_name") if name is None else name
        if part is not None:
            named["name"] = part
        tally = Tally(
            length_of(items) if total is None else total,
            partial(self._progress_made, named),
            partial(self._throttle.offer, _key(named)),
        )
        if isinstance(items, AsyncIterable):
            return AsyncTracked(items, tally)
        return Tracked(items, tally)

    def tqdm(self, *args: Any, **kwargs: Any) -> tqdm[Any]:
        """Make a tqdm bar that is progress of this execution too; the arguments are tqdm's."""
        from runtail.capturing.tqdm_bar import bar_class

        return bar_class(self.progress)(*args, **kwargs)

    def send_progress_of(self, step_id: str | None) -> None:
        """Send the last progress of a step that ends."""
        self._throttle.close(lambda key: isinstance(key, tuple) and key[0] == step_id)

    def flush_progress(self) -> None:
        """Send the progress that waits for its turn."""
        self._throttle.flush()

    def forget_progress(self) -> None:
        """Forget what waits, as a forked process must: its parent sends it."""
        self._throttle.begin_anew()

    def _progress_made(
        self,
        named: Mapping[str, object],
        done: float | None,
        total: float | Ungiven | None,
    ) -> Record:
        fields = progress_fields(done, total)
        record = self._encoded("progress", {**fields, **named})
        percent = fields["progress"]
        value = "null" if percent is None else orjson.dumps(float(percent)).decode()
        if record.level is not None:
            return record  # it could not be encoded, and became a log that says so
        return Progress(record.json, None, "" if named.get("name") else value)

    # ---- links and metrics

    def metric(
        self, name: str, value: object, /, unit: str | None = None, **fields: object
    ) -> None:
        """Publish a number that a screen can draw; *fields* pass through to the viewers."""
        self._report("metric", partial(metric_fields, name, value, unit), fields)

    def link(self, name: str, url: object, /, **fields: object) -> None:
        """Publish a link, http, https or mailto; any other is stored as text, with a note."""
        self._report("link", partial(link_fields, name, url), fields)

    def _report(
        self, kind: str, made: Callable[[], dict[str, object]], fields: Mapping[str, object]
    ) -> None:
        try:
            record = {**self._named(), **fields, **made()}
        except Exception as error:  # noqa: BLE001 - a worker's own values may raise anything
            self._add(self._noted(fields, error))
        else:
            self.record(kind, record)

    def _named(self) -> dict[str, object]:
        return named_by(place_in(self._itself()))


def _key(named: Mapping[str, object]) -> Hashable:
    """Tell progress apart by the step it names and its own name."""
    return (named.get("step_id"), str(named.get("step_name")), str(named.get("name")))
