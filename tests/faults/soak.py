"""Go on under faults for a long time: what happened, how often, what was broken, what was held."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import itertools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from tests.faults.catching import caught
from tests.faults.checker import Violation
from tests.faults.cluster import ClusterEngine, cluster
from tests.faults.defects import DEFECTS
from tests.faults.engine import Engine, engine, resident_bytes
from tests.faults.running import broken_by, shortest
from tests.faults.schedule import CALM, CLUSTERED, RARE, WEIGHTS, Op, schedule, with_rare

_CLUSTERED_EVERY = 4  # every so many seeds one runs on a cluster
_SHARE_OF_DEFECTS = 0.2  # of the time, at most
_MIB = 1 << 20

Say = Callable[[str], None]


@dataclass(slots=True)
class Soak:
    """A run of many seeds on one engine, which is emptied for each, and now and then a cluster.

    The gateways live in this process: its memory is theirs, and the suite's own.
    """

    say: Say
    done: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    memory: list[tuple[int, int]] = field(default_factory=list)
    """Bytes held after each seed, by this process and by the engine."""

    def run(self, seconds: float, first: int, length: int) -> int:
        """Go on for so long, and sum up; return how much was broken, defects that passed too."""
        until = time.monotonic() + seconds
        tried, missed = self._try_defects(time.monotonic() + seconds * _SHARE_OF_DEFECTS)
        with ExitStack() as stack:
            alone = stack.enter_context(engine())
            clustered: ClusterEngine | None = None
            for number in itertools.count():
                if self.memory and time.monotonic() > until:
                    break
                on: Engine | ClusterEngine = alone
                if number % _CLUSTERED_EVERY == _CLUSTERED_EVERY - 1:
                    clustered = clustered or stack.enter_context(cluster())
                    on = clustered
                self._seed(on, first + number, length)
                self.memory.append((_kept_bytes(), alone.resident_bytes))
        self._sum_up(tried, missed)
        return self.broken + len(missed)

    def _seed(self, on: Engine | ClusterEngine, seed: int, length: int) -> None:
        if isinstance(on, ClusterEngine):
            ops = schedule(seed, length, CLUSTERED)
        else:
            ops = with_rare(seed, length)
        violations = asyncio.run(broken_by(on, ops))
        self.done.update(op.kind for op in ops)
        self.broken += len(violations)
        if violations:
            self.say(f"seed {seed}:\n" + "\n".join(map(str, violations)))
            self.say(asyncio.run(shortest(on, ops)))

    def _try_defects(self, until: float) -> tuple[int, list[str]]:
        """Plant as many defects as there is time for; those that passed unseen."""
        missed: list[str] = []
        for tried, defect in enumerate(DEFECTS):
            if tried and time.monotonic() > until:
                return tried, missed
            how = asyncio.run(caught(defect))
            self.say(f"planted: {defect.name}: {how or 'NOT CAUGHT'}")
            missed += [] if how else [defect.name]
        return len(DEFECTS), missed

    def _sum_up(self, tried: int, missed: Sequence[str]) -> None:
        faults = {kind: count for kind, count in self.done.most_common() if kind not in CALM}
        self.say(
            f"{len(self.memory)} seeds, {self.done.total()} operations, "
            f"{sum(faults.values())} of them faults:"
        )
        self.say("  " + ", ".join(f"{kind} {count}" for kind, count in faults.items()))
        self.say(f"violations: {self.broken}")
        self.say(
            f"planted defects caught: {tried - len(missed)} of {tried} tried, "
            f"of {len(DEFECTS)} that there are"
        )
        self.say("memory, in MiB:       start  middle     end")
        for name, at in (("gateways and suite", 0), ("engine", 1)):
            held = [each[at] / _MIB for each in self.memory]
            figures = held[0], held[len(held) // 2], held[-1]
            self.say(f"  {name:<18}" + "".join(f"{figure:8.1f}" for figure in figures))


def _kept_bytes() -> int:
    """Read what this process holds, without the freed memory that the allocator keeps."""
    gc.collect()
    with suppress(OSError, AttributeError):  # another C library has no such call
        ctypes.CDLL(None).malloc_trim(0)
    return resident_bytes()


def replayed(ops: Sequence[Op]) -> list[Violation]:
    """Carry out one schedule, on a cluster if only a cluster can."""
    clustered = {op.kind for op in ops} - WEIGHTS.keys() - RARE.keys()
    with ExitStack() as stack:
        on: Engine | ClusterEngine = (
            stack.enter_context(cluster()) if clustered else stack.enter_context(engine())
        )
        return asyncio.run(broken_by(on, ops))
