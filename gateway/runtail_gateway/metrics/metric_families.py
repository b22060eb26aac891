"""Make families of metrics in one registry, so that one line says what each is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from runtail_gateway.metrics.counting import Passing, PassingValues

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

Mode = Literal["livesum", "livemax", "livemin", "max"]


class Families:
    """A registry, and what is in it. The *mode* of a gauge says what several processes make of it.

    Children are kept in attributes: finding one by its labels costs more than counting.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._passing: list[Passing | PassingValues] = []

    def settle(self) -> None:
        """Let what was counted in passing be seen."""
        for each in self._passing:
            each.settle()

    def _gauge(self, name: str, text: str, *labels: str, mode: Mode = "livesum") -> Gauge:
        return Gauge(name, text, labels, registry=self.registry, multiprocess_mode=mode)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _quick(self, name: str, text: str) -> Passing:
        passing = Passing(self._counter(name, text))
        self._passing.append(passing)
        return passing

    def _histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

    def _quick_histogram(self, name: str, text: str, buckets: Sequence[float]) -> PassingValues:
        passing = PassingValues(self._histogram(name, text, buckets), buckets)
        self._passing.append(passing)
        return passing
