"""What is tracked passes as it is, and is counted on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.producers.running import Running

from runtail.delivery.throttle import Throttle
from runtail.tracking import Tally, Tracked


def counts(running: Running) -> list[tuple[int, int | None]]:
    return [(record["done"], record["total"]) for record in running.records("progress")]


def numbers(closed: list[str] | None = None) -> Iterator[int]:
    try:
        yield from range(5)
    finally:
        if closed is not None:
            closed.append("closed")


async def anumbers() -> AsyncIterator[int]:
    for number in range(5):
        await asyncio.sleep(0)
        yield number


def test_a_list_is_tracked_by_its_length(running: Running) -> None:
    assert list(running.run.track(["a", "b"], name="rows")) == ["a", "b"]
    assert counts(running) == [(0, 2), (2, 2)]
    assert {record["name"] for record in running.records("progress")} == {"rows"}


def test_a_generator_is_indeterminate_until_it_is_exhausted(running: Running) -> None:
    assert list(running.run.track(numbers())) == [0, 1, 2, 3, 4]
    assert counts(running) == [(0, None), (5, 5)]


async def test_an_async_iterable_is_tracked_too(running: Running) -> None:
    assert [n async for n in running.run.track(anumbers(), total=5)] == [0, 1, 2, 3, 4]
    assert counts(running) == [(0, 5), (5, 5)]


def test_a_break_closes_the_source_and_keeps_the_count(running: Running) -> None:
    closed: list[str] = []
    for number in running.run.track(numbers(closed)):
        if number == 3:
            break
    assert closed == ["closed"]
    assert counts(running) == [(0, None), (3, None)]


def test_an_exception_in_the_loop_leaves_the_count_before_the_end(running: Running) -> None:
    with pytest.raises(ZeroDivisionError), running.run as run:
        [1 // (3 - number) for number in run.track(numbers(), total=5)]
    assert counts(running) == [(0, 5), (3, 5)]
    kinds = running.stored.kinds(running.run.id)
    assert kinds[-1] == "end"
    assert kinds.count("end") == 1


def test_an_exception_of_the_source_passes(running: Running) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise KeyError("row")

    with pytest.raises(KeyError):
        list(running.run.track(broken()))
    assert counts(running) == [(0, None), (1, None)]


def test_a_length_that_raises_makes_it_indeterminate(running: Running) -> None:
    class Hostile(list[int]):
        def __len__(self) -> int:
            raise RuntimeError("no")

    assert list(iter(running.run.track(Hostile()))) == []
    assert counts(running)[0] == (0, None)


@given(st.lists(st.integers()), st.integers(0, 20))
def test_the_last_count_is_always_what_was_handled(items: list[int], stop: int) -> None:
    sent: list[tuple[float, Any]] = []
    throttle: Throttle[tuple[float, Any]] = Throttle(600, 4, sent.append, lambda *_: None)
    tally = Tally(None, lambda *counts: counts, lambda report: throttle.offer("", report))
    passed = [item for item, _ in zip(Tracked(items, tally), range(stop), strict=False)]
    throttle.close()
    assert passed == items[:stop]
    assert sent[-1][0] == min(len(items), stop)
