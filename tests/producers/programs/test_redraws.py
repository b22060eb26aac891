"""How printed text becomes lines, and what is redrawn is folded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtail.programs.redraws import MAX_LINE_CHARS, REDRAW_SECONDS, Redraws


def fed(*texts: str, every: float = 0.0) -> list[str]:
    """What is told of *texts*, printed with *every* seconds between, and the end."""
    redraws = Redraws()
    told = [line for n, text in enumerate(texts) for line in redraws.feed(text, n * every)]
    return told + redraws.close()


def test_a_line_is_told_when_its_newline_comes() -> None:
    redraws = Redraws()
    assert redraws.feed("a", 0) == []
    assert redraws.feed("b\nc\nd", 0) == ["ab", "c"]
    assert redraws.close() == ["d"]
    assert redraws.close() == []


def test_an_empty_line_is_a_line() -> None:
    assert fed("a\n\nb\n") == ["a", "", "b"]


def test_a_carriage_return_before_a_newline_is_part_of_it() -> None:
    assert fed("a\r", "\nb\r\n") == ["a", "b"]


def test_what_is_redrawn_quickly_is_folded_to_its_first_and_last_state() -> None:
    bars = [f"\r{percent} %" for percent in range(101)]
    assert fed(*bars, "\ndone\n", every=0.001) == ["0 %", "100 %", "done"]


def test_what_is_redrawn_slowly_is_told_at_most_four_times_a_second() -> None:
    bars = [f"{percent} %\r" for percent in range(101)]
    told = fed(*bars, "\n", every=0.1)
    assert told[-1] == "100 %"
    assert 101 * 0.1 / REDRAW_SECONDS * 0.6 < len(told) <= 101 * 0.1 / REDRAW_SECONDS + 1


def test_the_last_state_is_told_at_the_end_without_a_newline() -> None:
    assert fed("1 %\r", "2 %\r", "3 %\r") == ["1 %", "3 %"]


def test_the_last_state_is_told_when_nothing_was_drawn_over_it() -> None:
    assert fed("1 %\r", "2 %\r", "3 %\r\r", "\n") == ["1 %", "3 %"]


def test_a_state_that_was_told_is_not_told_again_as_the_line() -> None:
    assert fed("\r9 %", "\r9 %", "\n", every=1) == ["9 %"]


def test_a_long_line_goes_on_in_the_next_record() -> None:
    text = "x" * (2 * MAX_LINE_CHARS + 1)
    for texts in ([text + "\n"], [text, "\n"]):
        assert list(map(len, fed(*texts))) == [MAX_LINE_CHARS, MAX_LINE_CHARS, 1]


@given(st.lists(st.text(st.characters(exclude_characters="\r"), max_size=30)))
def test_without_redraws_every_character_is_always_told(texts: list[str]) -> None:
    whole = "".join(texts)
    lines = whole.split("\n")
    assert fed(*texts) == (lines if lines[-1] else lines[:-1])


@given(st.lists(st.text("ab\r\n", max_size=8)), st.floats(0, 0.5))
def test_the_last_state_of_every_line_is_always_told(texts: list[str], every: float) -> None:
    told = fed(*texts, every=every)
    for line in "".join(texts).split("\n"):
        states = [state for state in line.split("\r") if state]
        if states:
            assert states[-1] in told
