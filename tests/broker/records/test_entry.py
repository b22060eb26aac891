"""A stream entry: the same value from the stream and from the live channel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.cursor import Cursor, RecordId
from runtail_broker.errors import InvalidFrame
from runtail_broker.records.entry import HOLDS_STATUS, IS_END, Entry

ENTRY = Entry(RecordId(5000, 12), 8, 3, 111, 222, 0, b"frame")
FIELDS = {b"s": b"8", b"n": b"3", b"p": b"111", b"t": b"222", b"x": b"0", b"f": b"frame"}


def test_an_entry_is_the_same_from_the_stream_and_live() -> None:
    assert Entry.from_stream(b"5000-12", FIELDS) == ENTRY
    assert Entry.from_live(b"5000-12 8 3 111 222 0\nframe") == ENTRY


def test_an_entry_is_the_same_whatever_the_order_of_its_fields_and_whatever_else_there_is() -> None:
    in_order = [part for pair in FIELDS.items() for part in pair]
    others = [b"new", b"7", *(part for pair in reversed(FIELDS.items()) for part in pair)]
    assert Entry.from_stream(b"5000-12", in_order) == ENTRY
    assert Entry.from_stream(b"5000-12", others) == ENTRY


@pytest.mark.parametrize("fields", [[], [b"s"], [b"s", b"8", b"n", b"3"], [b"s", b"n"] * 6])
def test_what_no_script_wrote_is_refused(fields: list[bytes]) -> None:
    with pytest.raises(InvalidFrame, match="5000-12"):
        Entry.from_stream(b"5000-12", fields)


def test_a_frame_may_hold_anything() -> None:
    assert Entry.from_live(b"5000-12 8 3 111 222 0\n\n 1\n").frame == b"\n 1\n"


def test_an_entry_knows_its_places() -> None:
    assert (ENTRY.last_seq, ENTRY.first_id) == (10, RecordId(5000, 10))
    assert ENTRY.end == ENTRY.cursor_at(10) == Cursor(RecordId(5000, 12), 10, 222)
    assert ENTRY.cursor_at(8) == Cursor(RecordId(5000, 10), 8, 222)


@pytest.mark.parametrize("seq", [8, 9, 10])
def test_an_entry_holds_its_own_cursors_alone(seq: int) -> None:
    cursor = ENTRY.cursor_at(seq)
    assert ENTRY.holds(cursor)
    assert not ENTRY.holds(Cursor(cursor.id, seq, 223))
    assert not ENTRY.holds(Cursor(RecordId(5000, 13), seq, 222))
    assert not ENTRY.holds(Cursor(cursor.id, None, None))


@pytest.mark.parametrize("seq", [7, 11])
def test_an_entry_holds_nothing_beside_itself(seq: int) -> None:
    assert not ENTRY.holds(ENTRY.cursor_at(seq))


@pytest.mark.parametrize(
    ("flags", "is_end"), [(0, False), (HOLDS_STATUS, False), (HOLDS_STATUS + IS_END, True)]
)
def test_the_end_is_told_by_its_flag(flags: int, is_end: bool) -> None:
    assert Entry(RecordId(1, 0), 1, 1, 0, 0, flags, b"").is_end is is_end


@pytest.mark.parametrize("name", list(FIELDS))
def test_an_entry_that_lacks_a_field_is_refused(name: bytes) -> None:
    fields = {key: value for key, value in FIELDS.items() if key != name}
    with pytest.raises(InvalidFrame, match="5000-12"):
        Entry.from_stream(b"5000-12", fields)


@given(st.binary(max_size=60))
def test_any_live_message_is_an_entry_or_an_invalid_frame(message: bytes) -> None:
    try:
        entry = Entry.from_live(message)
    except InvalidFrame:
        return
    assert isinstance(entry.id, RecordId)
