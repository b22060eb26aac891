"""What housekeeping decides: by age, never about what may be alive, never without what was seen."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.inventory import Kept
from runtail_broker.records.record import TERMINAL
from runtail_broker.standing import Standing
from runtail_gateway.keeping.housekeeping import (
    NOTHING,
    REASONS,
    Ages,
    FileNotes,
    PutAway,
    Release,
    Relist,
    Remove,
    Silence,
    Unlist,
    Verdict,
    decide,
)

NOW = 1_795_644_000_000
AGES = Ages(ghost_seconds=100.0, empty_seconds=1000.0, finished_seconds=10_000.0)
OVER = Standing(7, 12, NOW, 3, "completed", 0, True, False, True, NOW - 5)
RUNNING = replace(OVER, status="running", ended=False, open=1)
EMPTY = replace(OVER, spoken=False)


def aged(standing: Standing, seconds: float) -> Kept:
    """One whose last record came so long ago."""
    return Kept("a", 5.0, replace(standing, last_ms=int(NOW - seconds * 1000)))


def removed(standing: Standing, seconds: float, reason: str) -> Remove:
    seen = f"7 12 {int(NOW - seconds * 1000)}-3 {standing.status} {standing.open}"
    return Remove("a", reason, seen, standing.open)  # type: ignore[arg-type]


def told(standing: Standing, seconds: float) -> Verdict | None:
    return decide(aged(standing, seconds), NOW, AGES)


def test_a_finished_execution_is_removed_when_it_is_old_enough() -> None:
    assert told(OVER, 9_999.9) is None
    assert told(OVER, 10_000) == removed(OVER, 10_000, "finished")


@pytest.mark.parametrize(
    "standing",
    [
        RUNNING,
        replace(RUNNING, open=0),
        replace(RUNNING, spoken=False),
        replace(OVER, status="lost", ended=False),
        replace(OVER, ended=False),
        replace(OVER, ended=False, open=1),
    ],
    ids=["running", "nobody has it open", "no word yet", "lost", "no end yet", "late worker"],
)
def test_what_has_not_ended_is_never_removed(standing: Standing) -> None:
    assert told(standing, 10**9) is None


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (EMPTY, "empty"),
        (replace(EMPTY, status="cancelled"), "empty"),
        (replace(EMPTY, status="failed", guessed=True), "empty"),
        (replace(EMPTY, status="failed"), None),
        (OVER, None),
    ],
    ids=["completed", "cancelled", "given up", "a worker's word", "not empty"],
)
def test_one_in_which_nobody_said_anything_is_removed_earlier(
    standing: Standing, reason: str | None
) -> None:
    assert told(standing, 999) is None
    assert told(standing, 1000) == (reason and removed(standing, 1000, reason))
    assert told(standing, 10_000) == removed(standing, 10_000, "finished")


def test_what_is_kept_for_ever_is_never_removed() -> None:
    assert decide(aged(OVER, 10**9), NOW, replace(AGES, finished_seconds=inf)) is None


@pytest.mark.parametrize("standing", [OVER, RUNNING])
def test_one_that_the_list_has_lost_is_put_back_where_it_was(standing: Standing) -> None:
    kept = replace(aged(standing, 3), listed_at=None)
    assert decide(kept, NOW, AGES) == Relist("a", NOW - 5)


def test_a_place_that_leads_nowhere_is_taken_away_after_the_grace() -> None:
    for seconds, verdict in ((99.9, None), (100, Unlist("a", NOW - 100_000)), (-9, None)):
        assert decide(Kept("a", NOW - seconds * 1000, None), NOW, AGES) == verdict
    assert decide(Kept("a", None, None), NOW, AGES) is None


def test_a_stream_without_a_state_is_kept_as_long_as_a_finished_execution() -> None:
    for seconds, old in ((9_999, False), (10_000, True)):
        last = f"{NOW - seconds * 1000}-4"
        verdict = Remove("a", "orphaned", f"- {last}") if old else None
        for listed_at in (None, 1.0):  # it leads somewhere
            assert decide(Kept("a", listed_at, None, last), NOW, AGES) == verdict


def test_what_is_left_over_without_state_and_stream_goes() -> None:
    """Whoever carries it out waits until it was seen so for long (see `Housekeeper`)."""
    left = Kept("a", None, None, left_over=True)
    assert decide(left, NOW, AGES) == Remove("a", "orphaned", NOTHING)


STANDINGS = st.builds(
    Standing,
    epoch=st.integers(0, 9),
    seq=st.integers(0, 9),
    last_ms=st.integers(0, 2 * NOW),
    n=st.integers(0, 9),
    status=st.sampled_from((*TERMINAL, "running", "lost", "")),
    open=st.integers(0, 2),
    ended=st.booleans(),
    guessed=st.booleans(),
    spoken=st.booleans(),
    created_ms=st.integers(0, 2 * NOW),
)
KEPT = st.builds(
    Kept,
    id=st.just("a"),
    listed_at=st.none() | st.floats(0, 2 * NOW),
    standing=st.none() | STANDINGS,
    last_id=st.sampled_from(("", "1-0", f"{NOW}-3")),
)


@given(KEPT, st.integers(0, 2 * NOW))
def test_only_the_old_and_ended_is_ever_removed(kept: Kept, now_ms: int) -> None:
    """Whatever is found, at whatever time: a removal names an old end, and what was seen."""
    verdict = decide(kept, now_ms, AGES)
    if isinstance(verdict, Remove):
        assert verdict.reason in REASONS
        if kept.standing is None:
            assert verdict.seen == f"- {kept.last_id}" != "- "
        else:
            assert kept.standing.ended
            assert now_ms - kept.standing.last_ms >= AGES.empty_seconds * 1000
            assert (verdict.seen, verdict.open) == (kept.standing.seen, kept.standing.open)
    if isinstance(verdict, Unlist):
        assert kept.standing is None
        assert kept.last_id == ""
    if isinstance(verdict, Relist):
        assert kept.standing is not None
        assert kept.listed_at is None


def test_silence_lasts_while_the_entries_stay_the_same() -> None:
    silence = Silence(10)
    assert silence.since("a", {"p": "1"}, 5.0) == 5.0
    assert silence.since("a", {"p": "1"}, 8.0) == 5.0
    assert silence.since("a", {"p": "2"}, 9.0) == 9.0
    assert silence.since("a", {"p": "2", "q": "1"}, 11.0) == 11.0


def test_silence_is_remembered_of_so_many_and_forgotten_of_those_no_longer_asked_for() -> None:
    silence = Silence(2)
    for name in ("a", "b", "c"):
        silence.since(name, {}, 1.0)
    assert (len(silence), silence.since("c", {}, 2.0), silence.since("a", {}, 2.0)) == (2, 2.0, 1.0)
    silence.end_round()
    silence.since("a", {}, 3.0)
    silence.end_round()
    assert len(silence) == 1
    assert silence.since("a", {}, 4.0) == 1.0
    assert silence.since("c", {}, 4.0) == 4.0


# --- with an archive -----------------------------------------------------------------------------

ARCHIVING = replace(AGES, archiving=True, grace_seconds=60.0, archived_seconds=100_000.0)
PART = "1-12-5-3-000000ff"
IN_STREAM = replace(OVER, records=12, frame_bytes=900)
SEALED = replace(IN_STREAM, archived=12, archive=PART)
AWAY = replace(SEALED, records=0, frame_bytes=0)


def told_with_archive(standing: Standing, seconds: float) -> Verdict | None:
    return decide(aged(standing, seconds), NOW, ARCHIVING)


@pytest.mark.parametrize(
    ("standing", "seconds", "verdict"),
    [
        (IN_STREAM, 9_999.9, None),
        (IN_STREAM, 10_000, PutAway("a")),
        (IN_STREAM, 10**9, PutAway("a")),
        (replace(IN_STREAM, open=1), 10_000, PutAway("a")),  # what it may still say goes on behind
        (replace(SEALED, sealed_ms=NOW - 59_999), 10_000, None),
        (replace(SEALED, sealed_ms=NOW - 60_000), 10_000, Release("a")),
        (replace(SEALED, seq=13, sealed_ms=NOW - 10**9), 10_000, PutAway("a")),  # something late
        (replace(SEALED, notes=1, noted=5, filed=5, sealed_ms=NOW), 10_000, None),
        (replace(SEALED, notes=0, noted=5, sealed_ms=NOW), 10_000, None),
        (replace(SEALED, noted=6, filed=5, sealed_ms=NOW - 60_000), 10_000, FileNotes("a")),
        (replace(AWAY, archive="", notes=1, noted=6), 10_000, None),  # all of it was evicted before
        (replace(AWAY, notes=1, noted=6), 10_000, FileNotes("a")),  # noted after all had gone there
        (AWAY, 99_999.9, None),
        (replace(AWAY, seq=13, records=1), 10**9, PutAway("a")),
        (RUNNING, 10**9, None),
        (replace(AWAY, ended=False, seq=13), 10**9, None),
    ],
)
def test_with_an_archive_it_moves_there_step_by_step(
    standing: Standing, seconds: float, verdict: Verdict | None
) -> None:
    """Nothing is removed that is not archived wholly; what is added begins it anew."""
    assert told_with_archive(standing, seconds) == verdict


def test_what_is_archived_goes_when_it_is_too_old_for_that_too() -> None:
    verdict = told_with_archive(AWAY, 100_000)
    assert verdict == replace(removed(AWAY, 100_000, "archived"), epoch=7)


def test_an_empty_one_is_removed_also_where_there_is_an_archive() -> None:
    assert told_with_archive(EMPTY, 1000) == removed(EMPTY, 1000, "empty")


@pytest.mark.parametrize("standing", [SEALED, AWAY, replace(AWAY, spoken=False)])
def test_a_gateway_without_the_archive_removes_nothing_that_lies_there(standing: Standing) -> None:
    assert told(standing, 10**9) is None
