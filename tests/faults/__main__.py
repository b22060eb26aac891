"""A long run under faults: `python -m tests.faults [--minutes N] [--seed S] [--operations N]`.

Seed after seed until the time is over, one in four on a cluster; prints what happened, how often,
what was broken, with the shortest schedule found that breaks it, which planted defects were caught,
and what was held in memory. Or replays one schedule that a run printed:
`python -m tests.faults --replay "say:1 fail_over:2"`.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from tests.faults.schedule import Op
from tests.faults.soak import Soak, replayed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 1 if a promise was broken, or a planted defect was not caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to go on")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--operations", type=int, default=200, help="how many for each seed")
    parser.add_argument("--replay", help="carry out this schedule only")
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # everything is away all the time
    if options.replay is not None:
        violations = replayed([Op.parse(text) for text in options.replay.split()])
        _say("\n".join(map(str, violations)) or "all promises were kept")
        return 1 if violations else 0
    return 1 if Soak(_say).run(options.minutes * 60, options.seed, options.operations) else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
