"""What is looked for in logs, and what is hidden of them, in time that grows with the text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail_gateway.alerts.message import slack_text, span
from runtail_gateway.alerts.text import Masks, Pattern

TOKEN = "ghp_0123456789abcdefghij"


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("disk full", "the disk full of it", True),
        ("disk * full", "disk /dev/sda is full", True),
        ("disk * full", "disk\n is full", False),
        ("disk * full", "full disk", False),
        ("*oops*", "an oops", True),
        ("a.c", "abc", False),
    ],
)
def test_a_star_is_anything_within_a_line_and_all_else_is_itself(
    pattern: str, text: str, found: bool
) -> None:
    assert Pattern.of(pattern).is_in(text) is found


@given(st.lists(st.text("ab ", max_size=3), min_size=1, max_size=4), st.text("ab ", max_size=30))
def test_a_pattern_is_found_where_a_regular_expression_would(parts: list[str], text: str) -> None:
    import re

    pattern = "aaa" + "*".join(parts)
    expected = re.search(".*".join(map(re.escape, pattern.split("*"))), text) is not None
    assert Pattern.of(pattern).is_in(text) is expected


def test_a_pattern_that_would_ruin_a_regular_expression_is_looked_for_quickly() -> None:
    pattern, text = Pattern.of("a*" * 90 + "b"), "a" * 1_000_000
    begun = time.perf_counter()
    assert not pattern.is_in(text)
    assert time.perf_counter() - begun < 1.0


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password=hunter2-long", "password=***"),
        (f"pushed with {TOKEN} now", "pushed with *** now"),
        (f"url?token_x={TOKEN}", "url?token_x=***"),
        ("sk-learn is no secret", "sk-learn is no secret"),
        ("tok_7 and 12tok_8x", "*** and 12***"),
        ("iban=DE1234567890", "iban=***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\nMIIEdef", "-----BEGIN RSA PRIVATE KEY-----***"),
    ],
)
def test_secrets_are_hidden(text: str, masked: str) -> None:
    assert Masks(["iban"], ["tok_*"])(text) == masked


def test_log_text_is_no_markup_for_slack() -> None:
    told = {
        "execution_id": "a", "workflow_id": None, "turn": "fired", "when": "failed",
        "duration_ms": None, "median_ms": None, "error": "<!channel> `&", "step_name": None,
        "reason": None, "lines": [{"seq": 1, "text": "```<http://x|y>"}], "held_back": 2,
        "url": "https://r.example/monitoring/executions/a",
    }  # fmt: skip
    assert slack_text(told) == (
        "*a failed*\n> &lt;!channel&gt; '&amp;\n```\n1 '''&lt;http://x|y&gt;\n```\n"
        "and 2 more of this rule since the last message\n"
        "<https://r.example/monitoring/executions/a|Open the log>"
    )


def test_a_time_is_spelled_by_its_two_largest_units() -> None:
    assert [span(ms) for ms in (50, 90_000, 7_260_000)] == ["0.1 s", "1 min 30 s", "2 h 1 min"]
