"""Read the plan of a workflow, however it is written, and check it. Pure: no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

PlanValue: TypeAlias = "str | PlanStep | Mapping[str, object]"
Plan: TypeAlias = "Iterable[PlanValue] | Mapping[str, Iterable[str]]"


@dataclass(frozen=True, slots=True)
class PlanStep:
    """A step that is going to run, *after* the steps of these names."""

    name: str
    after: tuple[str, ...] | list[str] = ()
    step_type: str | None = None


def plan_fields(plan: Plan, max_steps: int) -> dict[str, object]:
    """Make the fields of a plan record: `steps`, and a `note` where the plan is not sound.

    Unknown dependencies, cycles, names used twice and more than *max_steps* are noted; anything
    else that is no plan raises TypeError or what its own code raises.
    """
    if isinstance(plan, str | bytes):
        raise TypeError(f"the plan is {plan!r}, expected a list of steps")
    given: Iterable[tuple[str, Iterable[str]] | PlanValue]
    given = plan.items() if isinstance(plan, Mapping) else plan
    steps = [_step(one) for one in given]
    notes = list(_faults(steps))
    if len(steps) > max_steps:
        notes.append(f"the first {max_steps} of {len(steps)} steps are shown")
    fields: dict[str, object] = {"steps": steps[:max_steps]}
    return fields | {"note": "; ".join(notes)[:1000]} if notes else fields


def _step(given: tuple[str, Iterable[str]] | PlanValue) -> dict[str, object]:
    step: dict[str, object]
    after: object
    match given:
        case str():
            return {"name": given}
        case PlanStep(name, after, step_type):
            step = {"name": name, **({"step_type": step_type} if step_type else {})}
        case (name, after):
            step = {"name": name}
        case Mapping():
            step, after = dict(given), given.get("after", ())
            if not isinstance(step.get("name"), str):
                raise TypeError(f"a step of the plan has the name {step.get('name')!r}")
        case _:
            raise TypeError(f"a step of the plan is {type(given).__name__}, expected a name")
    names = _names(after)
    return step | {"after": names} if names else step


def _names(after: object) -> list[str]:
    if isinstance(after, Iterable) and not isinstance(after, str):
        return [str(name) for name in after]
    return [str(after)] if after else []


def _faults(steps: list[dict[str, object]]) -> Iterable[str]:
    graph = {str(step["name"]): _after(step) for step in steps}
    twice = [name for name, count in Counter(s["name"] for s in steps).items() if count > 1]
    if twice:
        yield f"more than one step is called {', '.join(map(str, twice))}"
    for name, after in graph.items():
        unknown = [one for one in after if one not in graph]
        if unknown:
            yield f"{name} is after {', '.join(unknown)}, which the plan does not have"
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"a cycle: {' → '.join(map(str, error.args[1][::-1]))}"


def _after(step: Mapping[str, object]) -> list[str]:
    after = step.get("after", [])
    return after if isinstance(after, list) else []
