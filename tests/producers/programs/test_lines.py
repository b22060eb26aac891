"""Bytes become lines: however they are split, with redraws folded, partial lines shown early."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail.programs.lines import Line, Lines, LineSettings

SMALL = LineSettings(max_line_bytes=256)
# pieces that are more telling than random bytes
PIECES = st.sampled_from(
    [
        b"a",
        b"word ",
        b" ",
        b"\n",
        b"\r",
        b"\r\n",
        "äß€😀".encode(),
        b"\xff",
        b"\xe2\x82",
        b"\x00",
        b"\x1b[31m",
        b"\x1b[K",
        b"\x08",
        b"x" * 200,
        b"{",
    ]
)
BYTES = st.lists(PIECES | st.binary(max_size=5), max_size=40).map(b"".join)


def fed(chunks: list[bytes], settings: LineSettings | None = None) -> list[Line]:
    """Feed *chunks*, all at one moment."""
    lines = Lines(settings)
    return [line for chunk in chunks for line in lines.feed(chunk, 0.0)] + lines.end()


def texts(*chunks: bytes) -> list[str]:
    return [line.text for line in fed(list(chunks))]


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[low:high] for low, high in pairwise(places)]


@given(BYTES, st.lists(st.integers(0, 10_000), max_size=12))
def test_the_same_bytes_give_the_same_lines_however_they_are_split(
    data: bytes, cuts: list[int]
) -> None:
    assert fed(split(data, cuts), SMALL) == fed([data], SMALL)


@given(st.lists(st.sampled_from([b"a", b"b c", b"\n", "ä€😀".encode(), b"\xff", b"\0"])))
def test_without_redraws_nothing_is_lost(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    expected = data.decode(errors="backslashreplace").split("\n")
    assert texts(data) == (expected if expected[-1] else expected[:-1])


@given(
    st.lists(st.tuples(st.sampled_from([b"a", b"\n", b"\xc3", b"\xa4", b"\xff"]), st.booleans()))
)
def test_lines_shown_in_part_never_repeat_nor_lose_text(steps: list[tuple[bytes, bool]]) -> None:
    lines, shown, now = Lines(), "", 0.0
    for piece, pause in steps:
        for line in lines.feed(piece, now):
            shown += ("" if line.continues or not shown else "|") + line.text
        if pause:
            now += 1.0
            for line in lines.tick(now):
                shown += ("" if line.continues or not shown else "|") + line.text
    for line in lines.end():
        shown += ("" if line.continues or not shown else "|") + line.text
    whole = b"".join(piece for piece, _ in steps).decode(errors="backslashreplace")
    assert shown.replace("|", "") == whole.replace("\n", "")


@given(st.lists(st.tuples(BYTES, st.floats(0, 0.2)), max_size=30))
def test_a_line_that_has_not_ended_is_shown_at_most_4_times_a_second(
    steps: list[tuple[bytes, float]],
) -> None:
    lines, now, early = Lines(SMALL), 0.0, []
    for data, pause in steps:
        early += [now for line in lines.feed(data, now) if line.partial]
        now += pause
        early += [now for line in lines.tick(now) if line.partial]
    assert all(later - first > 0.2499 for first, later in pairwise(early))


@given(st.lists(st.sampled_from([b"x" * 5000, b"\r", "€".encode() * 99]), max_size=30))
def test_a_line_without_end_takes_bounded_memory(pieces: list[bytes]) -> None:
    lines = Lines(SMALL)
    for piece in pieces:
        lines.feed(piece, 0.0)
    for text in (lines._text, lines._held):
        assert text is None or len(text._head) + len(text._tail) <= 2 * SMALL.max_line_bytes


@given(BYTES)
def test_a_line_is_bounded_in_json_too_and_can_be_encoded(data: bytes) -> None:
    for line in fed([data.replace(b"\n", b"")], SMALL):
        line.text.encode()
        assert len(line.text) <= 2 * SMALL.max_line_bytes


def test_a_progress_bar_is_its_last_state() -> None:
    assert texts(b"10%\r50%\r100%\nnext\n") == ["100%", "next"]
    assert texts(b"\r10%\r50%\r100%\n") == ["100%"]
    assert texts(b"10%\r100%\r\n") == ["100%"]


def test_a_bar_that_is_wiped_out_keeps_its_last_state_as_a_line() -> None:
    assert fed([b"10%\r99%\r    \rdone\n"]) == [Line("99%"), Line("done")]
    assert fed([b"|\r\x1b[K/\r\x1b[K\n"]) == [Line("/")]


def test_a_slow_bar_is_shown_as_it_moves_and_each_state_replaces_the_one_before() -> None:
    lines = Lines()
    assert lines.feed(b"\r10%", 0.0) == []
    assert lines.feed(b"\r20%", 1.0) == [Line("10%", partial=True)]
    assert lines.tick(1.3) == [Line("20%", partial=True, redraw=True)]
    assert lines.feed(b"\r100%\n", 1.4) == [Line("100%", redraw=True)]


def test_a_fast_bar_is_shown_4_times_a_second() -> None:
    lines = Lines()
    found = [line for n in range(1000) for line in lines.feed(b"%d\r" % n, n / 1000)]
    assert len(found) in (3, 4)
    assert lines.feed(b"\n", 1.0)[-1].text == "999"


def test_a_state_that_was_shown_is_not_repeated_by_the_end_of_its_line() -> None:
    lines = Lines()
    lines.feed(b"100%\r", 0.0)
    assert lines.tick(0.3) == [Line("100%", partial=True)]
    assert lines.feed(b"\n", 0.4) == []


def test_a_prompt_is_shown_after_250_ms_and_the_rest_continues_it() -> None:
    lines = Lines()
    assert lines.feed(b"Name: ", 0.0) == []
    assert lines.due() == 0.25
    assert lines.tick(0.24) == []
    assert lines.tick(0.25) == [Line("Name: ", partial=True)]
    assert lines.due() is None
    assert lines.feed(b"Ada\n", 9.0) == [Line("Ada", continues=True)]


def test_a_character_that_is_split_by_a_pause_stays_whole() -> None:
    lines = Lines()
    lines.feed(b"caf\xc3", 0.0)
    assert lines.tick(1.0) == [Line("caf", partial=True)]
    assert lines.feed(b"\xa9\n", 2.0) == [Line("é", continues=True)]


def test_what_is_no_utf_8_is_spelled() -> None:
    assert texts(b"a\xff\xfeb\xe2\x82\n") == ["a\\xff\\xfeb\\xe2\\x82"]


def test_colours_and_nul_bytes_stay_in_the_text() -> None:
    assert texts(b"\x1b[31mred\x1b[0m\0\n") == ["\x1b[31mred\x1b[0m\0"]


def test_backspaces_overwrite() -> None:
    assert texts(b"work |\b/\b-\b\\\bok\n") == ["work ok"]
    assert texts(b"N\bNA\bAM\bM\n") == ["NAM"]


def test_empty_lines_and_crlf_are_kept_as_they_are_meant() -> None:
    assert texts(b"a\r\n\r\n\n  b\r\r\n") == ["a", "", "", "  b"]


@pytest.mark.parametrize("character", [b"x", "ä".encode(), "€".encode(), "😀".encode()])
def test_an_over_long_line_keeps_head_tail_and_its_length(character: bytes) -> None:
    data = b"HEAD" + character * 1000 + b"TAIL"
    (line,) = fed([data + b"\n"], SMALL)
    head, count, length, tail = re.fullmatch(  # type: ignore[union-attr]
        r"(.*) … \[(\d+) of (\d+) bytes cut\] … (.*)", line.text
    ).groups()
    assert (head[:4], tail[-4:], line.length) == ("HEAD", "TAIL", len(data))
    assert len(head.encode()) + int(count) + len(tail.encode()) == int(length) == len(data)
    assert set(head[4:] + tail[:-4]) == {character.decode()}


def test_json_is_not_shown_in_part_when_its_lines_are_records() -> None:
    lines = Lines(whole=b"{")
    lines.feed(b'{"a":', 0.0)
    assert lines.tick(9.0) == []
    assert lines.feed(b"1}\n", 9.0) == [Line('{"a":1}')]


@pytest.mark.parametrize(("name", "value"), [("max_line_bytes", 255), ("partial_seconds", 0)])
def test_a_bound_that_is_none_is_refused_by_its_name(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}, expected"):
        LineSettings(**{name: value})


def cut(chunks: list[bytes], settings: LineSettings | None = None) -> list[Line]:
    """Feed *chunks* as the wrapper does, whole simple lines past `feed`."""
    lines = Lines(settings)
    out: list[Line] = []
    for chunk in chunks:
        first, plain, rest = lines.cut(chunk)
        out += [*lines.feed(first, 0.0), *map(Line, plain), *lines.feed(rest, 0.0)]
    return out + lines.end()


@given(BYTES, st.lists(st.integers(0, 10_000), max_size=5))
def test_what_is_cut_at_once_is_always_what_is_fed(data: bytes, cuts: list[int]) -> None:
    assert cut(split(data, cuts), SMALL) == fed([data], SMALL)


def test_most_lines_are_cut_at_once() -> None:
    lines = Lines()
    assert lines.cut("a\n\nä\xff\n\x1b[31mred\nb".encode()) == (
        b"",
        ["a", "", "äÿ", "\x1b[31mred"],
        b"b",
    )
    lines.feed(b"b", 0.0)
    assert lines.cut(b"c\nd\n") == (b"c\n", ["d"], b"")
