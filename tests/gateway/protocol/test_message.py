"""Messages: nothing is lost between them, none is too large, and their frames are WebSocket's."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.protocol import CLIENT, Protocol

from runtail_broker.cursor import Cursor, RecordId, chain, start_of
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.rendering import render
from runtail_broker.records.splice import records_of
from runtail_gateway.protocol.message import LARGE_BYTES, Message, Packed, plain

EPOCH = 7


def entries_of(sizes: list[list[int]]) -> list[Entry]:
    """Make consecutive entries, one for each list, of records of about these sizes."""
    entries: list[Entry] = []
    seq, tag = 1, EPOCH
    for number, records in enumerate(sizes):
        place = RecordId(1000 + number, len(records) - 1)
        after = chain(tag, number, place)
        frame = encode_frame([orjson.dumps({"m": "x" * size}) for size in records])
        entries.append(Entry(place, seq, len(records), tag, after, 0, frame))
        seq, tag = seq + len(records), after
    return entries


SIZES = st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=6), min_size=1, max_size=6)


@given(sizes=SIZES, skip=st.integers(0, 5), max_bytes=st.integers(1, 1500))
def test_packing_keeps_every_record_within_the_size_and_chains_the_cursors(
    sizes: list[list[int]], skip: int, max_bytes: int
) -> None:
    entries = entries_of(sizes)
    skip = min(skip, entries[0].count - 1)
    before = entries[0].cursor_at(skip) if skip else start_of(EPOCH)
    parts = [(entry, render(entry), 0 if i else skip) for i, entry in enumerate(entries)]
    messages = list(Packed(before, parts, max_bytes))
    found = [record for message in messages for record in orjson.loads(message.json)["records"]]
    wanted = [line for _, text, skipped in parts for line in records_of(text)[skipped:]]
    assert found == [orjson.loads(line) for line in wanted]
    assert [message.before for message in messages] == [before, *(m.cursor for m in messages[:-1])]
    assert messages[-1].cursor == entries[-1].end
    for message in messages:
        records = orjson.loads(message.json)["records"]
        assert message.count == len(records)
        assert message.count == 1 or sum(len(line) for line in map(orjson.dumps, records)) <= (
            max_bytes
        )
        last = Cursor.parse(orjson.loads(message.json)["cursor"])
        assert last == message.cursor
        assert (records[-1]["id"], records[-1]["seq"]) == (str(last.id), last.seq)
        assert any(entry.holds(last) for entry in entries)


def test_packing_nothing_makes_no_message() -> None:
    assert list(Packed(start_of(EPOCH), [], 1000)) == []


def test_a_frame_that_holds_fewer_records_than_it_says_becomes_lost_ones() -> None:
    (entry,) = entries_of([[1, 1, 1]])
    short = Entry(
        entry.id, entry.seq, 3, entry.before, entry.tag, 0, encode_frame([b'{"only":"one"}'])
    )
    rendered = [orjson.loads(line) for line in records_of(render(short))]
    assert [(record["kind"], record["seq"]) for record in rendered] == [
        ("lost", 1),
        ("lost", 2),
        ("lost", 3),
    ]
    assert "expected 3" in rendered[0]["reason"]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_frame_is_what_a_websocket_client_reads(length: int) -> None:
    text = b"x" * length
    client = Protocol(CLIENT, max_size=None)
    message = Message((text,))
    whole = b"".join((message.head, *message.parts))
    assert message.frame == (whole if len(text) < LARGE_BYTES else None)
    client.receive_data(whole)
    (frame,) = client.events_received()
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, text)  # type: ignore[union-attr]


def test_a_plain_message_holds_no_records_and_moves_no_cursor() -> None:
    message = plain("beat", {"quiet_ms": 5})
    assert orjson.loads(message.text) == {"type": "beat", "quiet_ms": 5}
    assert (message.count, message.before, message.cursor) == (0, None, None)
