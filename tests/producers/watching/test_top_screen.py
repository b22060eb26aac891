"""What `runtail top` shows at each width: fewer columns, none of them cut."""

from __future__ import annotations

import pytest
from rich.console import Console

from runtail.watching.top_board import Board
from runtail.watching.top_screen import drawn

FIGURES = {"completed": 12, "failed": 3, "records_per_second": 1234.5}
STATE = {
    "id": "nightly-of-a-workflow-with-a-long-name-1",
    "status": "completed",
    "progress": 100,
    "last_seq": 1_234_567,
    "levels": {"error": 12},
    "workflow_id": "nightly",
}


def shown(width: int) -> list[str]:
    """Draw a board with one execution, as text."""
    board = Board()
    board.begin([STATE], 0.0)
    console = Console(width=width, height=20, color_system=None)
    with console.capture() as capture:
        console.print(drawn(board, 1.0, width, 20, "http://h", "answers in 5 ms", FIGURES))
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (50, "ID STATUS PROGRESS LINES ERRORS"),
        (60, "ID STATUS PROGRESS REC/S LINES ERRORS"),
        (80, "ID STATUS PROGRESS REC/S LINES ERRORS QUIET FOR"),
        (120, "ID STATUS PROGRESS REC/S LINES ERRORS QUIET WORKERS FOR WORKFLOW"),
    ],
)
def test_no_heading_and_no_figure_is_cut_at_any_width(width: int, columns: str) -> None:
    lines = shown(width)
    (heading,) = [line for line in lines if line.startswith("ID")]
    assert heading.split() == columns.split()
    (row,) = [line for line in lines if line.startswith("nightly")]
    assert {"completed", "1,234,567", "12"} <= set(row.split())
    assert all(len(line) <= width for line in lines)


def test_the_sums_of_the_hour_are_whole_in_eighty_columns() -> None:
    """How many failed counts more than how fast they wrote."""
    (sums,) = [line for line in shown(80) if "last hour" in line]
    assert sums.endswith("last hour: 12 completed, 3 failed")
