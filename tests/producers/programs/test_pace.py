"""A wrapped program waits for an engine that stores, never for one that does not."""

from __future__ import annotations

from runtail.delivery.buffer import Counters
from runtail.programs.pace import PATIENCE_SECONDS, Pace


class World:
    """A publisher's counters, and a clock to turn."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.now = 100.0
        self.pace = Pace(lambda: self.counters, 10, lambda: self.now)

    def waits(self, stored: int, pending: int, after: float = 0.0) -> bool:
        self.now += after
        self.counters = Counters(stored=stored, pending=pending)
        return self.pace.must_wait()


def test_few_records_are_no_reason_to_wait() -> None:
    assert not World().waits(0, 10)


def test_a_program_waits_while_the_engine_stores() -> None:
    world = World()
    assert all(world.waits(stored, 11, PATIENCE_SECONDS / 2) for stored in range(10))


def test_a_program_waits_for_no_engine_that_is_away() -> None:
    world = World()
    assert world.waits(5, 11)
    assert world.waits(5, 11, PATIENCE_SECONDS * 0.9)
    assert not world.waits(5, 11, PATIENCE_SECONDS * 0.2)
    assert not world.waits(5, 50_000, 3600)


def test_it_waits_again_once_the_engine_is_back() -> None:
    world = World()
    world.waits(5, 11)
    assert not world.waits(5, 11, PATIENCE_SECONDS * 2)
    assert world.waits(6, 11)
