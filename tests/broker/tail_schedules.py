"""Schedules for the model of tail and resume: a seed names one, whatever else is in the project.

Hypothesis looks for what is wrong in the model as it is; this looks for what goes wrong once a
guard was taken out, and for what is rare: a schedule costs three milliseconds.
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.broker.test_tail_model import TailMachine

STEPS, SEEDS = 60, 20_000
Values = dict[str, Any]

_SHIFTS = (0, 0, -1, 1, -1000, 1000)
_RULES: dict[str, tuple[int, Callable[[random.Random], Values]]] = {  # how often, with what
    "open": (1, lambda r: {"count": r.randint(1, 4)}),
    "append": (
        8,
        lambda r: {
            "counted": [r.randint(1, 4) for _ in range(r.randint(1, 4))],
            "later": r.randint(0, 2),
            "heard": r.random() < 0.6,
        },
    ),
    "fail_over": (
        4,
        lambda r: {
            "lose": r.randint(1, 4),
            "shift": r.choice(_SHIFTS),
            "seen": r.random() < 0.6,
            "order": r.sample(range(4), 4),
            "sent": r.randint(0, 4),
        },
    ),
    "fail_back": (2, lambda r: {}),
    "append_to_the_old_primary": (2, lambda r: {"count": r.randint(1, 4)}),
    "lose_records": (
        2,
        lambda r: {
            "how": r.choice(["trim", "trim", "trim", "evict", "empty"]),
            "count": r.randint(1, 5),
        },
    ),
    "deliver": (
        4,
        lambda r: {
            "how": r.choice(["all", "all", "all", "one", "lose", "lose all", "repeat"]),
            "pick": r.randrange(1000),
        },
    ),
    "read": (6, lambda r: {"how": r.choice(["prove", "prove", "doubt", "begin", "finish"])}),
    "view": (1, lambda r: {"from_the_end": r.random() < 0.5}),
    "pull": (
        6,
        lambda r: {
            "pick": r.randrange(1000),
            "at_most": r.randint(1, 3),
            "times": r.randint(1, 4),
        },
    ),
    "pull_all": (3, lambda r: {}),
    "fall_behind": (4, lambda r: {"pick": r.randrange(1000), "seq": r.randint(0, 40)}),
    "everybody_agrees_once_it_is_quiet": (1, lambda r: {}),
}
_FAILURES = (AssertionError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Step:
    """One rule of the machine, with the values it is called with."""

    rule: str
    values: Values

    def __str__(self) -> str:
        return f"{self.rule}({', '.join(f'{k}={v!r}' for k, v in self.values.items())})"


def schedule(seed: int) -> list[Step]:
    """Draw a schedule."""
    chance = random.Random(seed)
    names = chance.choices(list(_RULES), [often for often, _ in _RULES.values()], k=STEPS)
    return [Step(name, _RULES[name][1](chance)) for name in names]


def failure(steps: Sequence[Step]) -> str | None:
    """Carry out *steps*, those that can be; say what is wrong, or None if nothing is."""
    machine = TailMachine()
    rules = {rule.function.__name__: rule for rule in machine.rules}
    try:
        machine.begin(1)
        for step in steps:
            rule = rules[step.rule]
            if all(holds(machine) for holds in rule.preconditions):
                rule.function(machine, **step.values)
                machine.the_tail_holds_one_history_up_to_its_cursor()
        machine.everybody_agrees_once_it_is_quiet()
    except _FAILURES as error:
        words = str(error).partition("\n")[0]
        line = traceback.extract_tb(error.__traceback__)[-1].line
        return f"not so: {line}" if not words or words.startswith("assert") else words
    return None


def counterexample(first: Sequence[int]) -> tuple[int, list[Step]] | None:
    """Look for a seed that fails, *first* at first, and shorten it; None if none of SEEDS does."""
    for seed in (*first, *range(SEEDS)):
        steps = schedule(seed)
        if failure(steps) is not None:
            return seed, shortened(steps)
    return None


def shortened(steps: Sequence[Step]) -> list[Step]:
    """Leave out steps for as long as what is left still fails."""
    kept, size = list(steps), len(steps) // 2
    while size:
        at = 0
        while at < len(kept):
            fewer = kept[:at] + kept[at + size :]
            if failure(fewer) is not None:
                kept = fewer
            else:
                at += size
        size //= 2
    return kept
