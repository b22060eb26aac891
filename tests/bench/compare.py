"""Say whether reports made at different hours agree: `python -m tests.bench.compare A B C`.

Each is a file of results. Two reports agree in a ratio if the spreads of its repetitions, widened
by a quarter, overlap. Ends with 1 if fewer than nine in ten do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from tests.bench.contender import FLOOR, FLOOR50, OURS
from tests.bench.plots import short
from tests.bench.results import Results

_RATIOS = (
    ("W1", OURS, FLOOR50, "server"),
    ("W2", OURS, FLOOR, "server"),
    ("W2", OURS, FLOOR, "p99"),
    ("W3", OURS, FLOOR, "server"),
    ("W3", OURS, FLOOR, "p99"),
    ("W4", OURS, FLOOR50, "speed"),
    ("W4.20", OURS, FLOOR50, "speed"),
    ("W5", "write", "xadd", "speed"),
    ("W5", "info", "built", "speed"),
    ("W5", "write64", "write", "speed"),
    ("W1", OURS, "naive", "server"),
    ("W1", OURS, "socketio", "server"),
    ("W1", OURS, "nats", "server"),
    ("W2", OURS, "socketio", "server"),
    ("W2", OURS, "nats", "server"),
    ("W6", OURS, "socketio", "memory"),
    ("W6", OURS, "nats", "memory"),
)
_WIDER = 1.25
_ENOUGH = 0.9


def main(files: Sequence[str]) -> int:
    """Print a table, and say how many agree."""
    reports = [Results.read(Path(file)) for file in files]
    print(" | ".join(["ratio", *(report.about["made"] for report in reports), "agree"]))
    verdicts = list(_verdicts(reports))
    agreed = sum(verdicts)
    print(f"{agreed} of {len(verdicts)} ratios agree")
    return 0 if verdicts and agreed >= _ENOUGH * len(verdicts) else 1


def _verdicts(reports: Sequence[Results]) -> Iterator[bool]:
    for workload, ours, other, quantity in _RATIOS:
        spreads = [report.ratios(workload, ours, other, quantity) for report in reports]
        if not all(spreads):
            continue
        agree = all(_overlap(one, another) for one, another in combinations(spreads, 2))
        cells = [f"{short(min(each))} … {short(max(each))}" for each in spreads]
        name = f"{workload} {quantity}, {ours} over {other}"
        print(" | ".join([name, *cells, "yes" if agree else "no"]))
        yield agree


def _overlap(one: Sequence[float], another: Sequence[float]) -> bool:
    return min(one) <= max(another) * _WIDER and min(another) <= max(one) * _WIDER


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
