"""How many frames are read at once: as many as hold what is wanted, never too many, never none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.cursor import RecordId
from runtail_broker.records.entry import Entry
from runtail_gateway.logs.portion import Portion


def frames(many: int, *, records: int, size: int = 100) -> list[Entry]:
    frame = b"x" * size
    return [Entry(RecordId(1, i), 1, records, 0, 0, 0, frame) for i in range(many)]


def test_the_first_look_is_a_small_one() -> None:
    assert Portion().frames(10_000) == 4


@pytest.mark.parametrize(
    ("records", "wanted", "asked"),
    [(1000, 100, 1), (1000, 5000, 6), (10, 100, 11), (1, 10, 11), (100_000, 1, 1)],
)
def test_the_next_ones_hold_what_is_still_wanted(records: int, wanted: int, asked: int) -> None:
    portion = Portion()
    portion.frames(wanted)
    portion.learn(frames(4, records=records), 400)
    assert portion.frames(wanted) == asked


@pytest.mark.parametrize(
    ("records", "size", "rendered", "most"),
    [
        (1, 100, 100, 1024),
        (100, 100, 100, 123),
        (1, 1024 * 1024, 100, 4),
        (1, 16 * 1024 * 1024, 100, 1),
        (1, 100, 1024 * 1024, 8),
        (1, 100, 16 * 1024 * 1024, 1),
    ],
    ids=["frames", "records", "bytes", "one that is larger", "rendered", "one that grows large"],
)
def test_they_grow_up_to_a_bound(records: int, size: int, rendered: int, most: int) -> None:
    portion, asked = Portion(), 0
    for _ in range(6):
        asked = portion.frames(10**9)
        portion.learn(frames(4, records=records, size=size), 4 * rendered)
    assert asked == most


def test_they_grow_in_steps_as_small_frames_may_be_followed_by_large_ones() -> None:
    portion = Portion()
    asked = []
    for _ in range(4):
        asked.append(portion.frames(10**9))
        portion.learn(frames(1, records=1), 100)
    assert asked == [4, 64, 1024, 1024]


READS = st.tuples(st.integers(0, 5), st.integers(1, 10**6), st.integers(0, 50))


@given(st.lists(READS, max_size=6))
def test_something_is_always_asked_for(reads: list[tuple[int, int, int]]) -> None:
    """Whatever was read, also nothing, also empty frames: at least one frame, at most so many."""
    portion = Portion()
    for many, records, size in reads:
        portion.learn(frames(many, records=records, size=size), size)
        assert 1 <= portion.frames(records) <= 1024
