"""Cursors as text, and the few that are remembered."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.cursor import (
    START,
    TAG_FACTOR,
    TAG_MODULUS,
    Cursor,
    CursorMemory,
    RecordId,
    chain,
    new_random,
    start_of,
)
from runtail_broker.errors import InvalidCursor

numbers = st.integers(0, 10**15 - 1)
tags = st.integers(0, TAG_MODULUS - 1)
places = st.builds(RecordId, numbers, numbers)


def at(seq: int) -> Cursor:
    return Cursor(RecordId(seq, 0), seq, seq)


@given(place=places, seq=numbers, tag=tags)
def test_a_cursor_is_read_as_it_was_written(place: RecordId, seq: int, tag: int) -> None:
    cursor = Cursor(place, seq, tag)
    assert Cursor.parse(str(cursor)) == cursor


@given(place=places.filter(lambda p: p != (0, 0)))
def test_a_bare_record_id_is_a_cursor_that_knows_no_seq(place: RecordId) -> None:
    cursor = Cursor.parse(str(place))
    assert (cursor.id, cursor.seq, cursor.tag) == (place, None, None)
    assert str(cursor) == str(place)


def test_the_start_is_written_with_an_open_tag() -> None:
    assert str(START) == "0-0:0:-"
    assert Cursor.parse("0-0:0:-") == Cursor.parse("0-0") == START


def test_the_start_of_an_epoch_names_it() -> None:
    assert str(start_of(255)) == "0-0:0:000000ff"
    assert start_of(255).is_start
    assert START.is_start
    assert not at(1).is_start


MALFORMED = [
    "",
    "x",
    "1",
    "1-",
    "-1",
    "1-2:",
    "1-2:3",
    "1-2:3:",
    "1-2:3:-",
    "0-0:1:-",
    "1-2:3:0000000",
    "1-2:3:000000000",
    "1-2:3:0000000G",
    "1-2:3:ABCDEF01",
    " 1-2",
    "1-2\n",
    "1-2:3:00000000\n",
    "-1-2",
    "1-2-3",
    "+1-2",
    "1_0-2",
    "١-٢",
    "1-2:٣:00000000",
    "1" * 16 + "-0",
    "1-0:" + "1" * 16 + ":00000000",
    "$",
]


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_no_cursor_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidCursor) as caught:
        Cursor.parse(text)
    assert caught.value.text == text
    assert repr(text)[1:-1] in str(caught.value)


def test_a_long_cursor_is_refused_in_few_words() -> None:
    with pytest.raises(InvalidCursor) as caught:
        Cursor.parse("1" * 100_000)
    assert len(str(caught.value)) < 500


@given(st.text())
def test_any_text_is_a_cursor_or_is_refused(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except InvalidCursor:
        return
    assert Cursor.parse(str(cursor)) == cursor


@given(places, places)
def test_record_ids_compare_in_stream_order(one: RecordId, other: RecordId) -> None:
    assert (one < other) == ((one.ms, one.n) < (other.ms, other.n))
    assert RecordId.parse(str(one)) == RecordId.parse(str(one).encode()) == one


def test_a_chained_tag_stays_exact_in_a_double() -> None:
    largest = (TAG_MODULUS - 1) * TAG_FACTOR + (TAG_MODULUS - 1) + (10**15 - 1)
    assert largest < 2**53


@given(before=tags, random=tags, last=places)
def test_a_chained_tag_is_eight_hex_digits(before: int, random: int, last: RecordId) -> None:
    assert 0 <= chain(before, random, last) < TAG_MODULUS < 2**32


@given(before=tags, one=tags, other=tags, n=st.integers(0, 1000))
def test_the_order_of_two_frames_shows_in_the_tag(
    before: int, one: int, other: int, n: int
) -> None:
    first, second = RecordId(5, n), RecordId(5, n + 1)
    forth = chain(chain(before, one, first), other, second)
    back = chain(chain(before, other, first), one, second)
    assert (forth == back) == (one == other)


@given(before=tags, random=tags, ms=st.integers(0, 10**14), n=st.integers(0, 10**6))
def test_a_batch_stored_again_by_a_clock_a_little_behind_has_another_tag(
    before: int, random: int, ms: int, n: int
) -> None:
    again = [RecordId(ms - behind, n + more) for behind in range(-3, 4) for more in range(-3, 4)]
    assert len({chain(before, random, place) for place in again}) == len(again)


def test_random_numbers_fit_into_a_tag() -> None:
    assert all(0 <= new_random() < TAG_MODULUS for _ in range(100))


steps = st.lists(st.integers(1, 1000), max_size=200)


def remembered(sizes: list[int], size: int) -> list[int]:
    memory, seq = CursorMemory(at(0), size=size), 0
    for step in sizes:
        seq += step
        memory.add(at(seq))
    return [cursor.number for cursor in memory.newest_first()]


@given(steps, st.integers(2, 10))
def test_a_memory_is_bounded_keeps_both_ends_and_lists_the_newest_first(
    sizes: list[int], size: int
) -> None:
    kept = remembered(sizes, size)
    assert len(kept) == min(size, len(sizes) + 1)
    assert kept == sorted(set(kept), reverse=True)
    assert (kept[0], kept[-1]) == (sum(sizes), 0)


def test_a_memory_is_sparser_the_older_it_gets() -> None:
    kept = remembered([1] * 10_000, 8)
    widths = [newer - older for newer, older in pairwise(kept)]
    assert widths[0] < 100 < 1000 < widths[-1]
    assert all(older * 2 >= newer for newer, older in pairwise(widths))


def test_a_reset_goes_back_over_at_most_a_share_of_what_was_lost() -> None:
    kept = remembered([1] * 10_000, 8)
    for lost in (10, 100, 1000, 5000):
        provable = max(number for number in kept if number <= 10_000 - lost)
        assert 10_000 - provable <= max(64, 12 * lost)


@given(steps, st.integers(0, 3000))
def test_after_a_rewind_nothing_beyond_it_is_remembered(sizes: list[int], back: int) -> None:
    memory = CursorMemory(at(0))
    for i in range(len(sizes)):
        memory.add(at(sum(sizes[: i + 1])))
    before = {c.number for c in memory.newest_first()}
    memory.rewind(Cursor(RecordId(back, 0), back, 77))
    kept = memory.newest_first()
    assert kept[0] == Cursor(RecordId(back, 0), back, 77)
    assert {c.number for c in kept[1:]} == {number for number in before if number < back}


def test_adding_the_same_place_again_keeps_it_once() -> None:
    memory = CursorMemory(at(0))
    memory.add(at(5))
    memory.add(at(5))
    assert [c.number for c in memory.newest_first()] == [5, 0]


def test_extending_takes_only_what_lies_beyond() -> None:
    memory = CursorMemory(at(4))
    memory.extend([at(9), at(7), at(3)])
    assert [c.number for c in memory.newest_first()] == [9, 7, 4]


def test_a_memory_holds_at_least_two_cursors() -> None:
    with pytest.raises(ValueError, match="size is 1, expected at least 2"):
        CursorMemory(size=1)
