"""Encoding what a worker publishes: whatever it is, once, within its limit."""

from __future__ import annotations

import enum
import json
import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import orjson
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtail_broker.errors import InvalidRecord
from runtail_broker.records.ready import encode_ready
from runtail_broker.records.record import (
    LEVELS,
    MAX_RECORD_BYTES,
    Record,
    cut,
    encode,
    encode_plain,
)
from runtail_broker.records.standin import stand_in

RUN = "run-1"
NOW = "2026-01-01T00:00:00Z"


def read(record: Record) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(record.json)
    return value


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def cycle() -> dict[str, Any]:
    value: dict[str, Any] = {"x": 1}
    value["self"] = value
    return value


class Evil:
    """Whose every word raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = object.__hash__


class Colour(enum.Enum):
    RED = object()


class OddZone(tzinfo):
    """A zone that knows no offset, as orjson refuses it."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        raise RuntimeError("no")

    dst = utcoffset

    def tzname(self, moment: datetime | None) -> str:
        raise RuntimeError("no")


def test_a_log_names_its_execution_level_and_time() -> None:
    record = encode(RUN, {"message": "hi"})
    fields = read(record)
    assert (fields["execution_id"], fields["level"], fields["message"]) == (RUN, "info", "hi")
    assert fields["timestamp"].endswith("Z")
    assert abs(datetime.fromisoformat(fields["timestamp"]) - datetime.now(UTC)) < timedelta(hours=1)


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_told_as_its_number(level: str) -> None:
    assert encode(RUN, {"message": "", "level": level}).level == LEVELS.index(level)


@pytest.mark.parametrize("level", ["INFO", "", None, 3, [], {}, Evil()])
def test_a_level_that_is_none_is_refused(level: object) -> None:
    with pytest.raises(InvalidRecord, match="level"):
        encode(RUN, {"message": "hi", "level": level})


def test_another_kind_has_no_level() -> None:
    record = encode(RUN, {"value": 1}, kind="metric")
    assert record.level is None
    assert read(record)["kind"] == "metric"


@pytest.mark.parametrize("name", ["id", "seq", "kind"])
def test_a_workers_own_field_of_runtails_name_is_renamed(name: str) -> None:
    fields = read(encode(RUN, {"message": "hi", name: "mine"}))
    assert fields[f"{name}_"] == "mine"
    assert name not in fields
    ready = orjson.dumps({"message": "hi", name: "mine", "level": "info", "timestamp": NOW})
    assert read(encode_ready(RUN, ready))[f"{name}_"] == "mine"


def test_a_renamed_field_takes_no_other_fields_place() -> None:
    fields = read(encode(RUN, {"id": 1, "id_": 2, "seq_": 3, "seq": 4}))
    assert sorted(v for k, v in fields.items() if k.startswith(("id_", "seq_"))) == [1, 2, 3, 4]


def test_another_execution_id_is_the_workers_own_field() -> None:
    fields = read(encode(RUN, {"execution_id": "other", "message": ""}))
    assert (fields["execution_id"], fields["execution_id_"]) == (RUN, "other")
    assert "execution_id_" not in read(encode(RUN, {"execution_id": RUN, "message": ""}))


def test_a_time_that_was_given_is_kept() -> None:
    assert read(encode(RUN, {"timestamp": NOW}))["timestamp"] == NOW


@pytest.mark.parametrize("fields", [{}])
def test_an_empty_record_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecord, match="is empty"):
        encode(RUN, fields)
    with pytest.raises(InvalidRecord, match="is empty"):
        encode_ready(RUN, b"{}")


HARD = {
    "nan": float("nan"),
    "infinity": float("inf"),
    "set": {1, "a", None},
    "set of surrogates": {"\ud800"},
    "set of evil": {Evil()},
    "bytes": b"\xff\xfe",
    "surrogate": "a\ud800b",
    "huge int": 10**400,
    "larger int": 10**100_000,
    "beyond 64 bits": [2**64, -(2**63) - 1],
    "cycle": cycle(),
    "deep": nested(5000),
    "deep enough for orjson": nested(200),
    "evil": Evil(),
    "enum": Colour.RED,
    "odd keys": {(1, 2): 1, None: 2, 3.5: 3, "\udfff": 4},
    "odd zone": datetime(2026, 1, 1, tzinfo=OddZone()),
    "time with a zone": datetime(2026, 1, 1, tzinfo=UTC).timetz(),
    "class": Evil,
    "generator": (i for i in range(3)),
    "mix": {"a": [float("nan"), {"\ud800": b"x"}, 10**30, Evil()]},
}


@pytest.mark.parametrize("name", HARD)
def test_what_json_cannot_hold_becomes_a_stand_in(name: str) -> None:
    fields = read(encode(RUN, {"message": "m", "input_data": HARD[name]}))
    assert fields["message"] == "m"
    assert "input_data" in fields


def test_dates_and_times_are_told_in_iso_form() -> None:
    zoned = datetime(2026, 1, 2, 4, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    told = {"at": zoned, "day": zoned.date(), "clock": zoned.time()}
    fields = read(encode(RUN, {"input_data": told}))
    assert fields["input_data"] == {
        "at": "2026-01-02T03:04:05Z",
        "day": "2026-01-02",
        "clock": "04:04:05",
    }


@pytest.mark.parametrize("name", ["\ud800", 7, None, (1, 2)])
def test_a_field_may_have_any_name(name: Any) -> None:
    assert "m" in read(encode(RUN, {name: "m"})).values()


def test_an_execution_id_that_raises_when_compared_does_no_harm() -> None:
    assert read(encode(RUN, {"execution_id": Evil(), "message": "m"}))["message"] == "m"


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.sets(st.integers() | st.text()),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), anything, max_size=8), st.sampled_from(["log", "metric"]))
def test_any_fields_are_a_record_or_an_invalid_one(fields: dict[str, Any], kind: str) -> None:
    try:
        record = encode(RUN, fields, kind=kind)
    except InvalidRecord:
        assert not fields or (kind == "log" and fields.get("level", "info") not in LEVELS)
        return
    assert read(record)["execution_id"] == RUN
    assert len(record.json) <= MAX_RECORD_BYTES


