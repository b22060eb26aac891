"""What `runtail top` knows: rates, quiet, the order; and how that is drawn."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from runtail.watching.top_board import MOST_KNOWN, RATE_SECONDS, Board
from runtail.watching.top_screen import drawn


def state(name: str, seq: int = 0, status: str = "running", **more: Any) -> dict[str, Any]:
    return {"id": name, "last_seq": seq, "status": status, "created_at": name} | more


def rates(board: Board, now: float) -> dict[str, float]:
    return {line.state["id"]: round(line.rate, 1) for line in board.lines(now)}


def test_a_rate_is_of_the_last_seconds() -> None:
    board = Board()
    board.take([state("a", 1000)], 0.0)
    assert rates(board, 0.0) == {"a": 0.0}
    board.take([state("a", 1020)], 2.0)
    assert rates(board, 2.0) == {"a": 10.0}
    for second in range(3, 60):
        board.take([state("a", 1020)], float(second))
    assert rates(board, 59.0) == {"a": 0.0}
    assert RATE_SECONDS < 59


def test_quiet_is_counted_from_the_last_line_that_was_seen_to_come() -> None:
    board = Board()
    board.take([state("a", 1)], 0.0)
    assert board.lines(5.0)[0].quiet is None
    board.take([state("a", 2)], 6.0)
    board.take([state("a", 2)], 8.0)
    assert board.lines(9.0)[0].quiet == 3.0


def test_what_runs_comes_first_the_fastest_on_top() -> None:
    board = Board()
    board.take([state("a", 5, "completed"), state("b"), state("c"), state("d", 0, "failed")], 0.0)
    board.take([state("c", 50)], 1.0)
    assert [line.state["id"] for line in board.lines(1.0)] == ["c", "b", "d", "a"]


def test_another_history_begins_a_rate_anew() -> None:
    board = Board()
    board.take([state("a", 500)], 0.0)
    board.take([state("a", 10)], 1.0)
    board.take([state("a", 20)], 2.0)
    assert rates(board, 2.0) == {"a": 10.0}


def test_what_is_remembered_is_bounded() -> None:
    board = Board()
    board.take((state(f"e{n}") for n in range(MOST_KNOWN + 5)), 0.0)
    assert len(board.lines(0.0)) == MOST_KNOWN


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_it_fits_every_width_and_obeys_nothing_that_a_name_holds(width: int) -> None:
    board = Board()
    name = "a\x1b[31m[bold]" + "x" * 60
    workers, levels = {"open": 2, "silent": 1}, {"error": 3}
    board.take([state(name, 3, progress=40.0, workers=workers, levels=levels)], 0.0)
    board.take([state(f"e{n:02}", 3, "failed") for n in range(30)], 0.0)
    out = io.StringIO()
    console = Console(file=out, width=width, height=24, color_system=None)
    picture = drawn(board, 0.0, width, 24, "http://gateway:8000", "answers in 3 ms", {"failed": 2})
    console.print(picture)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24
    assert "and 13 more" in lines[-1]
    assert "\x1b" not in out.getvalue()
    assert "a\\x1b" in out.getvalue()
