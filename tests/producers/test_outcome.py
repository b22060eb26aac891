"""How a block ended, and how much of an exception is told."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail.outcome import Told, ended_by, mark_told, reason_of, told_of, traceback_of


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (None, "completed"),
        (SystemExit(0), "completed"),
        (SystemExit("no"), "failed"),
        (ValueError(), "failed"),
        (KeyboardInterrupt(), "cancelled"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_an_exception_says_how_its_block_ended(error: BaseException | None, ended: str) -> None:
    assert ended_by(error) == ended


class Hostile(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")

    def __setattr__(self, name: str, value: object) -> None:
        raise RuntimeError("no")


def test_an_exception_whose_own_code_raises_is_told_all_the_same() -> None:
    error = Hostile()
    mark_told(error, Told("run", "s-1", "load"))
    assert told_of(error, "run") is None
    assert reason_of(error) == "Hostile (its text raised RuntimeError)"
    assert "Hostile" in traceback_of(error, 1000)


def test_a_traceback_tells_the_causes() -> None:
    text = traceback_of(_caused(), 100_000)
    assert "KeyError: 'row'" in text
    assert "direct cause" in text


@given(st.integers(0, 10_000), st.integers(100, 2_000))
def test_a_traceback_is_always_bounded_and_keeps_its_end(length: int, most: int) -> None:
    text = traceback_of(ValueError("x" * length + " the end"), most)
    assert len(text) <= most + 50
    assert text.endswith("the end\n")


def test_an_exception_is_told_for_the_execution_that_told_it_only() -> None:
    error, told = ValueError(), Told("run-1", "s-1", "load")
    mark_told(error, told)
    assert told_of(error, "run-1") == told
    assert told_of(error, "run-2") is None


def _caused() -> Exception:
    try:
        try:
            raise KeyError("row")
        except KeyError as error:
            raise ValueError("bad row") from error
    except ValueError as error:
        return error