@given(st.text(min_size=1), st.integers(600, 4000), st.integers(1, 400))
def test_a_record_over_its_limit_always_fits_after_the_cut(
    text: str, limit: int, times: int
) -> None:
    long = text * (times * 20)
    fields = read_within({"message": long, "step_name": "build"}, limit)
    assert fields["step_name"] == "build"
    if fields["message"] != long:
        told = fields["truncated"]["message"]
        assert told == len(long.encode())
        head, _, tail = fields["message"].partition(" … [")
        assert long.startswith(head)
        assert long.endswith(tail.partition(" bytes cut] … ")[2])


@given(st.dictionaries(st.text(min_size=1, max_size=20), anything, min_size=1), st.integers(1, 800))
@settings(max_examples=50)
def test_a_cut_record_fits_or_is_refused(fields: dict[str, Any], limit: int) -> None:
    try:
        json_bytes = cut(fields, limit)
    except InvalidRecord:
        return
    assert len(json_bytes) <= limit
    json.loads(json_bytes)


def read_within(fields: dict[str, Any], limit: int) -> dict[str, Any]:
    record = encode(RUN, fields, max_bytes=limit)
    assert len(record.json) <= limit
    return read(record)


@pytest.mark.parametrize("text", ["é" * 40_000, "🙂" * 30_000, "\x00" * 30_000, "a\ud800" * 30_000])
def test_a_cut_keeps_whole_characters_at_head_and_tail(text: str) -> None:
    fields = read_within({"message": text}, 5000)
    assert "\ufffd" not in fields["message"]
    assert len(fields["message"]) > 500
    assert fields["message"][0] in (text[0], "\\")
    assert "bytes cut] … " in fields["message"]


def test_a_large_field_is_cut_and_small_ones_stay_as_they_are() -> None:
    fields = read_within({"message": "m", "output_data": {"rows": list(range(50_000))}}, 8000)
    assert fields["message"] == "m"
    assert fields["truncated"]["output_data"] == len(orjson.dumps({"rows": list(range(50_000))}))
    assert fields["output_data"].startswith('{"rows":[0,1,2')


def test_a_record_of_too_many_fields_is_refused_soon() -> None:
    begun = time.thread_time()
    with pytest.raises(InvalidRecord, match="fields"):
        encode(RUN, {f"field-{i}": i for i in range(20_000)})
    assert time.thread_time() - begun < 2


class NoMask:
    """Masks nothing, but for one word."""

    stand_in = staticmethod(stand_in)

    def __call__(self, json: bytes) -> bytes:
        return json.replace(b"hunter22", b"***")


def plain(fields: dict[str, Any], level: str = "info", limit: int = 1000) -> Record | None:
    return encode_plain(RUN, level, fields, limit, NoMask())


@given(
    st.dictionaries(
        st.text(max_size=3) | st.sampled_from(["message", "id", "kind", "level", "timestamp"]),
        st.none()
        | st.floats()
        | st.text(max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.integers(), st.floats() | st.none()),
        max_size=5,
    ),
    st.sampled_from(LEVELS),
)
def test_a_plain_record_is_always_what_any_record_would_be(
    fields: dict[str, Any], level: str
) -> None:
    record = plain(fields, level)
    if record is None:
        return
    usual = encode(RUN, {"level": level, **fields})
    assert read(record) | {"timestamp": NOW} == read(usual) | {"timestamp": NOW}
    assert (record.level, list(read(record))) == (usual.level, list(read(usual)))


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "m", "input_data": {"a": None, "b": [1.5, True]}},
        {"message": Evil()},
        {"message": datetime.now(UTC), "path": {1.5}},
    ],
)
def test_a_usual_record_is_plain(fields: dict[str, Any]) -> None:
    record = plain(fields)
    assert record is not None
    told, usual = read(record), read(encode(RUN, fields))
    assert told | {"timestamp": ""} == usual | {"timestamp": ""}
    assert abs(datetime.fromisoformat(told["timestamp"]) - datetime.now(UTC)) < timedelta(hours=1)


@pytest.mark.parametrize(
    "fields",
    [
        *({name: "x"} for name in ("id", "seq", "kind", "execution_id", "level", "timestamp")),
        {"step_name": None},
        {"n": float("nan")},
        {"data": {1: 2}},
        {"n": 1 << 70},
        {"message": "\ud800"},
        {"message": "x" * 1000},
    ],
)
def test_what_needs_a_closer_look_is_not_plain(fields: dict[str, Any]) -> None:
    assert plain({"message": "m"} | fields) is None


def test_a_level_that_is_none_is_not_plain() -> None:
    assert plain({"message": "m"}, "loud") is None


def test_a_plain_record_is_masked() -> None:
    record = plain({"message": "m", "password": "hunter22"})
    assert record is not None
    assert read(record)["password"] == "***"


def test_records_that_wait_take_little_more_memory_than_their_bytes() -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    waiting = [encode(RUN, {"message": "row transformed", "n": n}).json for n in range(10_000)]
    grown = process.memory_info().rss - before
    assert grown < 8 * sum(map(len, waiting))
