"""Who may be called lost: only what was seen unchanged through a whole lease of contact."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.executions import Look, Publisher
from runtail_gateway.keeping.leases import Finish, GiveUp, Leases, Mark, Unchanged, Verdict, Windows

LEASE, FINALITY, SETTLE, GAP = 15.0, 900.0, 35.0, 5.0
WINDOWS = Windows(LEASE, FINALITY, SETTLE, GAP)


def publisher(name: str = "p", beat: int = 0, *, lost: bool = False) -> Publisher:
    return Publisher(name, 0, 0, True, 0, beat, "owner", lost, f"0 0 {1 + lost} 0 {beat} 0 owner")


def look(*publishers: Publisher, seq: int = 1, status: str = "", ended: bool = False) -> Look:
    lost = sum(p.lost for p in publishers)
    known = status or ("lost" if lost and lost == len(publishers) else "running")
    return Look("run", 7, seq, known, len(publishers), lost, ended, publishers)


@dataclass
class Gateway:
    """A gateway that looks every second, with a clock of its own."""

    leases: Leases = field(default_factory=lambda: Leases(WINDOWS))
    now: float = 1000.0
    contact_since: float = 0.0

    def look(self, *looks: Look) -> list[Verdict]:
        return self.leases.look(looks, self.now, self.now - self.contact_since)

    def watch(self, seconds: float, *looks: Look) -> list[Verdict]:
        """Look every second for so long; everything that followed."""
        said = self.look(*looks)
        for _ in range(int(seconds)):
            self.now += 1
            said += self.look(*looks)
        return said


MARKED = Mark("run", "p", publisher().entry)


def test_a_beat_unchanged_for_a_whole_lease_is_lost_and_not_before() -> None:
    gateway = Gateway()
    assert gateway.watch(LEASE - 1, look(publisher())) == []
    assert gateway.watch(1, look(publisher()))[-1:] == [MARKED]


def test_a_beat_that_changes_begins_the_lease_anew() -> None:
    gateway = Gateway()
    for beat in range(20):
        assert gateway.watch(LEASE - 1, look(publisher(beat=beat))) == []
        gateway.now += 1


def test_one_of_two_that_is_silent_is_marked_alone() -> None:
    gateway = Gateway()
    said: list[Verdict] = []
    for beat in range(20):
        said += gateway.watch(1, look(publisher(), publisher("q", beat)))
        gateway.now += 1
    assert set(said) == {MARKED}


def test_a_gateway_that_just_came_into_contact_marks_nobody() -> None:
    gateway = Gateway()
    gateway.watch(LEASE - 1, look(publisher()))
    gateway.contact_since = gateway.now
    assert gateway.watch(LEASE - 1, look(publisher())) == []


def test_an_engine_that_was_away_for_five_minutes_kills_no_healthy_run() -> None:
    gateway = Gateway()
    gateway.watch(10, look(publisher()))
    gateway.now += 300  # nothing could be looked at; the workers could not beat either
    gateway.contact_since = gateway.now
    assert gateway.watch(LEASE - 1, look(publisher())) == []


def test_a_gateway_that_was_frozen_for_five_minutes_kills_no_healthy_run() -> None:
    gateway = Gateway()
    gateway.watch(10, look(publisher()))
    gateway.now += 300  # its link was not cut: nobody noticed
    assert gateway.watch(LEASE - 1, look(publisher())) == []
    assert gateway.watch(1, look(publisher()))[-1:] == [MARKED]


def test_without_contact_nobody_is_lost_however_long() -> None:
    gateway = Gateway(contact_since=float("inf"))
    assert gateway.watch(2000, look(publisher())) == []


def test_contact_that_comes_back_counts_from_then_on() -> None:
    gateway = Gateway(contact_since=float("inf"))
    gateway.watch(60, look(publisher()))
    gateway.contact_since = gateway.now
    assert gateway.watch(LEASE - 1, look(publisher())) == []
    assert gateway.watch(1, look(publisher()))[-1:] == [MARKED]


def test_an_execution_that_nobody_has_open_is_lost_after_a_lease() -> None:
    gateway = Gateway()
    assert gateway.watch(LEASE - 1, look()) == []
    assert gateway.watch(1, look())[-1:] == [Mark("run", "", "7 1")]


def test_the_lease_of_an_orphan_begins_when_the_last_publisher_has_left() -> None:
    gateway = Gateway()
    for beat in range(30):
        gateway.watch(1, look(publisher(beat=beat)))
    assert gateway.watch(LEASE - 1, look()) == []


def test_what_is_lost_already_is_not_marked_again() -> None:
    gateway = Gateway()
    assert gateway.watch(FINALITY - 1, look(publisher(lost=True))) == []
    assert gateway.watch(FINALITY - 1, replace(look(status="lost"), id="other")) == []


def test_after_the_finality_window_it_is_given_up() -> None:
    gateway, lost = Gateway(), publisher(lost=True)
    gateway.watch(FINALITY - 1, look(lost))
    assert gateway.watch(1, look(lost))[-1:] == [GiveUp("run", "7 1", (("p", lost.entry),))]


def test_an_orphan_is_given_up_after_the_finality_window() -> None:
    gateway = Gateway()
    gateway.watch(FINALITY - 1, look(status="lost"))
    assert gateway.watch(1, look(status="lost"))[-1:] == [GiveUp("run", "7 1", ())]


def test_a_change_of_primary_begins_the_finality_window_anew() -> None:
    gateway, lost = Gateway(), publisher(lost=True)
    gateway.watch(FINALITY - 1, look(lost))
    gateway.contact_since = gateway.now
    assert gateway.watch(FINALITY - 1, look(lost)) == []


def test_a_lost_participant_is_given_up_without_a_word_on_the_run() -> None:
    gateway, lost = Gateway(), publisher("q", lost=True)
    said: list[Verdict] = []
    for beat in range(int(FINALITY) // 2 + 2):
        said += gateway.watch(1, look(publisher(beat=beat), lost))
        gateway.now += 1
    assert set(said) == {GiveUp("run", "", (("q", lost.entry),))}


def test_a_participant_that_keeps_a_finished_run_from_its_end_is_marked_and_given_up() -> None:
    gateway, lost = Gateway(), publisher(lost=True)
    said = gateway.watch(LEASE, look(publisher(), status="completed"))
    assert said == [MARKED]
    said = gateway.watch(FINALITY, look(lost, seq=2, status="completed"))
    assert said == [GiveUp("run", "", (("p", lost.entry),))]


def test_a_finished_run_that_nobody_has_open_is_ended_once_the_primary_has_settled() -> None:
    gateway = Gateway(contact_since=1000.0)
    assert gateway.watch(SETTLE, look(status="failed")) == []
    assert gateway.watch(1, look(status="failed"))[-1:] == [Finish("run")]


def test_a_history_that_went_back_settles_anew_though_the_same_primary_answers() -> None:
    """Whoever opened it since the older copy is unknown until it speaks again."""
    gateway = Gateway()
    gateway.watch(SETTLE, look(publisher(), seq=9))
    assert gateway.watch(SETTLE, look(seq=8, status="completed")) == []
    assert gateway.watch(1, look(seq=8, status="completed"))[-1:] == [Finish("run")]


def test_a_history_begun_anew_settles_anew_though_the_same_primary_answers() -> None:
    """Of an emptied engine only the owner has come back yet."""
    gateway = Gateway()
    gateway.watch(SETTLE, look(publisher(), seq=9))
    anew = replace(look(seq=9, status="completed"), epoch=8)
    assert gateway.watch(SETTLE, anew) == []
    assert gateway.watch(1, anew)[-1:] == [Finish("run")]


def test_a_run_that_is_seen_for_the_first_time_settles_first() -> None:
    """The engine may have been emptied a moment ago, and this gateway cannot know it."""
    gateway = Gateway()
    gateway.watch(SETTLE)
    assert gateway.watch(SETTLE, look(status="completed")) == []
    assert gateway.watch(1, look(status="completed"))[-1:] == [Finish("run")]


def test_what_has_ended_is_let_alone_and_forgotten() -> None:
    gateway = Gateway()
    gateway.watch(3, look(publisher()))
    assert gateway.watch(2 * FINALITY, look(publisher(), ended=True)) == []
    assert len(gateway.leases) == 0


def test_what_is_not_looked_at_any_more_is_forgotten() -> None:
    gateway = Gateway()
    gateway.watch(3, look(publisher()))
    gateway.leases.keep({"another"})
    assert len(gateway.leases) == 0


def test_since_when_a_thing_is_what_it_is_begins_anew_when_it_was_gone() -> None:
    seen = Unchanged()
    assert seen.see("run", {"p": "1"}, 1.0) == {"p": 1.0}
    assert seen.see("run", {"p": "1", "q": "1"}, 2.0) == {"p": 1.0, "q": 2.0}
    assert seen.see("run", {"q": "2"}, 3.0) == {"q": 3.0}
    assert seen.see("run", {"p": "1", "q": "2"}, 4.0) == {"p": 4.0, "q": 3.0}


STEPS = st.lists(
    st.tuples(
        st.integers(1, 32).map(lambda quarters: quarters / 4),  # seconds until the next look
        st.sampled_from(["silent", "silent", "silent", "beats", "contact is lost", "fails over"]),
    ),
    max_size=40,
)


@given(STEPS)
def test_a_mark_always_follows_a_whole_lease_that_this_gateway_saw_itself(
    steps: list[tuple[float, str]],
) -> None:
    gateway, beat, since = Gateway(contact_since=1000.0), 0, 1000.0
    gateway.look(look(publisher()))
    for seconds, happens in steps:
        gateway.now += seconds
        match happens:
            case "beats":
                beat += 1
            case "contact is lost":
                gateway.contact_since = float("inf")
            case "fails over":
                gateway.contact_since = gateway.now
        if happens != "silent" or seconds > GAP:
            since = gateway.now
        said = gateway.look(look(publisher(beat=beat)))
        if gateway.contact_since == float("inf"):
            gateway.contact_since = since = gateway.now
            assert said == []
        expected = gateway.now - since >= LEASE
        assert bool(said) == expected, (gateway.now - since, said)
