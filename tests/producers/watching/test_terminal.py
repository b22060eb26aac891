"""What reaches a terminal, and what must not."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.producers.fake_gateway import log

from runtail.watching.terminal import Layout, clock, json_line, lines_of, notice, visible
from runtail.watching.viewer_event import (
    Awaited,
    Broken,
    Ended,
    Event,
    Gap,
    Records,
    Reset,
    Resumed,
    Workers,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too
TRICKY = (
    "\x00\x07\x08\r\x1b\x7f\x80\x85\x9b\x9f\u061c\u200b\u200d\u200e\u2028\u2029\u202e\u2066\ufeff"
)
FIELDS = [*sorted(log(1)), "kind", "status", "progress", "error_message", "input_data"]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


def is_safe(text: str) -> bool:
    """Nothing that a terminal obeys, reorders by or breaks a line at, and UTF-8 can carry it."""
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN"}
    unsafe = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return not any(
        (unicodedata.category(c) in unsafe and c not in ALLOWED_FORMATS)
        or unicodedata.bidirectional(c) in bidi - {"BN"}
        for c in text
    )


# Format characters that show (number signs of Arabic, Syriac, Kaithi) or have no effect on a line
# of a terminal (hieroglyph and shorthand layout).
ALLOWED_FORMATS = {
    *map(chr, range(0x600, 0x606)),
    *"\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd",
    *map(chr, range(0x13430, 0x13440)),
    *map(chr, range(0x1BCA0, 0x1BCA4)),
}


def laid_out(*records: dict[str, Any], colored: bool = False) -> list[str]:
    return Layout(colored).lines(Records(list(records)))


@given(ANY_TEXT)
def test_visible_text_is_always_safe_and_one_line(text: str) -> None:
    shown = visible(text)
    assert is_safe(shown)
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize("character", TRICKY)
def test_each_tricky_character_is_spelled(character: str) -> None:
    spelled = visible(f"a{character}b")
    assert re.fullmatch(r"a\\(x[0-9a-f]{2}|u[0-9a-f]{4})b", spelled)


def test_a_lone_surrogate_is_spelled() -> None:
    assert visible("a\ud800b") == r"a\ud800b"


def test_ordinary_text_of_all_scripts_is_left_alone() -> None:
    text = "Größe 漢字 עברית हिन्दी 🚀 ─│ \\x1b"
    assert visible(text) == text


def test_text_is_split_at_line_ends_and_tabs_become_spaces() -> None:
    assert lines_of("a\tb\r\nc\n\nd\n") == ["a   b", "c", "", "d"]


def test_a_bare_carriage_return_cannot_overwrite_the_line() -> None:
    assert lines_of("fine\rgone") == [r"fine\x0dgone"]


@given(JSON_VALUES)
def test_a_json_line_always_parses_to_what_was_given(value: object) -> None:
    line = json_line({"message": value})
    assert json.loads(line) == {"message": value}
    assert is_safe(line)


def test_a_json_line_keeps_integers_beyond_64_bits() -> None:
    assert json_line({"n": 2**70}) == f'{{"n":{2**70}}}'


@given(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES))
def test_a_record_of_any_shape_is_always_laid_out_safely(fields: dict[str, Any]) -> None:
    for line in laid_out({"seq": 1} | fields):
        assert is_safe(line)


@given(ANY_TEXT)
def test_an_event_of_any_text_is_always_told_safely(text: str) -> None:
    events: list[Event] = [Gap(1, 3, 1, text), Reset(1, text), Broken(text)]
    events.append(Ended(text, {"last": text}, 1))
    assert all(is_safe(notice(event)) for event in events)


def test_a_line_shows_number_time_level_step_and_message() -> None:
    (line,) = laid_out(log(7, "rows read"))
    assert re.fullmatch(r" +7 \d\d:\d\d:\d\d\.250 info     extract rows read", line)


def test_a_message_of_several_lines_is_indented_below_its_first() -> None:
    first, second = laid_out(log(7, "one\ntwo"))
    assert second.index("two") == first.index("one") + 2


def test_the_error_and_the_data_follow_on_lines_of_their_own() -> None:
    record = log(1, "m", error_message="E: no\n at x", input_data={"a": 1}, output_data=[2])
    follow_up = [line.strip() for line in laid_out(record)[1:]]
    assert follow_up == ["E: no", "at x", 'in: {"a":1}', "out: [2]"]


def test_falsy_data_is_shown_and_absent_data_is_not() -> None:
    lines = laid_out(log(1, "m", input_data=0, output_data=None))
    assert [line.strip() for line in lines[1:]] == ["in: 0"]


def test_the_duration_stands_behind_the_message() -> None:
    (line,) = laid_out(log(1, "done", duration_ms=12.5))
    assert line.endswith("done (12.5 ms)")


def test_a_long_step_name_is_cut() -> None:
    (line,) = laid_out(log(1, "m", step_name="s" * 50))
    assert f"{'s' * 19}… m" in line


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": "status", "status": "failed", "reason": "worker lost"}, "failed: worker lost"),
        ({"kind": "lost", "lost": 3, "reason": "buffer full"}, "3 lines lost: buffer full"),
        ({"kind": "progress", "progress": 40}, "40 %"),
        ({"kind": "end", "status": "completed", "totals": {}}, "completed"),
        (
            {"kind": "progress", "progress": 40, "name": "rows", "done": 4, "total": 10},
            "rows 40 % (4 of 10)",
        ),
        ({"kind": "metric", "name": "rows", "value": 3, "unit": "MB"}, "rows = 3 MB"),
        ({"kind": "link", "name": "report", "url": "https://x/r"}, "report: https://x/r"),
        (
            {"kind": "plan", "steps": [{"name": "a"}, {"name": "b"}], "note": "odd"},
            "plan: a, b (odd)",
        ),
        ({"kind": "plan", "steps": "no list"}, "plan: "),
        ({"kind": "step", "status": "running"}, "started"),
        ({"kind": "step", "status": "completed", "duration_ms": 12.5}, "completed (12.5 ms)"),
        (
            {"kind": "step", "status": "retried", "attempt": 1, "attempts": 3, "reason": "busy"},
            "retried (attempt 1 of 3): busy",
        ),
        ({"kind": "unheard", "own": 3}, '{"own":3}'),
    ],
)
def test_records_of_other_kinds_stand_out(fields: dict[str, Any], expected: str) -> None:
    (line,) = laid_out({"seq": 1} | fields)
    assert line.partition("● ")[2] == expected.rstrip()


def test_progress_is_shown_when_it_moved_by_a_whole_percent() -> None:
    steps = (0, 0.4, 0.9, 1.0, 1.5, None, None, 99.6, 100, 100)
    lines = laid_out(*(log(i, kind="progress", progress=p) for i, p in enumerate(steps)))
    shown = [line.partition("● ")[2] for line in lines]
    assert shown == ["0 %", "1.0 %", "unknown", "99.6 %", "100 %"]


def test_progress_beyond_all_measure_is_laid_out() -> None:
    lines = laid_out(*(log(1, kind="progress", progress=p) for p in (10**400, 0)))
    assert len(lines) == 2


def test_without_colour_there_is_no_escape() -> None:
    assert "\x1b" not in "".join(laid_out(log(1, level="error", message="\x1b[31mred")))


def test_with_colour_only_the_layouts_own_escapes_are_there() -> None:
    (line,) = laid_out(log(1, level="error", message="\x1b[2J"), colored=True)
    assert set(re.findall("\x1b\\[[0-9;]*.", line)) == {"\x1b[2m", "\x1b[31m", "\x1b[0m"}
    assert r"\x1b[2J" in line


def test_a_time_is_shown_in_the_local_zone() -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.007", clock("2026-11-24T12:00:00.007999Z"))


@pytest.mark.parametrize("text", ["yesterday", "", None, "0001-01-01T00:00:00+14:00", "\x1b[2J"])
def test_what_is_no_time_takes_the_same_width(text: str | None) -> None:
    shown = clock(text)
    assert len(shown) == 12
    assert is_safe(shown)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Gap(6, 9, 2, "trimmed"), "--- 2 lines are missing between lines 6 and 9 (trimmed) ---"),
        (
            Gap(None, 9, None, "x"),
            "--- an unknown number of lines are missing before line 9 (x) ---",
        ),
        (
            Reset(9, "failover"),
            "--- from line 10 on the history changed (failover); what follows replaces it ---",
        ),
        (Ended("completed", {"last": 12}, 1), "--- completed: 12 lines, complete ---"),
        (Ended("failed", {"last": 12}, 5), "--- failed: 12 lines, complete from line 5 ---"),
        (
            Ended("failed", {"last": 12, "dropped": 2}, None),
            "--- failed: 12 lines, some are missing, 2 dropped by workers ---",
        ),
        (Awaited(), "the execution does not exist yet; waiting for its first line"),
        (Resumed(3), "connected again"),
        (Workers(3, 1), "1 of 3 workers silent"),
        (Workers(3, 0), "all workers are heard again"),
    ],
)
def test_each_event_is_told_in_one_line(event: Event, expected: str) -> None:
    assert notice(event) == expected
