"""What the figures are expected to be, as ratios within one run; a claim is met by its median."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    Claim("W7", "seconds, the latest record", _figure("W7", OURS, "worst"), 3, False),
    Claim("W8", "bytes stored a record", _figure("W8", OURS, "stored"), 60, at_least=False),
)
_AHEAD = (  # workload, quantity, smaller is better, how many times the best peer is allowed
    ("W1", "server", True, 1.0),
    ("W1", "deliveries", False, 1.0),
    ("W1", "p99", True, 1.0),
    ("W2", "server", True, 1.0),
    ("W2", "p99", True, 1.0),
    ("W3", "server", True, 1.3),
    ("W3", "p99", True, 1.3),
    ("W4", "speed", False, 1.0),
    ("W4.20", "speed", False, 1.0),
    ("W5", "speed", False, 1.0),
    ("W5", "all", True, 1.0),
    ("W6", "memory", True, 1.3),
    ("W6", "connects", False, 1.3),
    ("W7", "worst", True, 1.0),
    ("W8", "stored", True, 1.0),
    ("W8", "json", True, 1.0),
)
_STANDS_FOR = {("W5", OURS): "write", ("W5", "naive"): "xadd"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours beside the best peer that lost nothing."""

    workload: str
    quantity: str
    best: str
    theirs: float
    ours: float
    allowed: float
    """How many times worse than the best peer ours may be."""
    met: bool
    lossy: Sequence[str]
    """Peers that do not count here: they lost records or viewers."""


def against_peers(results: Results) -> Iterator[Comparison]:
    """Compare with the peers in each quantity that matters; what was not measured is left out."""
    for workload, quantity, smaller, allowed in _AHEAD:

        def value(who: str, of: tuple[str, str] = (workload, quantity)) -> float | None:
            return results.median(of[0], _STANDS_FOR.get((of[0], who), who), of[1])

        ours = value(OURS)
        lossy = [who for who in PEERS if _lost_some(results, workload, who)]
        every = {who: value(who) for who in PEERS if who not in lossy}
        theirs = {who: each for who, each in every.items() if each is not None}
        if ours is None or not theirs:
            continue
        best = (min if smaller else max)(theirs, key=lambda who: theirs[who])
        bound = theirs[best] * allowed if smaller else theirs[best] / allowed
        met = ours <= bound if smaller else ours >= bound
        yield Comparison(workload, quantity, best, theirs[best], ours, allowed, met, lossy)


def _lost_some(results: Results, workload: str, who: str) -> bool:
    return any(any(results.values(workload, who, fault)) for fault in ("lost", "cut"))
