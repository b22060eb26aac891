"""Hold what was measured, compare it as ratios within one run, and print it as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.plots import short
from tests.bench.results import Run


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity of one contender, measured once a repetition."""

    contender: str
    quantity: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value that counts."""
        return median(self.values)

    def row(self) -> str:
        """Write it as a row of a table: median, and what the repetitions spread over."""
        low, high = min(self.values), max(self.values)
        cells = (self.contender, f"{self.quantity}, {self.unit}", short(self.median))
        return f"| {' | '.join(cells)} | {short(low)} to {short(high)} |"


@dataclass(frozen=True, slots=True)
class Claim:
    """What the ratio of two figures was expected to be: at least or at most *bound*.

    The ratio is the median of the ratios of each repetition, whose contenders ran side by side.
    """

    text: str
    over: Figure
    under: Figure
    bound: float
    at_least: bool

    @property
    def ratio(self) -> float:
        """How many times *under* the figure *over* is."""
        return median(self.ratios)

    @property
    def ratios(self) -> list[float]:
        """The ratio of each repetition."""
        pairs = zip(self.over.values, self.under.values, strict=True)
        return [over / under if under else float("inf") for over, under in pairs]

    @property
    def met(self) -> bool:
        """Whether it came as expected."""
        return self.ratio >= self.bound if self.at_least else self.ratio <= self.bound

    def row(self) -> str:
        """Write it as a row of a table."""
        sign = "at least" if self.at_least else "at most"
        spread = f"{short(min(self.ratios))} to {short(max(self.ratios))}"
        verdict = "yes" if self.met else "**no**"
        return (
            f"| {self.text} | {short(self.ratio)} | {spread} | {sign} {self.bound:g} | {verdict} |"
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be on a machine that does nothing else: at least or at most *bound*.

    The best repetition counts: what else runs here only makes figures worse. A run fails only if
    even that one is *far* times off, because then it is not the machine any more.
    """

    figure: Figure
    bound: float
    at_least: bool
    far: float = 10

    @property
    def best(self) -> float:
        """The best repetition."""
        return max(self.figure.values) if self.at_least else min(self.figure.values)

    @property
    def met(self) -> bool:
        """Whether it came as wished."""
        return self._within(1)

    @property
    def is_far_off(self) -> bool:
        """Whether no machine's load explains it."""
        return not self._within(self.far)

    def _within(self, factor: float) -> bool:
        if self.at_least:
            return self.best >= self.bound / factor
        return self.best <= self.bound * factor

    def row(self) -> str:
        """Write it as a row of a table."""
        figure, sign = self.figure, "at least" if self.at_least else "at most"
        verdict = "**far off**" if self.is_far_off else "yes" if self.met else "no"
        wished = f"{sign} {short(self.bound)}"
        what = f"{figure.contender}: {figure.quantity}, {figure.unit}"
        return f"| {what} | {short(self.best)} | {short(figure.median)} | {wished} | {verdict} |"


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark's part of the report."""

    title: str
    how: str
    figures: tuple[Figure, ...]
    claims: tuple[Claim, ...]
    targets: tuple[Target, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a ratio is not what it should be, or a figure far from its target."""
        return not all(c.met for c in self.claims) or any(t.is_far_off for t in self.targets)

    def markdown(self) -> str:
        """Write what was run, the figures, the ratios and the targets."""
        lines = [f"## {self.title}", "", self.how, ""]
        lines += ["| who | what | median | repetitions |", "| --- | --- | ---: | --- |"]
        lines += [figure.row() for figure in self.figures]
        lines += ["", "| ratio | median | repetitions | expected | met |"]
        lines += ["| --- | ---: | --- | --- | --- |", *(claim.row() for claim in self.claims)]
        if self.targets:
            lines += ["", "| target | best | median | wished | met |"]
            lines += ["| --- | ---: | ---: | --- | --- |", *(t.row() for t in self.targets)]
        return "\n".join(lines) + "\n"


def in_turn(repetitions: int, *contenders: Callable[[], Run]) -> list[list[Run]]:
    """Run the *contenders* side by side, *repetitions* times, each time in the other order."""
    runs: list[list[Run]] = [[] for _ in contenders]
    for repetition in range(repetitions):
        numbered = list(enumerate(contenders))
        for i, contender in numbered[:: 1 if repetition % 2 else -1]:
            runs[i].append(contender())
    return runs


def figures(contender: str, units: dict[str, str], runs: Sequence[Run]) -> list[Figure]:
    """Gather the runs of one contender; *units* names the quantities to keep."""
    return [
        Figure(contender, quantity, unit, tuple(run[quantity] for run in runs))
        for quantity, unit in units.items()
    ]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that *share* of *values* do not exceed; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
