"""A few reports a second, the newest; the last one always."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from runtail.delivery.throttle import Throttle


class Sent:
    """A throttle that never comes to its time, unless `pass_time` is called."""

    def __init__(self, seconds: float = 1000.0, max_keys: int = 4) -> None:
        self.sent: list[int] = []
        self.asked: list[Callable[[], None]] = []
        self.throttle: Throttle[int] = Throttle(seconds, max_keys, self.sent.append, self._later)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self.asked.append(action)

    def offer(self, *values: int, key: str = "") -> None:
        for value in values:
            self.throttle.offer(key, lambda value=value: value)  # type: ignore[misc]


def test_the_first_report_goes_at_once_and_the_newest_waits() -> None:
    reports = Sent()
    reports.offer(1, 2, 3)
    assert reports.sent == [1]
    reports.throttle.flush()
    assert reports.sent == [1, 3]


def test_a_report_that_waits_is_sent_in_its_time_without_another_one() -> None:
    reports = Sent(seconds=0.0001)
    reports.offer(1)
    while not reports.asked:
        reports.offer(2)
    reports.throttle.offer("", lambda: 3)
    while reports.sent[-1] != 3:
        reports.asked.pop()()
    assert reports.sent[0] == 1


def test_somebody_is_asked_to_look_again_once_not_for_each_report() -> None:
    reports = Sent()
    reports.offer(*range(100))
    reports.offer(*range(100), key="other")
    assert len(reports.asked) == 1


def test_a_forked_process_leaves_to_its_parent_what_waits() -> None:
    reports = Sent()
    reports.offer(1, 2)
    reports.throttle.begin_anew()
    reports.throttle.close()
    assert reports.sent == [1]
    reports.offer(3, 4)
    assert (reports.sent, len(reports.asked)) == ([1, 3], 2)


def test_keys_do_not_wait_for_each_other_and_are_closed_apart() -> None:
    reports = Sent()
    reports.offer(1, 2, key="a")
    reports.offer(3, 4, key="b")
    reports.throttle.close(lambda key: key == "a")
    assert reports.sent == [1, 3, 2]


def test_more_keys_than_the_bound_send_what_the_oldest_has() -> None:
    reports = Sent(max_keys=1)
    reports.offer(1, 2, key="a")
    reports.offer(3, 4, key="b")
    assert reports.sent == [1, 2, 3]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=50))
def test_the_last_report_of_each_key_is_always_sent(reports: list[tuple[str, int]]) -> None:
    sent: list[tuple[str, int]] = []
    throttle: Throttle[tuple[str, int]] = Throttle(1000, 2, sent.append, lambda *_: None)
    for report in reports:
        throttle.offer(report[0], lambda report=report: report)  # type: ignore[misc]
    throttle.close()
    assert dict(sent) == dict(reports)
