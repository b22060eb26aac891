"""The checker itself: it objects to whatever is not exactly the stream."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.rows import Hole, Row, objections, total_objections

STREAM = [Row(seq, f"1700000000000-{seq - 1}", "info", f"line {seq}") for seq in range(1, 9)]
TOTALS = {
    "first": 1,
    "last": 8,
    "records": 8,
    "levels": {"debug": 0, "info": 8, "warning": 0, "error": 0},
}


def changed(seq: int, **fields: Any) -> list[Row]:
    return [row._replace(**fields) if row.seq == seq else row for row in STREAM]


def test_it_accepts_exactly_the_stream() -> None:
    assert objections(list(STREAM), STREAM) == []


@pytest.mark.parametrize(
    ("held", "sort", "seq"),
    [
        ([*STREAM[:4], *STREAM[3:]], "twice", 4),
        ([*STREAM, STREAM[0]], "twice", 1),
        ([*STREAM[:3], *STREAM[4:]], "missing", 4),
        (STREAM[1:], "missing", 1),
        (STREAM[:-1], "missing", 8),
        ([], "missing", 1),
        ([*STREAM[:2], STREAM[3], STREAM[2], *STREAM[4:]], "out of order", 3),
        (changed(5, id="1700000000001-0"), "foreign", 5),
        (changed(5, text="another history"), "missing", 5),
        ([*STREAM, Row(9, "1700000000000-8", "info", "beyond the end")], "foreign", 9),
    ],
)
def test_it_objects_to(held: list[Row], sort: str, seq: int) -> None:
    assert any(said.startswith(f"{sort}: Row(seq={seq},") for said in objections(held, STREAM))


def test_what_was_told_to_be_gone_may_be_missing() -> None:
    assert objections(STREAM[5:], STREAM, [Hole(0, 6)]) == []


def test_one_record_more_than_was_told_may_not_be_missing() -> None:
    assert objections(STREAM[6:], STREAM, [Hole(0, 6)]) != []


def test_it_accepts_totals_that_are_counted_alike() -> None:
    assert total_objections(TOTALS, STREAM) == []


@pytest.mark.parametrize(
    "wrong", [{"last": 7}, {"records": 9}, {"first": 2}, {"levels": {"info": 8, "error": 1}}]
)
def test_it_objects_to_totals_that_differ(wrong: dict[str, object]) -> None:
    assert len(total_objections(TOTALS | wrong, STREAM)) == 1
