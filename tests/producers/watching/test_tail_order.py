"""Lines of several executions come in the order of their time, each execution's own in its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtail.watching.tail_order import MOST_HELD, Order, place_of

NAMES = ("a", "b", "c")


def test_history_waits_for_the_others_and_live_lines_do_not() -> None:
    order: Order[str] = Order(NAMES[:2])
    order.add("a", (1, 0), "a1")
    order.add("a", (5, 0), "a5")
    assert list(order.ready()) == []
    order.add("b", (3, 0), "b3")
    assert list(order.ready()) == ["a1", "b3"]
    order.is_live("b")
    assert list(order.ready()) == ["a5"]
    order.is_live("a")
    order.add("b", (4, 0), "b4, which comes late")
    assert list(order.ready()) == ["b4, which comes late"]


def test_what_has_no_time_stays_behind_what_came_before_it() -> None:
    order: Order[str] = Order(NAMES[:2])
    order.add("a", (9, 0), "a9")
    order.add("a", None, "the end of a")
    order.add("b", (8, 0), "b8")
    assert list(order.rest()) == ["b8", "a9", "the end of a"]


def test_no_more_than_the_bound_is_held() -> None:
    order: Order[int] = Order(NAMES[:2])
    for number in range(MOST_HELD):
        order.add("a", (number, 0), number)
    assert list(order.ready()) == []
    order.add("a", (MOST_HELD, 0), MOST_HELD)
    assert list(order.ready()) == list(range(MOST_HELD + 1))


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 9), st.booleans())))
def test_always_all_come_once_and_each_executions_own_in_order(
    added: list[tuple[str, int, bool]],
) -> None:
    order: Order[tuple[str, int]] = Order(NAMES)
    came: list[tuple[str, int]] = []
    for number, (name, ms, look) in enumerate(added):
        order.add(name, (ms, 0), (name, number))
        came += order.ready() if look else []
    came += order.rest()
    for name in NAMES:
        assert [n for who, n in came if who == name] == [
            n for n, (who, *_) in enumerate(added) if who == name
        ]


def test_a_records_id_is_its_place() -> None:
    assert [place_of(text) for text in ("12-3", "12", None, "a-b")] == [(12, 3), None, None, None]
