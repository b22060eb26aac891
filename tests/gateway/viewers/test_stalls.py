"""Who takes nothing of what waits for it, and who must go when too much waits."""

from __future__ import annotations

from runtail_gateway.viewers.stalls import Stalls


def stalls() -> Stalls[str]:
    return Stalls(stall_seconds=10.0, most_bytes=1000)


def test_who_takes_nothing_for_as_long_as_may_be_has_stalled() -> None:
    looks = stalls()
    assert [looks.look({"a": 5}, at).stalled for at in (0.0, 9.9, 10.0)] == [[], [], ["a"]]


def test_what_is_added_does_not_hide_that_nothing_is_taken() -> None:
    looks = stalls()
    assert [looks.look({"a": 5 + int(at)}, at).stalled for at in (0.0, 5.0, 10.0)][-1] == ["a"]


def test_who_takes_a_little_has_not_stalled() -> None:
    looks = stalls()
    sizes = [(0.0, 50), (9.0, 49), (18.0, 60), (18.9, 61)]
    assert [looks.look({"a": size}, at).stalled for at, size in sizes] == [[], [], [], []]
    assert looks.look({"a": 61}, 19.0).stalled == ["a"]  # since 9.0


def test_who_took_all_begins_anew() -> None:
    looks = stalls()
    looks.look({"a": 5}, 0.0)
    looks.look({}, 5.0)
    assert looks.look({"a": 5}, 10.0).stalled == []


def test_it_is_full_beyond_the_bound_and_not_at_it() -> None:
    assert stalls().look({"a": 600, "b": 400}, 0.0).full is False
    assert stalls().look({"a": 600, "b": 401}, 0.0).full is True


def test_those_for_whom_most_waits_go_until_it_fits_and_no_more() -> None:
    waiting = {"a": 300, "b": 700, "c": 100, "d": 600}
    assert stalls().look(waiting, 0.0).slowest == ["b"]
    assert stalls().look({**waiting, "e": 1}, 0.0).slowest == ["b", "d"]


def test_who_has_stalled_need_not_go_twice() -> None:
    looks = stalls()
    looks.look({"a": 900}, 0.0)
    verdict = looks.look({"a": 900, "b": 800}, 10.0)
    assert (verdict.stalled, verdict.slowest) == (["a"], [])
