"""What the figures are expected to be, as ratios within one run; a claim is met by its median."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from tests.bench.contender import FLOOR, FLOOR50, OURS, PEERS
from tests.bench.results import Results


@dataclass(frozen=True, slots=True)
class Claim:
    """At least or at most *bound*."""

    workload: str
    text: str
    values: Callable[[Results], list[float]]
    bound: float
    at_least: bool

    def verdict(self, results: Results) -> tuple[float, bool] | None:
        """The median and whether it is as expected; None if it was not measured."""
        values = self.values(results)
        if not values:
            return None
        value = median(values)
        return value, value >= self.bound if self.at_least else value <= self.bound


def _ratio(workload: str, who: str, to: str, quantity: str) -> Callable[[Results], list[float]]:
    return lambda results: results.ratios(workload, who, to, quantity)


def _figure(workload: str, who: str, quantity: str) -> Callable[[Results], list[float]]:
    return lambda results: results.values(workload, who, quantity)


def _most(workload: str, text: str, to: str, quantity: str, bound: float) -> Claim:
    return Claim(workload, text, _ratio(workload, OURS, to, quantity), bound, at_least=False)


def _least(workload: str, text: str, to: str, quantity: str, bound: float) -> Claim:
    return Claim(workload, text, _ratio(workload, OURS, to, quantity), bound, at_least=True)


CLAIMS = (
    _most("W1", "server CPU over the floor with fifty a message", FLOOR50, "server", 1),
    _most("W2", "server CPU over the floor", FLOOR, "server", 1.25),
    _most("W2", "p99 over the floor", FLOOR, "p99", 1.25),
    _most("W3", "server CPU over the floor", FLOOR, "server", 2.2),
    _most("W3", "p99 over the floor", FLOOR, "p99", 3),
    _least("W4", "records/s over the floor with fifty a message", FLOOR50, "speed", 0.8),
    _least("W4.20", "records/s over the floor with fifty a message", FLOOR50, "speed", 0.8),
    Claim("W4", "most resident memory, MB", _figure("W4", OURS, "memory"), 100, at_least=False),
    Claim(
        "W4.20", "most resident memory, MB", _figure("W4.20", OURS, "memory"), 100, at_least=False
    ),
    Claim("W5", "ready-made over `XADD`", _ratio("W5", "write", "xadd", "speed"), 2.5, True),
    Claim("W5", "calls over built `XADD`", _ratio("W5", "info", "built", "speed"), 1, True),
    Claim(
        "W5",
        "64 executions over one, ready-made",
        _ratio("W5", "write64", "write", "speed"),
        0.5,
        True,
    ),
    Claim(
        "W5", "64 executions over one, calls", _ratio("W5", "info64", "info", "speed"), 0.5, True
    ),
    Claim("W6", "KiB a viewer", _figure("W6", OURS, "memory"), 18, at_least=False),
    Claim("W6", "connects/s", _figure("W6", OURS, "connects"), 2500, at_least=True),
    Claim("W7", "seconds until the last is caught up", _figure("W7", OURS, "behind"), 3, False),
    Claim("W8", "bytes stored a record", _figure("W8", OURS, "stored"), 60, at_least=False),
)
_AHEAD = (  # workload, quantity, smaller is better, how many times the best peer is allowed
    ("W1", "server", True, 1.0),
    ("W2", "server", True, 1.0),
    ("W3", "server", True, 1.3),
    ("W3", "p99", True, 1.3),
    ("W4", "speed", False, 1.0),
    ("W4.20", "speed", False, 1.0),
    ("W6", "memory", True, 1.3),
    ("W6", "connects", False, 1.3),
    ("W7", "behind", True, 1.0),
)


def against_peers(results: Results) -> Iterator[tuple[str, str, str, float, float, bool]]:
    """Workload, quantity, best peer, its figure, ours, and whether we are where we mean to be."""
    for workload, quantity, smaller, allowed in _AHEAD:
        ours = results.median(workload, OURS, quantity)
        theirs = {
            who: value
            for who in PEERS
            if (value := results.median(workload, who, quantity)) is not None
            and not any(results.values(workload, who, "lost"))
        }
        if ours is None or not theirs:
            continue
        best = (min if smaller else max)(theirs, key=lambda who: theirs[who])
        value = theirs[best]
        met = ours <= value * allowed if smaller else ours >= value / allowed
        yield workload, quantity, best, value, ours, met
