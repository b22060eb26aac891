"""What a live filter lets through, and what it counts."""

from __future__ import annotations

import orjson
import pytest

from runtail_broker.cursor import Cursor, RecordId
from runtail_broker.records.entry import Entry
from runtail_broker.records.frames_message import Piece
from runtail_gateway.protocol.message import Message, records
from runtail_gateway.protocol.problem import BadRequest
from runtail_gateway.viewers.sieve import Loose, Sieve, Sifted

ERRORS = Sieve(levels=frozenset({"error"}))
LOAD = Sieve(steps=frozenset({"load"}))


def at(seq: int) -> Cursor:
    return Cursor(RecordId(1, seq), seq, 7)


def message(*lines: bytes, first: int = 1) -> Message:
    count, last = len(lines), at(first + len(lines) - 1)
    entry = Entry(last.id, first, count, 7, 7, 0, b"")
    return records(list(lines), [Piece(entry, first, count)], at(first - 1), last)


def log(level: str, step: str | None = None) -> bytes:
    return orjson.dumps({"level": level} | ({"step_name": step} if step else {}))


@pytest.mark.parametrize("kind", ["status", "lost", "end"])
def test_what_tells_how_the_execution_stands_passes_every_filter(kind: str) -> None:
    record = {"kind": kind, "step_name": "another"}
    assert ERRORS.passes(record)
    assert LOAD.passes(record)


def test_a_level_chooses_among_logs_only() -> None:
    assert ERRORS.passes({"level": "error"})
    assert not ERRORS.passes({"level": "info"})
    assert not ERRORS.passes({})
    assert ERRORS.passes({"kind": "progress"})


def test_a_step_leaves_out_what_names_another_and_logs_that_name_none() -> None:
    assert LOAD.passes({"step_name": "load", "level": "debug"})
    assert not LOAD.passes({"step_name": "save"})
    assert not LOAD.passes({"level": "error"})
    assert LOAD.passes({"kind": "progress"})
    assert not LOAD.passes({"kind": "step", "step_name": "save"})


def test_what_is_no_text_is_no_level_and_no_step() -> None:
    assert not ERRORS.passes({"level": ["error"]})
    assert not LOAD.passes({"step_name": {"load": 1}})


def test_a_log_must_satisfy_both() -> None:
    both = Sieve(frozenset({"error"}), frozenset({"load"}))
    assert both.passes({"level": "error", "step_name": "load"})
    assert not both.passes({"level": "error", "step_name": "save"})
    assert not both.passes({"level": "info", "step_name": "load"})


def test_a_sifted_message_leads_as_far_and_counts_what_is_missing() -> None:
    whole = message(log("info"), log("error"), log("debug"))
    sifted = Sifted.of(Loose(whole), ERRORS)
    read = orjson.loads(sifted.json)
    assert read == {
        "type": "records",
        "records": [{"level": "error"}],
        "cursor": str(at(3)),
        "omitted": 2,
    }
    assert (sifted.before, sifted.cursor, sifted.count) == (at(0), at(3), 1)


def test_a_message_behind_one_in_which_nothing_passed_counts_both() -> None:
    empty = Sifted.of(Loose(message(log("info"), log("info"))), ERRORS)
    assert (empty.count, orjson.loads(empty.json)["records"]) == (0, [])
    later = Sifted.of(Loose(message(log("error"), log("info"), first=3)), ERRORS).behind(empty)
    assert (later.before, later.cursor, later.omitted, later.count) == (at(0), at(4), 3, 1)
    assert orjson.loads(later.json)["omitted"] == 3


@pytest.mark.parametrize("line", [b"{damaged", b"[]", b"7"])
def test_what_cannot_be_read_is_hidden_from_nobody(line: bytes) -> None:
    assert Sifted.of(Loose(message(line)), ERRORS).count == 1


def test_a_level_that_is_none_is_refused_with_its_name() -> None:
    with pytest.raises(BadRequest, match="level is 'loud', expected one of"):
        Sieve.parse(["loud"], [])
    assert not Sieve.parse([], [])
