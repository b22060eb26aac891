"""Publishers' journals against the real scripts, under any loss of requests, answers and history.

A model, not an example: whatever is lost, what is added is stored once, in order, or counted by a
`lost` record at its place.
"""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.producers.model_engine import ModelEngine

from runtail.delivery.ask import Ask, Leave
from runtail.delivery.buffer import Buffer
from runtail.delivery.held import Held
from runtail.delivery.journal import Journal
from runtail.settings import PublisherSettings
from runtail_broker.records.record import encode
from runtail_broker.script import Answer, Limits

ROUNDS_TO_SETTLE = 60
BEAT = 1.0

STEP = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 5)),
    st.tuples(st.just("publish"), st.integers(1, 4)),  # add, and do a round without a fault
    st.tuples(st.just("round"), st.sampled_from(["fine", "request lost", "answer lost"])),
    st.tuples(st.just("cut"), st.integers(0, 3)),  # only so many calls of the round are done
    st.tuples(st.just("keep"), st.just(0)),  # remember this moment of the engine …
    st.tuples(st.just("go back"), st.just(0)),  # … and fail over to it
    st.tuples(st.just("empty"), st.just(0)),
    st.tuples(st.just("wait"), st.just(0)),  # until a beat is due
)
STEPS = st.integers(5, 30).flatmap(lambda size: st.lists(STEP, min_size=size, max_size=size))


class World(ModelEngine):
    """One execution on a real engine, and one publisher's journal for it."""

    def __init__(self, url: str, held_bytes: int, buffer_records: int) -> None:
        super().__init__(url, "model")
        self.settings = PublisherSettings(
            max_frame_records=3,
            max_held_bytes=held_bytes,
            max_buffer_records=buffer_records,
            max_call_batches=3,
            beat_seconds=BEAT,
            held_seconds=1e9,
        )
        self.buffer = Buffer(self.settings)
        self.held = Held(held_bytes, 1e9)
        self.journal = Journal("p", self.id, held=self.held, settings=self.settings)
        self.now = 0.0
        self.added = 0
        self.round()  # the opening
        self.keep()

    def add(self, count: int) -> None:
        for _ in range(count):
            self.added += 1
            self.buffer.add(self.journal, encode(self.id, {"message": str(self.added)}))

    def round(self, fate: str = "fine", at_most: int = 99) -> None:
        """Do what a lane does, over a link that loses what *fate* says."""
        while self.journal.takes_items:
            self.journal.seal(self.buffer.take(self.journal))
        asks = self.journal.asks(self.now, Limits())
        if fate == "request lost":
            return
        answers = [(ask, self.run(ask.call)) for ask in asks[:at_most]]
        if fate == "fine":
            for ask, answer in answers:
                self.take(ask, answer)

    def take(self, ask: Ask, answer: Answer) -> None:
        for sealed in self.journal.answered(ask, answer, self.now):
            self.buffer.settle(sealed)

    def empty(self) -> None:
        self.redis.delete(*self.keys.for_scripts)
        self.copy = dict.fromkeys(self.keys.for_scripts)

    def settle(self) -> None:
        """Let the publisher leave, without further faults; it has a beat's time to look."""
        self.journal.leave(Leave("completed"))
        for _ in range(ROUNDS_TO_SETTLE):
            self.round()
            if self.journal.has_left and self.journal.settled == self.journal.pending.added:
                return
        raise AssertionError("the publisher does not come to an end")

    def clean(self) -> None:
        self.redis.delete(*self.keys.for_scripts)
        self.redis.close()


def step(world: World, name: str, argument: int | str) -> None:
    match name:
        case "add":
            world.add(int(argument))
        case "publish":
            world.add(int(argument))
            world.round()
        case "round":
            world.round(str(argument))
        case "cut":
            world.round("fine", int(argument))
        case "keep":
            world.keep()
        case "go back":
            world.go_back()
        case "empty":
            world.empty()
        case "wait":
            world.now += BEAT


def stored_numbers(world: World) -> list[int]:
    return [
        int(str(record["message"]))
        for record in world.records()
        if "kind" not in record and str(record["message"]).isdigit()
    ]


@settings(max_examples=150)
@given(steps=STEPS)
def test_all_that_is_held_is_stored_once_and_in_order(
    engine_url: str, steps: list[tuple[str, int | str]]
) -> None:
    world = World(engine_url, held_bytes=1 << 30, buffer_records=1000)
    try:
        for name, argument in steps:
            step(world, name, argument)
        world.settle()
        assert stored_numbers(world) == list(range(1, world.added + 1))
        assert not [r for r in world.records() if r.get("kind") == "lost"]
        assert world.records()[-1]["kind"] == "end"
    finally:
        world.clean()


@settings(max_examples=150)
@given(steps=STEPS, held_bytes=st.integers(1, 600), buffer_records=st.integers(3, 12))
def test_what_is_not_stored_is_counted_at_its_place(
    engine_url: str,
    steps: list[tuple[str, int | str]],
    held_bytes: int,
    buffer_records: int,
) -> None:
    world = World(engine_url, held_bytes, buffer_records)
    try:
        for name, argument in steps:
            step(world, name, argument)
        world.settle()
        numbers = stored_numbers(world)
        assert numbers == sorted(set(numbers))
        assert all(told >= 1 for missing, told in holes(world) if missing)
        counters = world.buffer.counters(0)
        assert counters.pending == 0
        assert counters.stored + counters.dropped == world.added
    finally:
        world.clean()


@settings(max_examples=150)
@given(steps=STEPS, held_bytes=st.integers(1, 600))
def test_a_hole_is_declared_with_its_exact_count(
    engine_url: str, steps: list[tuple[str, int | str]], held_bytes: int
) -> None:
    world = World(engine_url, held_bytes, buffer_records=1000)
    try:
        for name, argument in steps:
            step(world, name, argument)
        world.settle()
        notes = world.journal._count - world.added  # the publisher's own word about an earlier hole
        for missing, told in holes(world):
            assert missing <= told <= missing + notes
    finally:
        world.clean()


def holes(world: World) -> Iterator[tuple[int, int]]:
    """Walk the records; at each jump say how many numbers are missing and how many are told."""
    at, told = 0, 0
    behind_the_last: dict[str, object] = {"message": str(world.added + 1)}
    for record in [*world.records(), behind_the_last]:
        if record.get("kind") == "lost":
            told += int(str(record["lost"]))
        elif "kind" not in record and str(record["message"]).isdigit():
            yield int(str(record["message"])) - at - 1, told
            at, told = int(str(record["message"])), 0


def test_an_idle_publisher_sends_again_what_a_failover_took(engine_url: str) -> None:
    world = World(engine_url, 1 << 20, 100)
    world.add(3)
    world.round()
    world.go_back()
    world.now += BEAT
    world.round()  # the beat
    world.round()
    assert stored_numbers(world) == [1, 2, 3]
    world.clean()
