"""Read the definition of a workflow that somebody wants to try out. Pure: no I/O.

A definition says what steps there are and how each is to be simulated. Nothing in it is executed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final

from runtail_broker.errors import RuntailError
from runtail_gateway.protocol.brief import brief

DEFAULT_NAME: Final = "trial"
_NAME_CHARS: Final = 100
_MOST_RATE: Final = 50.0
_MOST_ATTEMPTS: Final = 10
_MOST_ERRORS: Final = 50
_WORKFLOW: Final = ("name", "steps")
_STEP: Final = (
    *("name", "after", "seconds", "logs_per_second", "failure", "step_type", "attempts"),
)


@dataclass(frozen=True, slots=True)
class TrialBounds:
    """How much a definition may ask for: see the settings `trial_…`."""

    steps: int
    seconds: float
    total_seconds: float
    logs_per_second: float


@dataclass(frozen=True, slots=True)
class TrialStep:
    """A step, *after* the steps of these names: how long an attempt takes, what comes of it."""

    name: str
    after: tuple[str, ...] = ()
    seconds: float = 2.0
    logs_per_second: float = 2.0
    failure: float = 0.0
    step_type: str | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """A workflow: its *name* is the workflow's id."""

    name: str
    steps: tuple[TrialStep, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at one place of a definition; the path of the whole is ''."""

    path: str
    message: str


class BadDefinition(RuntailError):
    """A definition of no workflow."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = mistakes[:_MOST_ERRORS]
        first = mistakes[0]
        super().__init__(f"{first.path or 'the definition'} {first.message}")


def read_trial(given: object, bounds: TrialBounds) -> Trial:
    """Read a definition; raise BadDefinition, which names each place where something is wrong."""
    reader = _Reader(bounds)
    trial = reader.workflow(given)
    if reader.mistakes or trial is None:
        raise BadDefinition(reader.mistakes)
    return trial


class _Reader:
    """Reads, and collects what is wrong."""

    def __init__(self, bounds: TrialBounds) -> None:
        self._bounds = bounds
        self.mistakes: list[Mistake] = []

    def workflow(self, given: object) -> Trial | None:
        if not isinstance(given, Mapping):
            self._wrong("", f"is {brief(given)}, expected an object with steps")
            return None
        self._know(given, "", _WORKFLOW)
        name = self._text(given, "", "name", DEFAULT_NAME)
        listed = given.get("steps")
        most = self._bounds.steps
        if not isinstance(listed, list) or not listed:
            self._wrong("steps", f"is {brief(listed)}, expected a list of 1 to {most} steps")
            return None
        if len(listed) > most:
            self._wrong("steps", f"has {len(listed)} steps, expected at most {most}")
            return None
        steps = [self._step(each, f"steps[{place}]") for place, each in enumerate(listed)]
        if self.mistakes:
            return None
        self._check(steps)
        return Trial(name or DEFAULT_NAME, tuple(steps))

    def _step(self, given: object, path: str) -> TrialStep:
        if not isinstance(given, Mapping):
            self._wrong(path, f"is {brief(given)}, expected an object with a name")
            return TrialStep("")
        self._know(given, path + ".", _STEP)
        at = path + "."
        return TrialStep(
            name=self._text(given, at, "name") or "",
            after=self._after(given.get("after", []), at + "after"),
            seconds=self._number(given, at, "seconds", 2.0, self._bounds.seconds),
            logs_per_second=self._number(given, at, "logs_per_second", 2.0, _MOST_RATE),
            failure=self._number(given, at, "failure", 0.0, 1.0),
            step_type=self._text(given, at, "step_type", None) if given.get("step_type") else None,
            attempts=self._attempts(given.get("attempts", 1), at + "attempts"),
        )

    def _check(self, steps: Sequence[TrialStep]) -> None:
        """Check what concerns more than one step."""
        places: dict[str, int] = {}
        for place, step in enumerate(steps):
            if step.name in places:
                message = f"is {brief(step.name)!r}, the name of steps[{places[step.name]}] too"
                self._wrong(f"steps[{place}].name", message)
            places.setdefault(step.name, place)
        for place, step in enumerate(steps):
            for number, name in enumerate(step.after):
                if name not in places:
                    message = f"is {brief(name)!r}, which is no step of this workflow"
                    self._wrong(f"steps[{place}].after[{number}]", message)
        if not self.mistakes:
            self._check_order(steps, places)
        rate, most = sum(step.logs_per_second for step in steps), self._bounds.logs_per_second
        if rate > most:
            self._wrong("steps", f"log {rate:g} records/s together, expected at most {most:g}")

    def _check_order(self, steps: Sequence[TrialStep], places: Mapping[str, int]) -> None:
        try:
            order = list(TopologicalSorter({s.name: s.after for s in steps}).static_order())
        except CycleError as error:
            way = error.args[1]  # each comes before the next, and the last is the first
            place = places[way[-1]]
            number = steps[place].after.index(way[-2])
            message = f"closes a cycle: {' → '.join(brief(name) for name in way)}"
            return self._wrong(f"steps[{place}].after[{number}]", message[:500])
        ends: dict[str, float] = {}
        for name in order:
            step = steps[places[name]]
            begin = max((ends[each] for each in step.after), default=0.0)
            ends[name] = begin + step.seconds * step.attempts
        longest, most = max(ends.values()), self._bounds.total_seconds
        if longest > most:
            self._wrong("steps", f"may take {longest:g} s, expected at most {most:g}")
        return None

    def _after(self, given: object, path: str) -> tuple[str, ...]:
        most = self._bounds.steps
        if not isinstance(given, list) or len(given) > most:
            self._wrong(path, f"is {brief(given)}, expected a list of at most {most} names")
            return ()
        for number, name in enumerate(given):
            if not isinstance(name, str):
                self._wrong(f"{path}[{number}]", f"is {brief(name)}, expected a step's name")
        return tuple(name for name in given if isinstance(name, str))

    def _attempts(self, given: object, path: str) -> int:
        if type(given) is int and 1 <= given <= _MOST_ATTEMPTS:
            return given
        message = f"is {brief(given)}, expected a whole number from 1 to {_MOST_ATTEMPTS}"
        self._wrong(path, message)
        return 1

    def _number(
        self, given: Mapping[str, object], at: str, name: str, default: float, most: float
    ) -> float:
        value = given.get(name, default)
        if isinstance(value, int | float) and type(value) is not bool and 0 <= value <= most:
            return float(value)
        self._wrong(at + name, f"is {brief(value)}, expected a number from 0 to {most:g}")
        return default

    def _text(
        self, given: Mapping[str, object], at: str, name: str, default: str | None = None
    ) -> str | None:
        value = given.get(name, default)
        if isinstance(value, str) and 1 <= len(value) <= _NAME_CHARS:
            return value
        message = f"is {brief(value)}, expected a text of 1 to {_NAME_CHARS} characters"
        self._wrong(at + name, message)
        return default

    def _know(self, given: Mapping[str, object], at: str, known: Sequence[str]) -> None:
        for name in given:
            if name not in known:
                self._wrong(at + brief(name), f"is not known, expected {', '.join(known)}")

    def _wrong(self, path: str, message: str) -> None:
        self.mistakes.append(Mistake(path, message))
