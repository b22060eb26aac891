"""Lines become records: levels are guessed with care, JSON loggers are understood."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail.programs.line_record import (
    Recording,
    Stream,
    by_level,
    json_fields,
    level_of,
    plain_fields,
)
from runtail.programs.lines import Line
from runtail_broker.records.record import LEVELS


def as_json(**fields: object) -> dict[str, Any]:
    record = json_fields(orjson.dumps(fields).decode())
    assert record is not None
    return record


@pytest.mark.parametrize(
    "text",
    [
        "error: no such file",
        "ERROR something",
        "[ERROR] something",
        "2026-11-25 04:00:01,123 ERROR something",
        "2026-11-25T04:00:01.123Z [error] something",
        "\x1b[1;31merror\x1b[0m: expected `;`",
        "main.c:12:5: error: expected ';'",
        "gcc: fatal error: no input files",
        "npm ERR! code 1",
        "panic: runtime error",
        "Traceback (most recent call last):",
        "ValueError: x",
        "java.lang.IllegalStateException: x",
    ],
)
def test_what_begins_like_an_error_is_one(text: str) -> None:
    assert level_of(text) == "error"


@pytest.mark.parametrize(
    "text", ["warning: unused", "WARN  retry", "npm WARN old", "x.py:3: DeprecationWarning: old"]
)
def test_what_begins_like_a_warning_is_one(text: str) -> None:
    assert level_of(text) == "warning"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0 errors, 0 warnings",
        "Cloning into 'error'...",
        "errors.py compiled",
        "error-free",
        "  % Total    % Received",
        "no error was found",
        "100%|████| 10/10",
        "Terror: a film",
    ],
)
def test_progress_on_stderr_is_information(text: str) -> None:
    assert level_of(text) == "info"


@given(st.text(max_size=400))
def test_any_line_has_a_level(text: str) -> None:
    assert level_of(text) in LEVELS


@pytest.mark.parametrize(
    ("stream", "level"), [("stdout", "info"), ("stderr", "error"), ("pty", "error")]
)
def test_the_level_is_guessed_where_errors_may_be(stream: Stream, level: str) -> None:
    assert plain_fields(Line("error: x"), stream)["level"] == level


def test_a_plain_record_says_what_it_is_of_its_line() -> None:
    line = Line("x", partial=True, continues=True, length=900)
    assert plain_fields(line, "stdout") == {
        "level": "info",
        "message": "x",
        "stream": "stdout",
        "partial": True,
        "continues": True,
        "truncated": {"message": 900},
    }


TEXT = st.sampled_from(["error: x", "warning: x", "no errors", "fine"])


@given(
    st.lists(TEXT, min_size=1),
    st.sampled_from(["stdout", "stderr", "pty"]),
    st.sampled_from([None, "load"]),
)
def test_many_plain_lines_always_make_the_records_that_each_makes(
    texts: list[str], stream: Stream, step: str | None
) -> None:
    recording = Recording(step)
    fields = recording.fields(stream)
    made = [
        {"level": level, "message": text, **fields}
        for level, some in by_level(texts, stream)
        for text in some
    ]
    assert made == [recording.record(Line(text), stream) for text in texts]


def test_a_json_line_is_a_record_with_its_other_fields() -> None:
    record = Recording("load", as_json=True).record(
        Line('{"msg":"hi","level":"WARN","rows":3}'), "stdout"
    )
    assert record == {
        "level": "warning",
        "message": "hi",
        "rows": 3,
        "stream": "stdout",
        "step_name": "load",
    }


@pytest.mark.parametrize("text", ["[1]", "{", '{"a":', "{} x", "3", "plain", '{"a":"\\x"}'])
def test_what_is_no_json_object_is_a_plain_line(text: str) -> None:
    record = Recording(as_json=True).record(Line(text), "stdout")
    assert record == {"level": "info", "message": text, "stream": "stdout"}


def test_without_the_option_json_is_text() -> None:
    assert Recording().record(Line('{"msg":"hi"}'), "stdout")["message"] == '{"msg":"hi"}'


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"level": "INFO"}, "info"),
        ({"severity": "Critical"}, "error"),
        ({"lvl": "trace"}, "debug"),
        ({"levelname": "WARNING"}, "warning"),
        ({"level": 30}, "info"),
        ({"level": 60}, "error"),
    ],
)
def test_the_usual_names_of_levels_are_understood(fields: dict[str, object], level: str) -> None:
    assert as_json(**fields, msg="x") == {"level": level, "message": "x"}


def test_an_unknown_level_is_info_and_is_kept() -> None:
    assert as_json(level="loud", msg="x") == {
        "level": "info",
        "original_level": "loud",
        "message": "x",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-25T04:00:00Z", "2026-11-25T04:00:00Z"),
        ("2026-11-25T05:00:00.5+01:00", "2026-11-25T04:00:00.500000Z"),
        (1764043200, "2025-11-25T04:00:00Z"),
        (1764043200123, "2025-11-25T04:00:00.123000Z"),
        (1764043200123456, "2025-11-25T04:00:00.123456Z"),
    ],
)
def test_the_logger_s_own_time_is_the_records(value: object, expected: str) -> None:
    for name in ("time", "ts", "timestamp", "@timestamp"):
        assert as_json(msg="x", **{name: value})["timestamp"] == expected


@pytest.mark.parametrize("value", ["04:00", "2026-11-25T04:00:00", 3, None, [1], 1e30, True])
def test_a_time_that_says_too_little_stays_a_field(value: object) -> None:
    record = as_json(msg="x", timestamp=value)
    assert record == {"level": "info", "message": "x", "original_timestamp": value}


def test_a_record_without_a_message_shows_its_line() -> None:
    assert json_fields('{"rows": 3}') == {"level": "info", "message": '{"rows": 3}', "rows": 3}


def test_a_message_that_is_no_text_becomes_one() -> None:
    assert as_json(msg={"a": 1})["message"] == '{"a":1}'


@given(
    st.dictionaries(
        st.sampled_from(["msg", "level", "time", "x"]),
        st.from_type(type(None))
        | st.integers(-(2**63), 2**63)
        | st.floats()
        | st.text()
        | st.lists(st.integers(0, 9)),
    )
)
def test_any_json_object_becomes_a_record_of_a_known_level(fields: dict[str, object]) -> None:
    record = as_json(**fields)
    assert record["level"] in LEVELS
    assert isinstance(record["message"], str)
