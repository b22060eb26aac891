"""What workers say over HTTP comes out as it went in, and nothing else comes out at all."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.cursor import Cursor, RecordId
from runtail_broker.errors import EngineRefused, Unavailable
from runtail_broker.records.spoken import (
    Beat,
    Bounds,
    Close,
    Finish,
    Open,
    Primary,
    Publish,
    Said,
    Spoken,
    Unspoken,
    body_of,
    pack,
    pack_answers,
    spoken,
    unpack,
    unpack_answers,
)
from runtail_broker.script import (
    Answer,
    Batch,
    Call,
    Limits,
    beat_call,
    cancel_call,
    close_call,
    finish_call,
    open_call,
    publish_call,
)

BATCH = Batch(3, 20, 2, 4711, 0, (0, 2, 0, 0), 60, 0, "", b"\x10frame")
BOUNDS = Bounds(1024, 5, 4096, 8, 8192)
SAID: list[tuple[Call, Spoken]] = [
    (
        open_call("e", "p", "owner", "wf", Limits(), "2026-01-01T00:00:00Z"),
        Open("e", "p", "owner", "wf", "2026-01-01T00:00:00Z"),
    ),
    (publish_call("e", "p", BATCH), Publish("e", "p", 3, 20, 4711, 2, None, "", b"\x10frame")),
    (
        publish_call("e", "p", replace(BATCH, marks=1)),
        Publish("e", "p", 3, 20, 4711, 2, None, "", b"\x10frame", 1),
    ),
    (
        publish_call("e", "p", replace(BATCH, stands_for=9, marks=1)),
        Publish("e", "p", 3, 20, 4711, 2, None, "", b"\x10frame"),  # the frame says it
    ),
    (
        publish_call("e", "p", BATCH, 0, 'said "so"'),
        Publish("e", "p", 3, 20, 4711, 2, 0, 'said "so"', b"\x10frame"),
    ),
    (
        open_call("e", "p", "owner", "wf", Limits(), "2026-01-01T00:00:00Z", listens=True),
        Open("e", "p", "owner", "wf", "2026-01-01T00:00:00Z", True),
    ),
    (beat_call("e", "p", 7, 9), Beat("e", "p", 7, 9)),
    (beat_call("e", "p", 7, 9, listens=True), Beat("e", "p", 7, 9, True)),
    (
        close_call("e", "p", 7, "failed", "why", explicit=True),
        Close("e", "p", 7, "failed", "why", True),
    ),
    (close_call("e", "p", 7), Close("e", "p", 7, "", "", False)),
    (finish_call("e"), Finish("e")),
]


@pytest.mark.parametrize(("call", "said"), SAID)
def test_a_call_is_said_whole(call: Call, said: Spoken) -> None:
    assert spoken(call) == said


def test_a_script_that_no_worker_calls_is_not_said() -> None:
    with pytest.raises(ValueError, match="'cancel' is not called over HTTP"):
        spoken(cancel_call("e"))


def test_a_body_comes_out_as_it_went_in() -> None:
    said = [each for _, each in SAID] + [Primary("e")]
    assert unpack(body_of([pack(each) for each in said]), 99) == said


def test_who_does_not_listen_says_what_earlier_versions_say() -> None:
    assert msgpack.unpackb(pack(Beat("e", "p", 7, 9))) == ["beat", "e", "p", 7, 9]
    assert msgpack.unpackb(pack(Beat("e", "p", 7, 9, True))) == ["beat", "e", "p", 7, 9, True]


def test_a_body_of_more_calls_than_allowed_is_refused() -> None:
    packed = [pack(Finish("e"))] * 12
    assert len(unpack(body_of(packed), 12)) == 12
    with pytest.raises(Unspoken):
        unpack(body_of(packed), 11)


@pytest.mark.parametrize(
    "row",
    [
        ["open", "e", "p", "owner", "wf"],
        ["open", "e", "p", "owner", "wf", 7],
        ["beat", "e", "p", True, 1],
        ["beat", "e", "p", 1, 1, 1],
        ["beat", "e", "p", 1, 1, True, True],
        ["beat", "e", "p", 1.5, 1],
        ["publish", "e", "p", 1, 0, 0, 1, "0", "", b""],
        ["close", "e", "p", 1, "", "", 1],
        ["give_up", "e"],
        [["open"], "e"],
        [],
        "finish",
        7,
    ],
)
def test_a_row_of_another_shape_is_refused(row: object) -> None:
    with pytest.raises(Unspoken):
        unpack(msgpack.packb([row]), 99)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_one_way_only(body: bytes) -> None:
    for read in (lambda: unpack(body, 10), lambda: unpack_answers(body)):
        with contextlib.suppress(Unspoken):
            read()


def test_arrays_that_claim_to_be_huge_are_refused() -> None:
    with pytest.raises(Unspoken):
        unpack(b"\xdd\x7f\xff\xff\xff" * 1000, 512)


def test_answers_come_out_as_they_went_in() -> None:
    last = Cursor(RecordId(2**42, 7), 12, 0xDEADBEEF)
    answers: list[Said] = [Answer("stored", 3, last, True, "running", 5), "a server"]
    assert unpack_answers(pack_answers(answers, BOUNDS)) == (answers, BOUNDS)


def test_errors_keep_whether_trying_again_helps() -> None:
    packed = pack_answers([Unavailable("away"), EngineRefused("no")], BOUNDS)
    away, refused = unpack_answers(packed)[0]
    assert (type(away), str(away)) == (Unavailable, "away")
    assert (type(refused), str(refused)) == (EngineRefused, "no")


def test_a_text_with_half_a_character_is_said_readably() -> None:
    (said,) = unpack(body_of([pack(Close("e", "p", 1, "failed", "odd \ud800", False))]), 1)
    assert isinstance(said, Close)
    assert said.reason == "odd \\ud800"
