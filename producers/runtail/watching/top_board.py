"""Know what `runtail top` shows: the executions, how fast each grows, what is quiet. Pure: no I/O.

Times are seconds of one clock that only rises, the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

RATE_SECONDS: Final = 10.0
"""Over how long a rate is taken: one that is shown rises and falls within that."""
MOST_KNOWN: Final = 2000

State = dict[str, Any]


@dataclass(slots=True)
class _Known:
    state: State
    samples: list[tuple[float, int]]
    grew: float  # when its last line came, as far as this view has seen; nan: not since it began


@dataclass(frozen=True, slots=True)
class Line:
    """One execution as it is shown; *quiet* is None for what was not seen to grow, or is over."""

    state: State
    rate: float
    quiet: float | None


@dataclass(slots=True)
class Board:
    """What was heard of executions so far, the newest word of each."""

    _known: dict[str, _Known] = field(default_factory=dict)

    def begin(self, states: Iterable[State], now: float) -> None:
        """Take a whole list; what is not in it is not shown any more."""
        listed = list(states)
        names = {str(state.get("id")) for state in listed}
        self._known = {name: one for name, one in self._known.items() if name in names}
        self.take(listed, now)

    def take(self, states: Iterable[State], now: float) -> None:
        """Take what changed."""
        for state in states:
            name, seq = str(state.get("id")), _whole(state.get("last_seq"))
            one = self._known.setdefault(name, _Known(state, [], float("nan")))
            if one.samples and seq > one.samples[-1][1]:
                one.grew = now
            elif one.samples and seq < one.samples[-1][1]:
                one.samples.clear()  # another history
            one.state = state
            one.samples.append((now, seq))
            _thin(one.samples, now)
        while len(self._known) > MOST_KNOWN:
            self._known.pop(next(iter(self._known)))

    def drop(self, names: Iterable[str]) -> None:
        """Show these no more."""
        for name in names:
            self._known.pop(name, None)

    def lines(self, now: float) -> list[Line]:
        """List what runs, the fastest first, then the rest, the newest first."""
        lines = [self._line(one, now) for one in self._known.values()]
        lines.sort(key=lambda line: str(line.state.get("created_at") or ""), reverse=True)
        lines.sort(key=lambda line: (not _runs(line.state), -round(line.rate, 1)))
        return lines

    def count(self, status: str) -> int:
        """Count those of a status."""
        return sum(one.state.get("status") == status for one in self._known.values())

    def rate(self, now: float) -> float:
        """Say how many records a second all of them get."""
        return sum(line.rate for line in self.lines(now))

    def _line(self, one: _Known, now: float) -> Line:
        if not _runs(one.state):
            return Line(one.state, 0.0, None)
        quiet = None if one.grew != one.grew else max(0.0, now - one.grew)
        return Line(one.state, _rate(one.samples, now), quiet)


def _rate(samples: list[tuple[float, int]], now: float) -> float:
    (first, seq), (last, newest) = samples[0], samples[-1]
    took = max(last, now) - first
    return (newest - seq) / took if took > 0.2 else 0.0


def _thin(samples: list[tuple[float, int]], now: float) -> None:
    """Keep what a rate needs: one sample from before its time at most."""
    while len(samples) > 2 and samples[1][0] <= now - RATE_SECONDS:
        samples.pop(0)
    if len(samples) > 100:
        del samples[1::2]


def _runs(state: State) -> bool:
    return state.get("status") in ("running", "lost")


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
