"""Export what became of a worker's records to Prometheus; needs prometheus-client."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import Final, Protocol

from runtail.delivery.buffer import Counters

try:
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.registry import Collector
except ImportError as error:
    raise ImportError(
        "exporting a publisher's counters needs prometheus-client: "
        "pip install prometheus-client, or the extra runtail[gateway], which has it"
    ) from error

Family = CounterMetricFamily | GaugeMetricFamily
_OUTCOMES: Final = ("accepted", "stored", "dropped", "malformed")
_WAITING: Final = ("pending", "spilled")  # rise and fall
_FAILING: Final = ("callback", "engine", "spill")


class Counted(Protocol):
    """What is exported: a Publisher or an AsyncPublisher."""

    @property
    def counters(self) -> Counters:
        """What became of the records so far."""
        ...


class PublisherCollector(Collector):
    """Sum up the counters of this process's publishers when they are asked for, and only then.

    What a publisher that is gone had counted at the last scrape stays in the sums, so that they
    never fall. Safe from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a publisher may be collected while its thread is in here
        self._publishers: dict[int, weakref.ref[Counted]] = {}
        self._seen: dict[int, Counter[str]] = {}
        self._gone: Counter[str] = Counter()

    def add(self, publisher: Counted) -> None:
        """Export *publisher* too; twice is safe."""
        with self._lock:
            self._publishers[id(publisher)] = weakref.ref(publisher)
            self._seen.setdefault(id(publisher), Counter())

    def remove(self, key: int) -> bool:
        """Let go of the publisher that had the id *key*; return whether it was the last one."""
        with self._lock:
            self._publishers.pop(key, None)
            self._gone += self._seen.pop(key, Counter())
            return not self._publishers

    def describe(self) -> Iterable[Family]:
        """Name the metrics, without looking at a publisher."""
        return _families(Counter())

    def collect(self) -> Iterable[Family]:
        """Read the counters of all publishers."""
        with self._lock:
            for key, reference in list(self._publishers.items()):
                publisher = reference()
                if publisher is not None:
                    self._seen[key] = Counter(asdict(publisher.counters))
            waiting = {w: sum(self._seen[k][w] for k in self._publishers) for w in _WAITING}
            totals = sum(self._seen.values(), Counter(self._gone))
        return _families(Counter({**totals, **waiting}))


_collectors: weakref.WeakKeyDictionary[CollectorRegistry, PublisherCollector] = (
    weakref.WeakKeyDictionary()
)
_registering = threading.RLock()  # entered again by a finalizer that runs meanwhile


def register(publisher: Counted, registry: CollectorRegistry | None = None) -> None:
    """Export *publisher*'s counters in *registry*, by default prometheus_client's own.

    `runtail_publisher_records_total{outcome}`, `runtail_publisher_waiting_records{place}`,
    `runtail_publisher_batches_retried_total`, `runtail_publisher_errors_total{failing}`: summed
    over the publishers of this process that are registered, read at scrape time. Ends by itself
    when the publisher is garbage collected, which this does not hold up.
    """
    registry = REGISTRY if registry is None else registry
    with _registering:
        collector = _collectors.get(registry)
        if collector is None:
            collector = _collectors[registry] = PublisherCollector()
            registry.register(collector)
        collector.add(publisher)
    forget = partial(_forget, weakref.ref(registry), id(publisher))
    weakref.finalize(publisher, forget).atexit = False


def _forget(reference: weakref.ref[CollectorRegistry], key: int) -> None:
    registry = reference()
    if registry is None:
        return
    with _registering:
        collector = _collectors.get(registry)
        if collector is not None and collector.remove(key):
            del _collectors[registry]
            registry.unregister(collector)


def _families(totals: Counter[str]) -> list[Family]:
    records = CounterMetricFamily(
        "runtail_publisher_records",
        "Records of this process, by what became of them",
        labels=["outcome"],
    )
    for outcome in _OUTCOMES:
        records.add_metric([outcome], totals[outcome])
    waiting = GaugeMetricFamily(
        "runtail_publisher_waiting_records",
        "Records that are not stored yet, by where they wait",
        labels=["place"],
    )
    for place in _WAITING:
        waiting.add_metric(["memory" if place == "pending" else "spill file"], totals[place])
    retried = CounterMetricFamily(
        "runtail_publisher_batches_retried",
        "Batches that were sent more than once",
        totals["retried"],
    )
    errors = CounterMetricFamily(
        "runtail_publisher_errors",
        "Errors that hurt nobody, by what raised them",
        labels=["failing"],
    )
    for failing in _FAILING:
        errors.add_metric([failing], totals[f"{failing}_errors"])
    return [records, waiting, retried, errors]
