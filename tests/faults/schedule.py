"""Schedules: what happens, in which order. Pure: a seed names one, whatever the machine does."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

WEIGHTS = {  # kind → how often
    "say": 40,
    "flush": 16,
    "flood": 1,
    "join": 6,
    "drop_viewer": 6,
    "stall_viewer": 3,
    "read_on": 4,
    "cut_worker": 3,
    "cut_gateway": 3,
    "cut_viewers": 2,
    "lose_answers": 4,
    "half_open_worker": 1,
    "half_open_gateway": 1,
    "hold_worker": 2,
    "hold_gateway": 2,
    "refuse_worker": 1,
    "refuse_gateway": 1,
    "heal": 8,
    "flush_scripts": 2,
    "deaf": 2,
    "keep_copy": 6,
    "fail_over": 5,
    "trim": 2,
    "clock": 3,
    "fill_memory": 1,
    "freeze_engine": 1,
    "kill_engine": 1,
    "truncate_aof": 1,
    "empty_engine": 1,
    "kill_gateway": 1,
}
RARE = {"kill_worker": 2, "stop_worker": 2, "fill_disk": 1}
"""Kinds that cost too much for every run: `with_rare` puts them between the others."""
CLUSTERED = {
    "say": 40,
    "flush": 16,
    "flood": 1,
    "join": 6,
    "drop_viewer": 6,
    "stall_viewer": 3,
    "read_on": 4,
    "cut_viewers": 2,
    "heal": 4,
    "flush_scripts": 2,
    "deaf": 2,
    "kill_gateway": 1,
    "kill_worker": 1,
    "stop_worker": 1,
    "fail_over_by_command": 2,
    "fail_over_by_kill": 2,
    "migrate_slot": 9,
}
"""What happens to a cluster of three primaries and their replicas."""
KINDS = {**WEIGHTS, **RARE, **CLUSTERED}
CALM = frozenset({"say", "flush", "flood", "join", "heal", "read_on", "keep_copy"})
"""The kinds that are no faults."""


@dataclass(frozen=True, slots=True)
class Op:
    """One thing that happens; *pick* decides what it happens to, whatever was before."""

    kind: str
    pick: int

    @property
    def chance(self) -> random.Random:
        return random.Random(self.pick)

    def __str__(self) -> str:
        return f"{self.kind}:{self.pick}"

    @classmethod
    def parse(cls, text: str) -> Op:
        """Read what `str()` wrote."""
        kind, _, pick = text.partition(":")
        if kind not in KINDS or not pick.isdigit():
            raise ValueError(f"operation {text!r}, expected <kind>:<number> of {list(KINDS)}")
        return cls(kind, int(pick))


def schedule(seed: int, length: int, weights: Mapping[str, int] = WEIGHTS) -> list[Op]:
    """Draw *length* operations."""
    chance = random.Random(seed)
    kinds = chance.choices(list(weights), list(weights.values()), k=length)
    return [Op(kind, chance.randrange(1_000_000)) for kind in kinds]


def with_rare(seed: int, length: int) -> list[Op]:
    """Draw the operations of `schedule`, and a few of the rare kinds between them."""
    ops = schedule(seed, length)
    for op in schedule(seed, max(1, length // 50), RARE):
        ops.insert(op.chance.randrange(len(ops) + 1), op)
    return ops


async def shortened(
    ops: Sequence[Op], breaks: Callable[[Sequence[Op]], Awaitable[bool]], tries: int
) -> list[Op]:
    """Leave out operations for as long as what is left still *breaks*; *tries* runs at most."""
    kept, size = list(ops), len(ops) // 2
    while size and tries:
        at = 0
        while at < len(kept) and tries:
            fewer = kept[:at] + kept[at + size :]
            tries -= 1
            if await breaks(fewer):
                kept = fewer
            else:
                at += size
        size //= 2
    return kept
