"""Processes that spill, die and take over from each other, against the real scripts.

A model, not an example: whatever is lost and whoever dies, what was acknowledged or spilled is
stored once, in order.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.producers.model_engine import ModelEngine

from runtail.delivery.ask import Leave
from runtail.delivery.backoff import RareWarnings
from runtail.delivery.buffer import Buffer
from runtail.delivery.held import Held, Sealed
from runtail.delivery.journal import Journal
from runtail.delivery.spill import SUFFIX, Spill
from runtail.delivery.spill_file import entries
from runtail.settings import PublisherSettings
from runtail_broker.records.frame import decode_frame
from runtail_broker.records.record import encode
from runtail_broker.script import Limits

BEAT, HELD = 1.0, 1e6
ROUNDS_TO_SETTLE = 100

STEP = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 5)),
    st.tuples(st.just("publish"), st.integers(1, 4)),
    st.tuples(st.just("round"), st.sampled_from(["fine", "request lost", "answer lost"])),
    st.tuples(st.just("cut"), st.integers(0, 3)),
    st.tuples(st.just("keep"), st.just(0)),
    st.tuples(st.just("go back"), st.just(0)),
    st.tuples(st.just("wait"), st.just(0)),
    st.tuples(st.just("spill"), st.just(0)),
    st.tuples(st.just("sweep"), st.just(0)),
    st.tuples(st.just("kill"), st.just(0)),  # without a word …
    st.tuples(st.just("exit"), st.just(0)),  # … or after everything was spilled
)
STEPS = st.integers(5, 40).flatmap(lambda size: st.lists(STEP, min_size=size, max_size=size))


class World(ModelEngine):
    """One execution on a real engine, and processes that follow each other in publishing to it."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, "spill")
        self.folder = folder
        self.settings = PublisherSettings(
            max_frame_records=3, max_call_batches=3, beat_seconds=BEAT, held_seconds=HELD
        )
        self.processes = self.added = 0
        self.firsts: list[int] = []  # of each process, the number it began with
        self.now = 0.0
        self.safe: set[int] = set()  # what dead processes had stored or spilled
        self.live()

    def live(self) -> None:
        """Start a process, which takes over what is there."""
        self.processes += 1
        self.firsts.append(self.added + 1)
        name = f"p{self.processes}"
        self.buffer, self.held = Buffer(self.settings), Held(1 << 30, HELD)
        warnings = RareWarnings(logging.getLogger("runtail"), 60)
        self.spill = Spill(name, self.folder, self.settings, self.buffer, self.held, warnings)
        self.own = Journal(name, self.id, held=self.held, settings=self.settings)
        self.journals = [self.own, *self.spill.take_over()]

    def die(self) -> None:
        """End the process; what it neither stored nor spilled is gone, and nobody can know."""
        self.spill.abandon()
        self.keep()  # a failover from now on takes what nobody holds any more: no promise
        self.safe |= {*self.stored(), *self.in_files()}
        self.live()

    def exit(self) -> None:
        """End the process as one ends that has a spill folder."""
        self.spill.spill(self.own, at_exit=True)
        self.die()

    def in_files(self) -> list[int]:
        found: list[int] = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            data = path.read_bytes()
            for entry in entries(lambda offset, length, data=data: data[offset : offset + length]):  # type: ignore[misc]
                if isinstance(entry.written, Sealed):
                    found += numbers(decode_frame(entry.written.batch.frame))
        return found

    def add(self, count: int) -> None:
        for _ in range(count):
            self.added += 1
            self.buffer.add(self.own, encode(self.id, {"message": str(self.added)}))

    def publish(self, count: int) -> None:
        """Add, and do a round without a fault."""
        self.add(count)
        self.round()

    def round(self, fate: str = "fine", at_most: int = 99) -> None:
        """Do what a lane does, over a link that loses what *fate* says."""
        for journal in self.journals:
            while journal.takes_items:
                journal.seal(self.buffer.take(journal))
            self.spill.bring_in(journal)
            asks = journal.asks(self.now, Limits())
            if fate == "request lost":
                continue
            answers = [(ask, self.run(ask.call)) for ask in asks[:at_most]]
            for ask, answer in answers if fate == "fine" else []:
                for sealed in journal.answered(ask, answer, self.now):
                    self.buffer.settle(sealed)

    def wait(self) -> None:
        """Let so much time go by that beats are due."""
        self.now += BEAT

    def settle(self) -> None:
        """Let everybody leave, without further faults; beats look for what is missing first."""
        self.wait()
        for _ in range(3):
            self.round()
        self.own.leave(Leave("completed"))
        for _ in range(ROUNDS_TO_SETTLE):
            self.round()
            if all(j.has_left and j.settled == j.pending.added for j in self.journals):
                break
        else:
            raise AssertionError("the publishers do not come to an end")
        self.held.let_go(self.now + 2 * HELD)
        assert all(journal.expired(self.now + 2 * HELD) for journal in self.journals)
        self.spill.sweep([])

    def stored(self) -> list[int]:
        return numbers(self.lines())

    def clean(self) -> None:
        self.spill.abandon()
        self.redis.delete(*self.keys.for_scripts)
        self.redis.close()


def numbers(records: list[bytes]) -> list[int]:
    """Read what was logged, in order."""
    logged = [orjson.loads(json) for json in records]
    return [int(r["message"]) for r in logged if "kind" not in r and r["message"].isdigit()]


def step(world: World, name: str, argument: int | str) -> None:
    steps: dict[str, Callable[[], None]] = {
        "add": lambda: world.add(int(argument)),
        "publish": lambda: world.publish(int(argument)),
        "round": lambda: world.round(str(argument)),
        "cut": lambda: world.round("fine", int(argument)),
        "keep": world.keep,
        "go back": world.go_back,
        "wait": world.wait,
        "spill": lambda: world.spill.spill(world.own),
        "sweep": lambda: world.spill.sweep(world.journals),
        "kill": world.die,
        "exit": world.exit,
    }
    steps[name]()


@settings(max_examples=200)
@given(steps=STEPS)
def test_what_was_acknowledged_or_spilled_is_stored_once_and_in_order(
    engine_url: str, steps: list[tuple[str, int | str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(engine_url, Path(folder))
        try:
            for name, argument in steps:
                step(world, name, argument)
            alive = set(range(world.firsts[-1], world.added + 1))
            world.settle()
            stored = world.stored()
            assert len(stored) == len(set(stored))
            assert world.safe | alive <= set(stored)
            for first, behind in pairwise([*world.firsts, world.added + 1]):
                of_one = [n for n in stored if first <= n < behind]
                assert of_one == sorted(of_one)
            told = world.buffer.counters(0)
            assert told.pending == told.spilled == 0
            assert told.accepted == told.stored + told.dropped
            assert not list(Path(folder).iterdir())
        finally:
            world.clean()
