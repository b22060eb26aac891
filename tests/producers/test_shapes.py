"""The fields of progress, metric and link records."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy
import pytest

from runtail.shapes import link_fields, metric_fields, progress_fields


@pytest.mark.parametrize(
    ("done", "total", "percent"),
    [(1, 4, 25), (1, 3, 33.33), (5, 4, 100), (3, None, None), (3, 0, None), (0, 9, 0)],
)
def test_done_of_total_is_a_percentage_where_the_total_is_known(
    done: int, total: int | None, percent: float | None
) -> None:
    assert progress_fields(done, total) == {"progress": percent, "done": done, "total": total}


def test_progress_that_is_no_finite_number_is_indeterminate() -> None:
    assert progress_fields(math.nan) == {"progress": None}
    assert progress_fields(1, math.inf)["progress"] is None


@pytest.mark.parametrize("value", [5, 5.0, Decimal(5), numpy.int64(5), numpy.float32(5)])
def test_a_metric_takes_the_numbers_of_any_library(value: object) -> None:
    assert metric_fields("rows", value, "rows") == {"name": "rows", "value": 5, "unit": "rows"}


@pytest.mark.parametrize("value", [math.nan, math.inf, "5", None, 10**400, object()])
def test_a_metric_that_is_no_finite_number_is_text_with_a_note(value: object) -> None:
    fields = metric_fields("rows", value, None)
    assert (fields["text"], "value" in fields, "note" in fields) == (str(value), False, True)


@pytest.mark.parametrize("url", ["https://x.org/a?b=c#d", "HTTP://x", "mailto:a@b.org"])
def test_a_url_that_a_browser_may_open_is_a_link(url: str) -> None:
    assert link_fields("report", url) == {"name": "report", "url": url}


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc", "/a", "", "http://", "http://a\nb", "https:///x"]
)
def test_any_other_is_text_with_a_note(url: str) -> None:
    fields = link_fields("report", url)
    assert (fields["text"], "url" in fields, "note" in fields) == (url, False, True)
