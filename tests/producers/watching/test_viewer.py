"""What a viewer shows, resumes with and decides, without a network."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.producers.fake_gateway import beat, cursor, end, gap, hello, log, records, reset

from runtail.watching.viewer import InvalidMessage, Viewer
from runtail.watching.viewer_event import (
    Awaited,
    Broken,
    Done,
    Ended,
    Event,
    Gap,
    Records,
    Refused,
    Reset,
    Resumed,
    Retry,
    Workers,
)
from runtail_broker.cursor import Cursor


def taken(viewer: Viewer, *messages: dict[str, Any]) -> list[Event]:
    return [event for message in messages for event in viewer.take(json.dumps(message))]


def seqs(events: list[Event]) -> list[int]:
    return [r["seq"] for event in events if isinstance(event, Records) for r in event.records]


def test_a_new_viewer_asks_from_the_beginning() -> None:
    assert Viewer().query() == ""


def test_a_tail_is_asked_for_until_the_gateway_said_where_it_begins() -> None:
    viewer = Viewer(tail=5, wait=True)
    before = parse_qs(viewer.query())
    taken(viewer, hello(20))
    assert before == {"tail": ["5"], "wait": ["true"]}
    assert parse_qs(viewer.query()) == {"after": [cursor(20)], "wait": ["true"]}


def test_only_new_asks_after_the_end() -> None:
    assert parse_qs(Viewer(only_new=True).query()) == {"after": ["$"]}


def test_a_bare_record_id_gives_way_to_what_the_gateway_resolved() -> None:
    viewer = Viewer(Cursor.parse("1700000000000-4"))
    taken(viewer, hello(4))
    assert [str(c) for c in viewer.cursors()] == [cursor(4)]


def test_it_resumes_with_the_newest_cursor_first() -> None:
    viewer = Viewer()
    taken(viewer, hello(), records(log(1), log(2)), records(log(3)))
    assert parse_qs(viewer.query())["after"] == [cursor(3), cursor(2), cursor(0)]


def test_what_was_shown_is_not_shown_again() -> None:
    viewer = Viewer()
    shown = taken(viewer, hello(), records(log(1), log(2)), hello(2), records(log(2), log(3)))
    assert seqs(shown) == [1, 2, 3]


def test_a_replayed_message_does_not_move_the_cursor_back() -> None:
    viewer = Viewer()
    taken(viewer, hello(), records(log(1)), records(log(2)), records(log(1)))
    assert viewer.cursors()[0].number == 2


def test_a_start_cursor_hides_what_lies_before_it() -> None:
    viewer = Viewer(Cursor.parse(cursor(2)))
    assert seqs(taken(viewer, hello(2), records(log(2), log(3)))) == [3]


def test_a_declared_gap_is_told_and_passed() -> None:
    viewer = Viewer()
    shown = taken(viewer, hello(), gap(0, 11, 10), records(log(11)))
    assert shown == [Gap(0, 11, 10, "trimmed"), Records([log(11)])]


def test_a_gap_told_twice_is_shown_once() -> None:
    assert len(taken(Viewer(), hello(), gap(0, 11, 10), hello(), gap(0, 11, 10))) == 1


def test_an_undeclared_hole_breaks_the_link_and_shows_nothing_beyond_it() -> None:
    viewer = Viewer()
    shown = taken(viewer, hello(), records(log(1)), records(log(4)))
    assert shown == [Records([log(1)]), Broken("lines 2 to 3 did not arrive")]
    assert str(viewer.cursors()[0]) == cursor(1)


def test_the_same_hole_a_second_time_is_told_as_a_gap() -> None:
    viewer = Viewer()
    taken(viewer, hello(), records(log(1)), records(log(4)))
    again = taken(viewer, hello(1), records(log(4)))
    assert again == [Gap(1, 4, 2, "skipped by the gateway"), Records([log(4)])]


def test_a_hole_inside_a_message_shows_none_of_it() -> None:
    shown = taken(Viewer(), hello(), records(log(1), log(3)))
    assert shown == [Broken("line 3 came after line 1")]


def test_a_message_whose_cursor_is_not_its_last_line_is_doubted() -> None:
    viewer = Viewer()
    shown = taken(viewer, hello(), records(log(1)) | {"cursor": cursor(5)})
    assert [type(event) for event in shown] == [Broken]


@pytest.mark.parametrize("kind", ["beat", "caught_up"])
def test_a_cursor_ahead_of_the_lines_shows_that_some_did_not_arrive(kind: str) -> None:
    shown = taken(Viewer(), hello(), records(log(1)), beat(3) | {"type": kind})
    assert shown[1:] == [Broken("lines 2 to 3 did not arrive")]


def test_a_reset_is_told_and_the_replay_is_shown() -> None:
    viewer = Viewer()
    first = taken(viewer, hello(), records(log(1)), records(log(2), log(3)))
    second = taken(viewer, reset(1), records(log(2, "other"), tag=9))
    assert seqs(first) == [1, 2, 3]
    assert second == [Reset(1, "failover"), Records([log(2, "other")])]


def test_a_reset_beyond_what_was_shown_is_doubted() -> None:
    viewer = Viewer()
    assert [type(e) for e in taken(viewer, hello(), reset(4))] == [Broken]


def test_after_a_reset_no_cursor_beyond_it_is_sent() -> None:
    viewer = Viewer()
    taken(viewer, hello(), *(records(log(seq)) for seq in range(1, 6)), reset(2))
    assert parse_qs(viewer.query())["after"] == [cursor(2, tag=9), cursor(1), cursor(0)]


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "lost"])
def test_it_is_done_when_it_saw_the_end(status: str) -> None:
    viewer = Viewer()
    shown = taken(viewer, hello(), records(log(1)), end(1, status))
    assert shown[-1] == Ended(status, end(1)["totals"], complete_from=1)
    assert viewer.cut(1000, "") == Done(status)


def test_a_normal_close_without_an_end_is_not_the_end() -> None:
    viewer = Viewer()
    taken(viewer, hello(), records(log(1)))
    assert isinstance(viewer.cut(1000, ""), Retry)


def test_an_end_before_the_last_line_is_doubted() -> None:
    viewer = Viewer()
    shown = taken(viewer, hello(), records(log(1)), end(3))
    assert shown[-1] == Broken("lines 2 to 3 did not arrive")
    assert viewer.status is None


def test_the_end_does_not_claim_to_be_complete_after_a_gap() -> None:
    shown = taken(Viewer(), hello(), gap(0, 3, 2), records(log(3)), end(3))
    assert shown[-1] == Ended("completed", end(3)["totals"], complete_from=None)


def test_the_end_names_the_line_since_which_all_is_there() -> None:
    shown = taken(Viewer(tail=1), hello(2), records(log(3)), end(3))
    assert shown[-1] == Ended("completed", end(3)["totals"], complete_from=3)


def test_a_replay_from_the_first_line_makes_a_gap_good() -> None:
    viewer = Viewer()
    taken(viewer, hello(), gap(0, 3, 2), records(log(3)), reset(0), records(log(1), tag=9))
    assert taken(viewer, end(1)) == [Ended("completed", end(1)["totals"], complete_from=1)]


def test_an_execution_that_does_not_exist_yet_is_awaited() -> None:
    waiting = hello(execution=None, epoch=None, cursor="0-0:0:-")
    viewer = Viewer(wait=True)
    assert taken(viewer, waiting) == [Awaited()]
    assert parse_qs(viewer.query())["after"] == ["0-0:0:-"]


def test_silent_workers_are_told_when_their_number_changes() -> None:
    beats = [beat(0, open=3, silent=s) for s in (0, 1, 1, 0)]
    assert taken(Viewer(), hello(), *beats) == [Workers(3, 1), Workers(3, 0)]


@pytest.mark.parametrize("code", [None, 1001, 1006, 1011, 1012, 4000, 4399])
def test_what_may_pass_is_retried(code: int | None) -> None:
    assert isinstance(Viewer().cut(code, "away"), Retry)


@pytest.mark.parametrize("code", [4400, 4404, 4499])
def test_a_refusal_is_final(code: int) -> None:
    assert Viewer().cut(code, "no") == Refused(code, "no")


def test_a_refusal_carries_the_message_of_the_error() -> None:
    viewer = Viewer()
    taken(viewer, {"type": "error", "code": 4404, "message": "execution 'run-1' does not exist"})
    assert viewer.cut(4404, "short") == Refused(4404, "execution 'run-1' does not exist")


def test_an_error_that_may_pass_does_not_stop_the_viewer() -> None:
    viewer = Viewer()
    taken(viewer, {"type": "error", "code": 4000, "message": "draining"})
    assert isinstance(viewer.cut(4000, ""), Retry)


def test_another_protocol_is_refused_with_both_numbers() -> None:
    viewer = Viewer()
    taken(viewer, hello(protocol=2))
    decision = viewer.cut(None, "")
    assert isinstance(decision, Refused)
    assert "protocol 2, expected 1" in decision.message


def test_the_ceiling_of_the_delay_doubles_to_ten_seconds() -> None:
    viewer = Viewer(chance=lambda: 1.0)
    delays = [d.delay_seconds for _ in range(8) if isinstance(d := viewer.cut(None, ""), Retry)]
    assert delays == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10])


def test_what_arrives_ends_the_series_of_tries() -> None:
    viewer = Viewer()
    viewer.cut(None, "")
    shown = taken(viewer, hello(), records(log(1)))
    decision = viewer.cut(None, "")
    assert shown[0] == Resumed(1)
    assert isinstance(decision, Retry)
    assert decision.tries == 1


def test_a_hello_alone_does_not_end_the_series_of_tries() -> None:
    viewer = Viewer()
    viewer.cut(None, "")
    taken(viewer, hello())
    decision = viewer.cut(None, "")
    assert isinstance(decision, Retry)
    assert decision.tries == 2


def test_an_unknown_message_is_skipped() -> None:
    assert taken(Viewer(), {"type": "notes", "notes": []}) == []


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"type":"records"}', '{"type":"beat","cursor":"x"}', "[" * 100_000]
)
def test_what_is_no_message_is_named(text: str) -> None:
    with pytest.raises(InvalidMessage) as raised:
        Viewer().take(text)
    assert repr(text[:200]) in str(raised.value)
