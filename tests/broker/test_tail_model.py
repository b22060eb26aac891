"""The tail, the proofs and the cursor memory against lists, under every fault a stream can have."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.broker.tail_world import Owner, Sealed, Viewer, World, check

from runtail_broker.cursor import START
from runtail_broker.records.entry import Entry

SETTLE_ROUNDS = 300
counts = st.integers(1, 4)
picks = st.integers(0, 1_000_000)
yes = st.sampled_from([True, True, False])
shifts = st.sampled_from([0, 0, -1, 1, -1000, 1000])


class TailMachine(RuleBasedStateMachine):
    """One execution, one gateway's tail, a few viewers; a primary, and one that is past."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 5000
        self.names = 0
        self.world = World()
        self.past: World | None = None
        self.batches: dict[bytes, Sealed] = {}
        self.in_flight: list[Entry] = []
        self.delivered: list[Entry] = []
        self.owner = Owner()

    def _name(self) -> int:
        self.names += 1
        return self.names

    def _store(self, world: World, batch: Sealed) -> World:
        self.batches[str(batch.name).encode()] = batch
        world = world.append(batch, self.now)
        self.in_flight.append(world.entries[-1])
        return world

    @initialize(count=counts)
    def begin(self, count: int) -> None:
        self.open(count)
        self.owner.viewers = [Viewer.at(START), Viewer.at(self.world.last)]

    @precondition(lambda self: self.world.epoch is None)
    @rule(count=counts)
    def open(self, count: int) -> None:
        self.world = World().opened(self._name() * 7919)
        self.world = self._store(self.world, Sealed(self._name(), count))

    # what happens to the stream

    @precondition(lambda self: self.world.epoch is not None)
    @rule(counted=st.lists(counts, min_size=1, max_size=4), later=st.integers(0, 2), heard=yes)
    def append(self, counted: list[int], later: int, heard: bool) -> None:
        self.now += later
        for count in counted:
            self.world = self._store(self.world, Sealed(self._name(), count))
        if heard:
            self.deliver("all", 0)

    @precondition(lambda self: len(self.world.entries) > 1)
    @rule(
        lose=st.integers(1, 4),
        shift=shifts,
        seen=yes,
        order=st.permutations(range(4)),
        sent=st.integers(0, 4),
    )
    def fail_over(self, lose: int, shift: int, seen: bool, order: list[int], sent: int) -> None:
        """An older copy takes over, its clock as it may be; the old primary lives on, alone.

        Publishers send the very batches that were lost, all or some, in an order of their own.
        """
        if seen:
            self.read("prove")
            self.pull_all()
        self.past = self.world
        self.world = self.world.without_last(lose)
        gone = self.past.entries[len(self.world.entries) :]
        self.now += shift
        again = [self.batches[gone[i].frame] for i in order if i < len(gone)]
        for batch in again[:sent]:
            self.world = self._store(self.world, batch)

    @precondition(lambda self: self.past is not None and self.world.epoch == self.past.epoch)
    @rule()
    def fail_back(self) -> None:
        """The old primary, with all that it took in alone, is the primary again."""
        assert self.past is not None
        self.world, self.past = self.past, self.world

    @precondition(lambda self: self.past is not None)
    @rule(count=counts)
    def append_to_the_old_primary(self, count: int) -> None:
        assert self.past is not None
        self.past = self._store(self.past, Sealed(self._name(), count))

    @precondition(lambda self: len(self.world.history) > 3)
    @rule(how=st.sampled_from(["trim", "trim", "trim", "evict", "empty"]), count=st.integers(1, 5))
    def lose_records(self, how: str, count: int) -> None:
        match how:
            case "trim":
                self.world = self.world.trimmed(count)
            case "evict":
                self.world = self.world.evicted()
            case "empty":
                self.world = World()
                if count > 1:
                    self.open(count - 1)

    # what the live channel does

    @precondition(lambda self: self.in_flight)
    @rule(
        how=st.sampled_from(["all", "all", "all", "one", "lose", "lose all", "repeat"]), pick=picks
    )
    def deliver(self, how: str, pick: int) -> None:
        """Frames arrive, each or one out of turn; or never, or once more."""
        some = pick % len(self.in_flight)
        chosen = self.in_flight[some : some + 1] if how in ("one", "lose") else self.in_flight
        if how == "repeat":
            self.owner.hear((self.delivered or chosen)[pick % len(self.delivered or chosen)])
            return
        self.in_flight = [entry for entry in self.in_flight if entry not in chosen]
        if how in ("all", "one"):
            self.delivered += chosen
            for entry in chosen:
                self.owner.hear(entry)
                self._has_it_or_doubts(entry)

    def _has_it_or_doubts(self, heard: Entry) -> None:
        """Who heard a frame and lacks it knows that something is missing."""
        cursor = self.owner.tail.cursor
        has = cursor is not None and cursor.number >= heard.last_seq
        assert has or self.owner.doubted, f"{heard.end} was heard, and nobody looks for it"

    # what the gateway does

    @rule(how=st.sampled_from(["prove", "prove", "doubt", "begin", "finish"]))
    def read(self, how: str) -> None:
        """The tail is proved at once or with time between; `doubt` is a fresh subscription."""
        self.owner.doubted |= how in ("doubt", "prove")
        if how in ("begin", "prove"):
            self.owner.begin_read(self.world)
        if how in ("finish", "prove"):
            self.owner.finish_read()

    # what viewers do

    @precondition(lambda self: len(self.owner.viewers) < 4)
    @rule(from_the_end=st.booleans())
    def view(self, from_the_end: bool) -> None:
        cursor = self.world.last if from_the_end else START
        self.owner.viewers.append(Viewer.at(cursor))

    @rule(pick=picks, at_most=st.integers(1, 3), times=st.integers(1, 4))
    def pull(self, pick: int, at_most: int, times: int) -> None:
        viewer = self._viewer(pick)
        for _ in range(times):
            viewer.pull(self.owner, self.world, at_most)

    @rule()
    def pull_all(self) -> None:
        for viewer in self.owner.viewers * 8:
            viewer.pull(self.owner, self.world, 3)

    @rule(pick=picks, seq=st.integers(0, 40))
    def fall_behind(self, pick: int, seq: int) -> None:
        """A viewer leaves the head; or it comes back with the cursor of an earlier record."""
        self._viewer(pick).go_back(seq, self.owner.tail)

    def _viewer(self, pick: int) -> Viewer:
        return self.owner.viewers[pick % len(self.owner.viewers)]

    # what must be true

    @invariant()
    def the_tail_holds_one_history_up_to_its_cursor(self) -> None:
        held = [h.entry for h in self.owner.tail._held]
        assert [e.before for e in held[1:]] == [e.tag for e in held[:-1]]
        assert [e.seq for e in held[1:]] == [e.last_seq + 1 for e in held[:-1]]
        assert not held or held[-1].end == self.owner.tail.cursor

    @rule()
    def everybody_agrees_once_it_is_quiet(self) -> None:
        self.owner.finish_read()  # it may be out of date
        self.owner.waiting.clear()
        self.owner.doubted = True
        for _ in range(SETTLE_ROUNDS):
            self.owner.begin_read(self.world)
            self.owner.finish_read()
            for viewer in self.owner.viewers:
                viewer.pull(self.owner, self.world, 2)
            if not self.owner.doubted and all(v.joined_seq is not None for v in self.owner.viewers):
                break
        else:
            raise AssertionError(f"not settled after {SETTLE_ROUNDS} rounds")
        assert self.owner.tail.cursor == self.world.last
        for viewer in self.owner.viewers:
            check(viewer, self.world)

    def teardown(self) -> None:
        if self.owner is not None:
            self.everybody_agrees_once_it_is_quiet()


TestTail = TailMachine.TestCase
TestTail.settings = settings(max_examples=150, stateful_step_count=40)
