"""What is counted in passing is what prometheus-client would have counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from runtail_gateway.metrics.counting import Passing, PassingValues

BOUNDS = (0.5, 1.0, 2.0)


@given(st.lists(st.lists(st.integers(0, 12).map(lambda n: n / 4))))
def test_values_in_passing_make_the_same_histogram(rounds: list[list[float]]) -> None:
    theirs, ours = CollectorRegistry(), CollectorRegistry()
    plain = Histogram("h", "h", buckets=BOUNDS, registry=theirs)
    passing = PassingValues(Histogram("h", "h", buckets=BOUNDS, registry=ours), BOUNDS)
    for values in rounds:
        for value in values:
            plain.observe(value)
            passing.observe(value)
        passing.settle()
        assert generate_latest(ours) == generate_latest(theirs)


def test_a_counter_in_passing_tells_each_amount_once() -> None:
    registry = CollectorRegistry()
    passing = Passing(Counter("c", "c", registry=registry))
    passing.inc(2)
    passing.settle()
    passing.settle()
    passing.inc()
    passing.settle()
    assert registry.get_sample_value("c_total") == 3
