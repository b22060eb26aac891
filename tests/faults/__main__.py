"""A long run under faults: `python -m tests.faults [--minutes N] [--seed S] [--operations N]`.

Seed after seed, each on an engine of its own, until the time is over; prints what happened, how
often, and what was broken, with the shortest schedule found that breaks it. Or replays one
schedule that a run printed: `python -m tests.faults --replay "say:1 fail_over:2"`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.faults.checker import Violation
from tests.faults.engine import engine
from tests.faults.running import broken_by, told
from tests.faults.schedule import CALM, Op, schedule


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to go on")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--operations", type=int, default=200, help="how many for each seed")
    parser.add_argument("--replay", help="carry out this schedule only")
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # everything is away all the time
    if options.replay is not None:
        violations = _one([Op.parse(text) for text in options.replay.split()])
        _say("\n".join(map(str, violations)) or "all promises were kept")
        return 1 if violations else 0
    return _soak(options.minutes * 60, options.seed, options.operations)


def _soak(seconds: float, first: int, length: int) -> int:
    done, broken, seeds = Counter[str](), 0, 0
    until = time.monotonic() + seconds
    for seed in itertools.count(first):
        if seeds and time.monotonic() > until:
            break
        ops = schedule(seed, length)
        violations = _one(ops)
        done.update(op.kind for op in ops)
        seeds, broken = seeds + 1, broken + len(violations)
        if violations:
            _say(f"seed {seed}:\n{_shortened(ops, violations)}")
    faults = {kind: count for kind, count in done.most_common() if kind not in CALM}
    _say(f"{seeds} seeds, {done.total()} operations, {sum(faults.values())} of them faults:")
    _say("  " + ", ".join(f"{kind} {count}" for kind, count in faults.items()))
    _say(f"violations: {broken}")
    return 1 if broken else 0


def _one(ops: Sequence[Op]) -> list[Violation]:
    with engine() as running:
        return asyncio.run(broken_by(running, ops))


def _shortened(ops: Sequence[Op], violations: Sequence[Violation]) -> str:
    with engine() as running:
        return asyncio.run(told(running, ops, violations))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
