"""Stored frames on their way to programs: whole as they are, parts packed anew."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.cursor import Cursor, RecordId
from runtail_broker.errors import InvalidFrame
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.frames_message import Piece, pack, unpack

CURSOR = Cursor(RecordId(1_700_000_000_000, 9), 9, 7)


def entry(count: int, first: int = 1) -> Entry:
    lines = [b'{"message":"line %d"}' % seq for seq in range(first, first + count)]
    place = RecordId(1_700_000_000_000, first + count - 1)
    return Entry(place, first, count, 1, 2, 0, encode_frame(lines))


def whole(entry: Entry) -> Piece:
    return Piece(entry, entry.seq, entry.count)


@given(st.lists(st.integers(1, 30), max_size=5), st.data())
def test_pieces_always_come_out_as_their_records_with_ids_and_seqs(
    counts: list[int], data: st.DataObject
) -> None:
    pieces: list[Piece] = []
    first = 1
    for count in counts:
        skip = data.draw(st.integers(0, count - 1))
        some = data.draw(st.integers(1, count - skip))
        pieces.append(Piece(entry(count, first), first + skip, some))
        first += count
    cursor, records = unpack(pack(pieces, CURSOR))
    assert cursor == CURSOR
    expected = [seq for piece in pieces for seq in range(piece.seq, piece.seq + piece.count)]
    assert [
        (record["id"], record["seq"], record["message"]) for record in orjson.loads(records)
    ] == [(f"1700000000000-{seq}", seq, f"line {seq}") for seq in expected]


def test_a_whole_frame_is_handed_through_as_it_is() -> None:
    stored = entry(100)
    assert whole(stored).frame() is stored.frame
    assert stored.frame in pack([whole(stored)], CURSOR)


def test_a_damaged_frame_counts_its_records_as_lost() -> None:
    damaged = Entry(RecordId(1, 3), 1, 3, 1, 2, 0, b"\x11damaged")
    for piece, seqs in ((whole(damaged), [1, 2, 3]), (Piece(damaged, 2, 1), [2])):
        _, records = unpack(pack([piece], CURSOR))
        found = orjson.loads(records)
        assert [record["seq"] for record in found] == seqs
        assert {record["kind"] for record in found} == {"lost"}


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xc1",
        b"\x90",
        b"\x91\xa1x",
        b"{}",
        pack([whole(entry(3))], CURSOR)[:-4],
        pack([whole(entry(3))], CURSOR) + b"x",
        b"\x92" + pack([], CURSOR)[1:] + b"\x94\xa31-1\x01\x00\xc4\x01x",
    ],
)
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(InvalidFrame, match="is not of"):
        unpack(message)
