"""What holds for a viewer whatever a gateway sends."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.producers.fake_gateway import cursor, end, hello, log, records, reset

from runtail.watching.viewer import Viewer
from runtail.watching.viewer_event import Broken, Event, Gap, Records, Retry


def taken(viewer: Viewer, *messages: dict[str, Any]) -> list[Event]:
    return [event for message in messages for event in viewer.take(json.dumps(message))]


def seqs(events: list[Event]) -> list[int]:
    return [r["seq"] for event in events if isinstance(event, Records) for r in event.records]


@given(st.floats(min_value=0, max_value=1), st.integers(min_value=1, max_value=2000))
def test_the_delay_is_always_within_its_bounds(chance: float, tries: int) -> None:
    viewer = Viewer(chance=lambda: chance)
    decisions = [viewer.cut(None, "") for _ in range(tries)]
    assert all(isinstance(d, Retry) and 0.1 <= d.delay_seconds <= 10 for d in decisions)


Life = list[tuple[str, int]]
LIVES = st.lists(
    st.tuples(st.sampled_from(["records", "reset", "replay"]), st.integers(1, 400)), max_size=60
)


@given(LIVES)
def test_cursors_are_always_few_newest_first_and_never_beyond_a_reset(life: Life) -> None:
    viewer, last, tag = Viewer(), 0, 7
    taken(viewer, hello())
    for deed, size in life:
        if deed == "reset" and last:
            last, tag = size % (last + 1), tag + 1
            taken(viewer, reset(last) | {"cursor": cursor(last, tag)})
        elif deed == "records":
            taken(viewer, records(*(log(last + i) for i in range(1, size + 1)), tag=tag))
            last += size
        elif last:
            taken(viewer, records(log(1 + size % last), tag=tag))
        numbers = [c.number for c in viewer.cursors()]
        assert len(numbers) <= 8
        assert numbers == sorted(set(numbers), reverse=True)
        assert numbers[0] == last


@given(st.integers(min_value=9, max_value=3000))
def test_cursors_always_reach_back_in_widening_steps(frames: int) -> None:
    viewer = Viewer()
    taken(viewer, hello(), *(records(log(seq)) for seq in range(1, frames + 1)))
    ages = [frames - c.number for c in viewer.cursors()]
    assert ages[0] == 0
    assert ages[1] <= 10
    assert ages[-1] == frames
    assert len(ages) == 8


@given(st.data())
def test_every_line_is_always_shown_once_or_named(data: st.DataObject) -> None:
    viewer, last, named = Viewer(), data.draw(st.integers(1, 60)), 0
    shown: list[int] = []
    while viewer.status is None:
        after = viewer.cursors()[0].number if viewer.cursors() else 0
        messages = [hello(after)]
        while after < last:
            upto = data.draw(st.integers(after + 1, last))
            if data.draw(st.integers(0, 5)) == 5:  # a gateway that forgets a message
                after = upto
                continue
            again = data.draw(st.integers(max(1, after - 2), after + 1))
            messages.append(records(*(log(seq) for seq in range(again, upto + 1))))
            after = upto
        messages.append(end(last))
        for message in messages[: len(messages) - data.draw(st.integers(0, len(messages) - 1))]:
            events = taken(viewer, message)
            shown += seqs(events)
            named += sum(e.lost or 0 for e in events if isinstance(e, Gap))
            if any(isinstance(event, Broken) for event in events):
                break
    assert shown == sorted(set(shown))
    assert len(shown) + named == last
