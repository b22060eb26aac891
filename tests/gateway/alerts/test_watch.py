"""What is alerted of: changes of state, once each; nothing from before the rule, or too old."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.executions.test_figures import NOW, tally

from runtail_gateway.alerts.message import MOST_BODY_BYTES, Found, body, message
from runtail_gateway.alerts.rules import Rule
from runtail_gateway.alerts.store import MOST_ROWS, Row, superfluous
from runtail_gateway.alerts.watch import HORIZON_MS, MOST_REMEMBERED, Firing, Holds, Watch, holds
from runtail_gateway.alerts.webhook import LONGEST_PAUSE_SECONDS, pause

FAILED = Rule("failed", "failed", ("ops",))
STALLED = Rule("stalled", "stalled", ("ops",), repeat_seconds=600, resolved=True)
RATE = Rule("rate", "error_rate", ("ops",))


def begun(*rules: Rule, at_ms: int = 0) -> Watch:
    watch = Watch(rules, {})
    watch.begin(at_ms)
    return watch


def told(watch: Watch, firing: Firing | None) -> Firing:
    assert firing is not None
    firing = watch.weighed(firing)
    watch.keep(watch.told(firing))
    return firing


def test_what_happened_before_the_rule_is_not_told() -> None:
    watch = begun(FAILED, at_ms=1000)
    assert watch.look(FAILED, "a", None, Holds("1", 999), 2000) is None
    assert watch.look(FAILED, "a", None, Holds("1", 1000), 2000) is not None


def test_what_is_older_than_the_horizon_is_not_told() -> None:
    watch = begun(FAILED)
    now = 10 * HORIZON_MS
    assert watch.look(FAILED, "a", None, Holds("1", now - HORIZON_MS - 1), now) is None
    assert watch.look(FAILED, "a", None, Holds("1", now - HORIZON_MS), now) is not None


def test_what_was_told_is_told_by_nobody_who_reads_what_was_kept() -> None:
    watch = begun(FAILED)
    kept = watch.begin(0) | watch.told(told(watch, watch.look(FAILED, "a", None, Holds("1", 5), 6)))
    other = Watch([FAILED], kept)
    other.begin(0)
    assert other.look(FAILED, "a", None, Holds("1", 5), 7) is None
    assert other.look(FAILED, "b", None, Holds("1", 7), 7) is not None


def test_two_who_find_the_same_give_it_the_same_id_and_each_turn_its_own() -> None:
    watch, other = begun(STALLED), begun(STALLED)
    ids = []
    for each, now in ((watch, 5), (other, 9)):
        first = told(each, each.look(STALLED, "a", None, Holds("x", 5), now))
        again = told(each, each.look(STALLED, "a", None, Holds("x", 5), now + 600_000))
        over = told(each, each.look(STALLED, "a", None, None, now + 700_000))
        ids.append([first.id, again.id, over.id])
        assert [first.turn, again.turn, over.turn] == ["fired", "repeated", "resolved"]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3


def test_nothing_is_repeated_before_its_time_nor_when_it_is_over() -> None:
    watch = begun(STALLED)
    told(watch, watch.look(STALLED, "a", None, Holds("x", 5), 5))
    assert watch.look(STALLED, "a", None, Holds("x", 5), 599_000) is None
    told(watch, watch.look(STALLED, "a", None, None, 600_000))
    assert watch.look(STALLED, "a", None, None, 1_300_000) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60))
def test_always_fired_and_resolved_take_turns(looks: list[tuple[int, bool]]) -> None:
    watch = begun(STALLED)
    turns: dict[str, list[str]] = {}
    for number, (who, held) in enumerate(looks, 1):
        now, found = number * 1000, Holds(str(number), number * 1000) if held else None
        firing = watch.look(STALLED, f"e{who}", "wf", found, now)
        if firing is not None:
            turns.setdefault(firing.subject, []).append(told(watch, firing).turn)
    for said in turns.values():
        assert said == (["fired", "resolved"] * len(said))[: len(said)]


@pytest.mark.full
def test_what_is_remembered_is_bounded_and_what_still_holds_stays() -> None:
    watch = begun(FAILED, STALLED)
    told(watch, watch.look(STALLED, "open", None, Holds("x", 1), 1))
    for number in range(MOST_REMEMBERED + 10):
        told(watch, watch.look(FAILED, f"e{number}", None, Holds("1", number + 2), number + 2))
    gone = watch.forget(MOST_REMEMBERED)
    assert watch.memory(FAILED, "e0") is None
    assert watch.memory(FAILED, f"e{MOST_REMEMBERED}") is not None
    assert watch.open_subjects(STALLED) == ["open"]
    assert 10 <= len(gone) <= 15
    watch.forget(10 * HORIZON_MS)
    assert watch.memory(FAILED, f"e{MOST_REMEMBERED}") is None
    assert watch.open_subjects(STALLED) == ["open"]


@pytest.mark.parametrize(
    ("when", "status", "begun_ago", "ended_ago", "found"),
    [
        ("failed", "failed", 100, 10, True),
        ("failed", "completed", 100, 10, False),
        ("failed", "running", 100, 0, False),
        ("lost", "lost", 100, 10, True),
        ("lost", "failed", 100, 10, False),
        ("stalled", "running", 900_000, 600_000, True),
        ("stalled", "running", 900_000, 599_999, False),
        ("stalled", "completed", 900_000, 600_000, False),
        ("slow", "running", 3001, 0, True),
        ("slow", "running", 3000, 0, False),
        ("slow", "completed", 9001, 6000, True),
        ("slow", "completed", 9000, 6000, False),
    ],
)
def test_each_rule_holds_from_its_edge_on(
    when: str, status: str, begun_ago: int, ended_ago: int, found: bool
) -> None:
    rule = replace(FAILED, when=when)  # type: ignore[arg-type]
    seen = tally("a", status, begun_ago, ended_ago)
    assert (holds(rule, seen, NOW, (1000.0, 5)) is not None) is found


def test_without_enough_that_completed_nothing_is_slow() -> None:
    rule = replace(FAILED, when="slow")
    assert holds(rule, tally("a", "running", 90_000), NOW, (1000.0, 4)) is None
    assert holds(rule, tally("a", "running", 90_000), NOW, None) is None


def test_a_message_is_bounded_and_loses_old_lines_first() -> None:
    watch = begun(FAILED)
    firing = told(watch, watch.look(FAILED, "a", None, Holds("1", 5), 6))
    lines = [{"seq": n, "level": "info", "message": "\U0001f40d" * 4000} for n in range(12)]
    made = message(firing, Found(lines=lines), "https://r", str)
    assert [line["seq"] for line in made["lines"]] == list(range(2, 12))
    assert {len(line["text"]) for line in made["lines"]} == {500}
    huge = made | {"lines": [line | {"text": "x" * 9000} for line in made["lines"]]}
    for form in ("json", "slack"):
        assert len(body(huge, form)) <= MOST_BODY_BYTES


def test_only_what_is_over_makes_room() -> None:
    rows = {
        f"{n}": Row(f"{n}", "ops", "r", "failed", "fired", "a", None, "", n, state)
        for n in range(MOST_ROWS + 10)
        for state in ("pending" if n < 5 else "sent",)
    }
    gone = superfluous(rows)
    assert sorted(map(int, gone)) == list(range(5, 10))


def test_a_receiver_that_fails_is_left_alone_longer_each_time_but_not_for_ever() -> None:
    assert 1.0 <= pause(0, 0.0) <= 2.0
    assert 4.0 <= pause(2, 0.0) <= 8.0
    assert pause(0, 60.0) == 60.0
    assert pause(10_000, 0.0) <= LONGEST_PAUSE_SECONDS
