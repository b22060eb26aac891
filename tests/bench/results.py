"""Keep what was measured in a file of JSON lines: a run that was cut goes on where it was."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

Run = dict[str, float]


@dataclass(slots=True)
class Results:
    """The repetitions of every workload and contender, and on what they were made."""

    file: Path | None = None
    about: dict[str, Any] = field(default_factory=dict)
    runs: dict[tuple[str, str], list[Run]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Results:
        """Read what a file holds; nothing if it is not there."""
        results = cls(file)
        for line in file.read_text().splitlines() if file.exists() else ():
            results._take(json.loads(line))
        return results

    def add(self, workload: str, who: str, run: Run) -> None:
        """Keep one repetition."""
        self._keep({"workload": workload, "who": who, "run": run})

    def fail(self, workload: str, who: str, why: str) -> None:
        """Keep that it could not be measured; the report says so."""
        self._keep({"workload": workload, "who": who, "failed": why})

    def begin(self, about: dict[str, Any]) -> None:
        """Say on what machine and with which versions all of it was made."""
        if not self.about:
            self._keep({"about": about})

    def done(self, workload: str, who: str) -> int:
        """Say how many repetitions there are."""
        return 10**6 if (workload, who) in self.failures else len(self.runs[workload, who])

    def values(self, workload: str, who: str, quantity: str) -> list[float]:
        """List the repetitions of one quantity."""
        return [run[quantity] for run in self.runs.get((workload, who), []) if quantity in run]

    def median(self, workload: str, who: str, quantity: str) -> float | None:
        """The value that counts; None if there is none."""
        values = self.values(workload, who, quantity)
        return median(values) if values else None

    def ratios(self, workload: str, who: str, to: str, quantity: str) -> list[float]:
        """The ratio of each repetition, whose contenders ran one after the other."""
        pairs = zip(
            self.values(workload, who, quantity), self.values(workload, to, quantity), strict=False
        )
        return [a / b for a, b in pairs if b]

    def contenders(self, workload: str) -> Iterator[str]:
        """Name who has figures of a workload, in the order in which they came."""
        yield from (who for (key, who), runs in self.runs.items() if key == workload and runs)

    def _keep(self, entry: dict[str, Any]) -> None:
        self._take(entry)
        if self.file is not None:
            with self.file.open("a") as out:
                out.write(json.dumps(entry) + "\n")

    def _take(self, entry: dict[str, Any]) -> None:
        if "about" in entry:
            self.about = entry["about"]
        elif "failed" in entry:
            self.failures[entry["workload"], entry["who"]] = entry["failed"]
        else:
            self.runs[entry["workload"], entry["who"]].append(entry["run"])
