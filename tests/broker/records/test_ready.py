"""Logs that are JSON already: taken as they are when they can be, else encoded anew."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.errors import InvalidRecord
from runtail_broker.records.ready import encode_ready
from runtail_broker.records.record import LEVELS, MAX_RECORD_BYTES, Record

RUN = "run-1"
NOW = "2026-01-01T00:00:00Z"


def read(record: Record) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(record.json)
    return value


def test_a_ready_record_is_taken_as_it_is() -> None:
    ready = orjson.dumps(
        {"execution_id": RUN, "level": "error", "timestamp": NOW, "message": "m", "own": 1}
    )
    assert encode_ready(RUN, ready) == Record(ready, 3)


@pytest.mark.parametrize(
    "change",
    [{"execution_id": "other"}, {"level": None}, {"timestamp": None}, {"message": "x" * 70_000}],
)
def test_a_ready_record_that_lacks_something_is_encoded_anew(change: dict[str, Any]) -> None:
    whole = {"execution_id": RUN, "level": "debug", "timestamp": NOW, "message": "m"} | change
    fields = {k: v for k, v in whole.items() if v is not None}
    record = encode_ready(RUN, orjson.dumps(fields))
    told = read(record)
    assert told["execution_id"] == RUN
    assert told["level"] in LEVELS
    assert told["timestamp"]
    assert len(record.json) <= MAX_RECORD_BYTES


@pytest.mark.parametrize("ready", [b"", b"{", b"nonsense", b'{"a":NaN}', b"\xff", b"[" * 3000])
def test_what_is_no_json_is_refused_naming_the_text(ready: bytes) -> None:
    with pytest.raises(InvalidRecord, match="is not JSON") as caught:
        encode_ready(RUN, ready)
    assert caught.value.text == ready[:200].decode(errors="backslashreplace")


@pytest.mark.parametrize("ready", [b"1", b"null", b'"text"', b'[{"message":"m"}]'])
def test_json_that_is_no_object_is_refused_naming_the_text(ready: bytes) -> None:
    with pytest.raises(InvalidRecord, match="expected an object") as caught:
        encode_ready(RUN, ready)
    assert caught.value.text == ready.decode()


@pytest.mark.parametrize("space", [b" %b", b"%b ", b"%b\n", b"\n%b"])
def test_space_around_a_ready_record_does_no_harm(space: bytes) -> None:
    ready = orjson.dumps({"execution_id": RUN, "level": "info", "timestamp": NOW})
    record = encode_ready(RUN, space % ready)
    assert orjson.loads(record.json)["level"] == "info"
    assert b"\n" not in record.json


@given(st.binary(max_size=200))
def test_any_bytes_are_a_ready_record_or_an_invalid_one(ready: bytes) -> None:
    try:
        record = encode_ready(RUN, ready)
    except InvalidRecord:
        return
    assert read(record)["execution_id"] == RUN
