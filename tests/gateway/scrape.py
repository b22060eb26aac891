"""Read a gateway's `/metrics` as Prometheus does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Sample = tuple[str, Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one scrape, or several, brought."""

    samples: tuple[Sample, ...]

    @classmethod
    def of(cls, *texts: str) -> Scrape:
        """Read the answers of one gateway, or of several."""
        return cls(
            tuple(
                (sample.name, sample.labels, sample.value)
                for text in texts
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            )
        )

    def sum(self, name: str, **labels: str) -> float:
        """Add up the samples of *name* that have these labels; there must be one."""
        found = [
            value
            for each, has, value in self.samples
            if each == name and labels.items() <= has.items()
        ]
        assert found, f"no sample {name} {labels}"
        return sum(found)
