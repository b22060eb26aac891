"""The shared end of one stream: what chains to it, what is doubted, what it gives to whom."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broker.tail_world import Sealed, World, render, text_of

from runtail_broker.cursor import START, Cursor
from runtail_broker.records.entry import Entry
from runtail_broker.records.splice import records_of
from runtail_broker.tail import Fed, Tail

EPOCH = 77
ROOMY = 1_000_000


def history(*counts: int, first_name: int = 1, now: int = 5000) -> list[Entry]:
    world = World().opened(EPOCH)
    for name, count in enumerate(counts, first_name):
        world = world.append(Sealed(name, count), now)
    return list(world.entries)


def placed(entries: list[Entry], *, max_bytes: int = ROOMY) -> Tail:
    """Make a tail that stood at the end of the first of *entries* and was fed the others."""
    tail = Tail(text_of, max_bytes=max_bytes)
    tail.jump(entries[0].end)
    for entry in entries[1:]:
        assert tail.feed(entry) is Fed.APPENDED
    return tail


def given_after(tail: Tail, cursor: Cursor) -> list[bytes] | None:
    held = tail.after(cursor)
    if held is None:
        return None
    return [text for rendered, skip in held for text in records_of(rendered.text)[skip:]]


def texts(entries: list[Entry]) -> list[bytes]:
    return [text for entry in entries for text in render(entry)]


def test_a_tail_that_was_never_placed_doubts_everything() -> None:
    tail = Tail(text_of, max_bytes=ROOMY)
    assert tail.cursor is None
    assert tail.feed(history(1)[0]) is Fed.DOUBTED
    assert tail.after(START) is None
    assert tail.newest() is None


def test_what_chains_is_appended_and_is_the_newest() -> None:
    entries = history(1, 2, 3)
    tail = placed(entries)
    newest = tail.newest()
    assert newest is not None
    assert (newest.entry, newest.text) == (entries[-1], text_of(entries[-1]))
    assert tail.cursor == entries[-1].end


def test_what_is_held_already_is_known() -> None:
    entries = history(1, 1, 1, 1)
    tail = placed(entries)
    assert [tail.feed(entry) for entry in entries] == [Fed.KNOWN] * 4
    assert tail.cursor == entries[-1].end


def test_a_hole_is_doubted() -> None:
    entries = history(1, 1, 1)
    tail = placed(entries[:1])
    assert tail.feed(entries[2]) is Fed.DOUBTED
    assert tail.cursor == entries[0].end


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_next_seq_with_another_tag_before_it_is_doubted(count: int) -> None:
    ours, theirs = history(1, 1), history(1, 1, count, first_name=10)
    tail = placed(ours)
    assert tail.feed(theirs[2]) is Fed.DOUBTED
    assert tail.cursor == ours[-1].end


def test_an_entry_under_a_held_id_with_another_tag_is_doubted() -> None:
    ours, theirs = history(1, 1, 1, 1), history(1, 1, 1, 1, first_name=10)
    tail = placed(ours)
    assert [theirs[2].id, theirs[2].seq] == [ours[2].id, ours[2].seq]
    assert tail.feed(theirs[2]) is Fed.DOUBTED


def test_a_viewer_gets_what_is_held_after_its_cursor() -> None:
    entries = history(1, 2, 3, 1)
    tail = placed(entries)
    for i, entry in enumerate(entries):
        assert given_after(tail, entry.end) == texts(entries[i + 1 :])


def test_a_cursor_inside_a_frame_gets_the_rest_of_it() -> None:
    entries = history(1, 4, 2)
    tail = placed(entries)
    for skip in range(4):
        cursor = entries[1].cursor_at(entries[1].seq + skip)
        assert given_after(tail, cursor) == texts(entries[1:])[skip + 1 :]


def test_a_cursor_of_another_history_gets_nothing_from_the_tail() -> None:
    tail = placed(history(1, 2, 3, 1))
    for entry in history(1, 2, 3, 1, first_name=10):
        for seq in range(entry.seq, entry.last_seq + 1):
            assert tail.after(entry.cursor_at(seq)) is None


def test_cursors_from_before_what_is_held_get_nothing_from_the_tail() -> None:
    entries = history(*[1] * 20)
    tail = placed(entries, max_bytes=60)
    assert tail.after(START) is None
    assert tail.after(entries[0].end) is None
    assert tail.after(Cursor(entries[5].id, None, None)) is None
    assert given_after(tail, entries[-2].end) == texts(entries[-1:])


@given(st.lists(st.integers(1, 4), min_size=2, max_size=30), st.integers(1, 400))
def test_a_tail_always_holds_as_much_of_the_end_as_it_may(counts: list[int], bound: int) -> None:
    entries = history(*counts)
    tail = placed(entries, max_bytes=bound)
    held = [rendered.entry for rendered in tail._held]
    assert held == entries[len(entries) - len(held) :]
    size = sum(len(text_of(entry)) for entry in held)
    assert size <= bound or len(held) == 1
    before = entries[1 : len(entries) - len(held)]
    assert not before or size + len(text_of(before[-1])) > bound


def test_a_rewind_keeps_what_lies_before_it() -> None:
    entries = history(1, 2, 1, 2)
    tail = placed(entries)
    tail.rewind(entries[2].end)
    assert tail.cursor == entries[2].end
    assert given_after(tail, entries[0].end) == texts(entries[1:3])
    assert tail.feed(entries[3]) is Fed.APPENDED


def test_a_rewind_forgets_what_lies_beyond_it() -> None:
    entries = history(1, 1, 1, 1)
    tail = placed(entries)
    tail.rewind(entries[1].end)
    assert tail.cursors() == [entries[1].end, entries[0].end]
    assert tail.after(entries[3].end) is None
    assert tail.feed(entries[3]) is Fed.DOUBTED


def test_a_rewind_beyond_what_is_held_leaves_nothing_held() -> None:
    entries = history(*[1] * 20)
    tail = placed(entries, max_bytes=60)
    tail.rewind(entries[0].end)
    assert tail.newest() is None
    assert tail.after(entries[0].end) == []


def test_a_rewound_tail_counts_its_bytes_anew() -> None:
    entries = history(*[1] * 9)
    bound = sum(len(text) + 1 for text in texts(entries[1:]))
    tail = placed(entries, max_bytes=bound)
    tail.rewind(entries[4].end)
    tail.extend(entries[5:])
    assert given_after(tail, entries[0].end) == texts(entries[1:])


@pytest.mark.parametrize("max_bytes", [1, 300, ROOMY])
def test_its_cursors_reach_back_sparser_and_sparser_whatever_is_held(max_bytes: int) -> None:
    entries = history(*[1] * 101)
    tail = placed(entries, max_bytes=max_bytes)
    cursors = tail.cursors()
    assert cursors[0] == entries[-1].end
    assert cursors[-1].number <= 5  # near where it was placed
    assert len(cursors) <= 16
    steps = [newer.number - older.number for newer, older in pairwise(cursors)]
    assert min(steps) >= 1
    assert max(steps) <= 65
    assert {cursor for cursor in cursors if cursor.number > 1} <= {e.end for e in entries}


def test_a_jump_leaves_nothing_of_what_was() -> None:
    ours, theirs = history(1, 1, 1), history(1, 1, 1, 1, first_name=10)
    tail = placed(ours)
    tail.jump(theirs[2].end)
    assert (tail.cursor, tail.newest()) == (theirs[2].end, None)
    assert tail.cursors() == [theirs[2].end]
    assert tail.feed(theirs[3]) is Fed.APPENDED


def test_a_viewer_at_the_head_is_given_only_cursors_that_it_has_passed() -> None:
    entries = history(1, 1, 1, 1)
    tail = placed(entries)
    assert tail.cursors_since(3) == [entries[3].end, entries[2].end]
