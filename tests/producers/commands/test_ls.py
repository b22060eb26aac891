"""`runtail ls` against a gateway that answers what a test gives it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.producers.fake_gateway import FakeGateway

from runtail.command import main
from runtail.commands.ls import duration, row_of, table
from runtail.watching.terminal import cut

Captured = pytest.CaptureFixture[str]
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def execution(name: str = "run-1", **more: Any) -> dict[str, Any]:
    times = {"started_at": "2026-11-24T11:58:30Z", "ended_at": "2026-11-24T11:59:00Z"}
    state = {"id": name, "workflow_id": "etl", "status": "completed", "last_seq": 120}
    return state | times | {"progress": 100} | more


def listed(answer: object, *options: str) -> int:
    with FakeGateway(listing=answer) as gateway:
        return main(["ls", "--url", gateway.url, *options])


def test_it_prints_a_table(capsys: Captured) -> None:
    assert listed({"executions": [execution(), execution("a", status="running")]}) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ID     STATUS     PROGRESS  DURATION  RECORDS  WORKFLOW",
        "run-1  completed  100 %     30.0 s    120      etl",
        "a      running    100 %     30.0 s    120      etl",
    ]


def test_a_gateway_without_executions_shows_the_headings_alone(capsys: Captured) -> None:
    assert listed({"executions": []}) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_json_lines_equal_what_was_answered(capsys: Captured) -> None:
    answered = [execution(), execution("b\x9b", extra={"n": 2**70})]
    assert listed({"executions": answered}, "--json") == 0
    printed = capsys.readouterr().out
    assert [json.loads(line) for line in printed.splitlines()] == answered
    assert "\x9b" not in printed


def test_the_limit_is_kept(capsys: Captured) -> None:
    listed({"executions": [execution("a"), execution("b"), execution("c")]}, "--limit", "2")
    assert [line[0] for line in capsys.readouterr().out.splitlines()[1:]] == ["a", "b"]


@pytest.mark.parametrize("limit", ["0", "-1", "x"])
def test_a_limit_that_is_none_is_wrong_usage(limit: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["ls", "--limit", limit])
    assert raised.value.code == 2


def test_a_gateway_that_is_away_is_one_line_with_url_and_remedy(capsys: Captured) -> None:
    assert main(["ls", "--url", "http://127.0.0.1:1"]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert "http://127.0.0.1:1/executions: no gateway answers" in line
    assert "runtail gateway" in line
    assert "(Connection refused)" in line


def test_a_refusal_names_the_status(capsys: Captured) -> None:
    with FakeGateway() as gateway:
        assert main(["ls", "--url", f"{gateway.url}/elsewhere"]) == 4
    assert "/elsewhere/executions: HTTP 404;" in capsys.readouterr().err


def test_it_signs_in_with_the_token(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setenv("RUNTAIL_TOKEN", "d.e.f")
    with FakeGateway(listing={"executions": []}) as gateway:
        assert main(["ls", "--url", gateway.url]) == 0
        assert main(["ls", "--url", gateway.url, "--token", "a.b.c"]) == 0
        assert gateway.tokens == ["Bearer d.e.f", "Bearer a.b.c"]


def test_whoever_it_is_sent_on_to_gets_no_token(capsys: Captured) -> None:
    with FakeGateway(listing={"executions": []}) as gateway:
        assert main(["ls", "--url", f"{gateway.url}/moved", "--token", "a.b.c"]) == 0
        assert gateway.tokens == ["Bearer a.b.c", None]


@pytest.mark.parametrize("answer", [b"<html>", [], {}, {"executions": 3}, {"executions": ["x"]}])
def test_an_answer_that_is_no_list_is_told(answer: object, capsys: Captured) -> None:
    assert listed(answer) == 4
    assert "the answer is no list of executions" in capsys.readouterr().err


def test_control_sequences_in_names_are_spelled(capsys: Captured) -> None:
    evil = "\x1b]0;x\x07\n\u202e"
    listed({"executions": [execution(evil, status=evil, workflow_id=evil, progress=evil)]})
    printed = capsys.readouterr().out
    assert not set(printed) & {"\x1b", "\x07", "\u202e"}
    assert len(printed.splitlines()) == 2


def test_missing_fields_are_dashes() -> None:
    assert row_of({"id": "a"}, NOON) == ("a", "?", "-", "-", "0", "-")


@pytest.mark.parametrize(
    ("started", "ended", "expected"),
    [
        ("2026-11-24T11:59:57.5Z", None, "2.5 s"),
        ("2026-11-24T11:57:50Z", None, "2 m 10 s"),
        ("2026-11-24T08:59:00Z", None, "3 h 1 m"),
        ("2026-11-22T09:00:00Z", None, "2 d 3 h"),
        ("2026-11-24T13:00:00Z", None, "0.0 s"),
        (1_000, 2_500, "1.5 s"),
        ("2026-11-24T11:00:00", "2026-11-24T11:00:01Z", "1.0 s"),
        (None, None, "-"),
        ("soon", None, "-"),
    ],
)
def test_a_duration_is_spelled_by_its_two_largest_units(
    started: object, ended: object, expected: str
) -> None:
    assert duration(started, ended, NOON) == expected


@given(st.lists(st.tuples(st.text("ab", max_size=5), st.text("c", max_size=9)), min_size=1))
def test_the_columns_of_a_table_always_line_up(rows: list[tuple[str, str]]) -> None:
    width = max(len(first) for first, _ in rows)
    for row, line in zip(rows, table(rows), strict=True):
        assert line.ljust(width)[:width].rstrip() == row[0]
        assert line[width + 2 :] == row[1]


def test_a_line_is_cut_at_the_width_of_a_terminal() -> None:
    assert cut("nightly-1  running", 18) == "nightly-1  running"
    assert cut("nightly-1  running", 17) == "nightly-1  runni…"
