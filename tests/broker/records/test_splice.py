"""Ids and seqs of records: always their own, whatever the records hold."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.cursor import RecordId
from runtail_broker.errors import InvalidFrame
from runtail_broker.records.frame import encode_frame, lines_of
from runtail_broker.records.ready import encode_ready
from runtail_broker.records.splice import records_of, splice

RUN = "run-1"


def spliced(records: list[bytes], last: RecordId, first_seq: int) -> list[bytes]:
    """Send *records* through a frame and out again, as viewers get them."""
    lines = lines_of(encode_frame(records))
    return records_of(splice(lines, len(records), last, first_seq))


HOSTILE = '{"level":"info","execution_id":"run-1","timestamp":"","\\u0069d":"mine","se\\u0071":-1}'
json_values = st.recursive(
    st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.text() | st.sampled_from(["id", "seq", "kind", "level", "execution_id", "timestamp"])


@given(
    st.lists(st.dictionaries(names, json_values, min_size=1, max_size=6), min_size=1, max_size=9),
    st.integers(0, 10**15),
    st.integers(0, 10**9),
    st.integers(1, 10**12),
)
def test_spliced_records_always_have_their_own_id_and_seq(
    many: list[dict[str, Any]], ms: int, n: int, first: int
) -> None:
    records = [
        encode_ready(RUN, orjson.dumps({"level": "info", **f, "level_": 0} | {"level": "info"}))
        for f in many
    ]
    last = RecordId(ms, n + len(records) - 1)
    for i, line in enumerate(spliced([r.json for r in records], last, first)):
        for loads in (json.loads, orjson.loads):
            assert loads(line)["id"] == f"{ms}-{n + i}"
            assert loads(line)["seq"] == first + i


def test_a_field_name_in_escapes_overrides_nothing() -> None:
    record = encode_ready(RUN, HOSTILE.encode())
    (line,) = spliced([record.json], RecordId(4, 5), 6)
    fields = orjson.loads(line)
    assert (fields["id"], fields["seq"], fields["id_"], fields["seq_"]) == ("4-5", 6, "mine", -1)


@pytest.mark.parametrize("many", [1, 20])
@pytest.mark.parametrize("text", ["100 %", "%d %s %(id)s", "%%", "},\\n{"])
def test_what_looks_like_a_template_or_a_separator_stays_as_it_is(text: str, many: int) -> None:
    lines = spliced([orjson.dumps({"message": text})] * many, RecordId(7, 19), 1)
    assert [orjson.loads(line)["message"] for line in lines] == [text] * many


def test_a_line_break_between_the_tokens_of_a_record_makes_no_second_record() -> None:
    pretty = orjson.dumps({"message": "x" * 700, "data": [1, 2]}, option=orjson.OPT_INDENT_2)
    lines = spliced([pretty, pretty], RecordId(7, 1), 1)
    assert [orjson.loads(line)["seq"] for line in lines] == [1, 2]


@pytest.mark.parametrize("count", [1, 3])
def test_lines_that_are_not_as_many_as_they_should_be_are_refused(count: int) -> None:
    with pytest.raises(InvalidFrame, match=f"frame holds 2 records, expected {count}"):
        splice(b'{"a":1\n{"a":2', count, RecordId(7, 9), 1)
