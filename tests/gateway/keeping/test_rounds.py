"""A sweep looks at a bounded number of executions, and in time at every one of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.executions import Look
from runtail_gateway.keeping.rounds import Rounds

PORTION, MOST = 4, 5


def look(name: str, *, ended: bool = False) -> Look:
    return Look(name, 7, 1, "completed" if ended else "running", 0, 0, ended)


def sweep(rounds: Rounds, index: list[str], ended: set[str]) -> list[str]:
    """Look once at an *index* of one part, newest first."""
    portion = index[rounds.offset : rounds.offset + rounds.portion]
    chosen = rounds.choose(index[:PORTION], portion)
    rounds.saw(chosen, [look(name, ended=name in ended) for name in chosen])
    return chosen


def test_the_newest_are_looked_at_once_more_only_while_they_run() -> None:
    rounds = Rounds(PORTION, MOST)
    index = [str(number) for number in range(PORTION)]
    sweep(rounds, index, {"0", "1"})
    sweep(rounds, index, {"0", "1"})  # an empty portion ends the round
    assert sorted(rounds.choose(index, [])) == ["2", "3"]


def test_the_index_is_looked_through_slower_once_all_of_it_was_seen() -> None:
    rounds = Rounds(16, MOST)
    for _ in range(5):
        rounds.choose([], ["a"])
    assert (rounds.offset, rounds.portion) == (80, 16)
    rounds.choose([], [])
    rounds.choose([], ["a"])
    assert (rounds.offset, rounds.portion, rounds.newest) == (2, 2, 16)


def test_one_that_does_not_exist_yet_is_looked_at_again() -> None:
    rounds = Rounds(PORTION, MOST)
    chosen = rounds.choose(["ghost"], [])
    rounds.saw(chosen, [])
    assert rounds.choose(["ghost"], []) == ["ghost"]
    assert not rounds.running


def test_what_is_watched_is_looked_at_though_no_index_lists_it() -> None:
    assert Rounds(PORTION, MOST).choose([], [], ["seen"]) == ["seen"]


@given(st.integers(0, 60), st.sets(st.integers(0, 59)))
def test_always_every_execution_is_met_in_time_and_no_sweep_is_large(
    count: int, ended: set[int]
) -> None:
    rounds, met = Rounds(PORTION, MOST), set[str]()
    index = [str(number) for number in range(count)]
    over = {str(number) for number in ended}
    for _ in range(count // PORTION + count // MOST + 2):
        chosen = sweep(rounds, index, over)
        assert len(chosen) <= PORTION * 2 + MOST
        assert len(chosen) == len(set(chosen))
        met |= set(chosen)
    assert met == set(index)
    assert set(rounds.running) == set(index) - over


def test_those_that_run_take_turns() -> None:
    rounds = Rounds(PORTION, MOST)
    names = [f"run-{number}" for number in range(MOST * 3)]
    rounds.saw(names, [look(name) for name in names])
    met: list[str] = []
    for _ in range(3):
        chosen = rounds.choose([], [])
        rounds.saw(chosen, [look(name) for name in chosen])
        met += chosen
    assert sorted(met) == sorted(names)
