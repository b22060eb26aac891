"""Streams with histories as lists, and who reads them: what the tail is tested against. No I/O.

`World` appends as append.lua does. `Owner` and `Viewer` do what a gateway does with `Tail`, `prove`
and `CursorMemory`, and decide nothing of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from runtail_broker.cursor import START, Cursor, CursorMemory, RecordId, chain, start_of
from runtail_broker.proof import (
    NOTHING,
    Bounds,
    Continues,
    Diverged,
    Gap,
    Verdict,
    prove,
    worth_a_reset,
)
from runtail_broker.records.entry import Entry
from runtail_broker.records.splice import SEPARATOR
from runtail_broker.tail import Fed, Rendered, Tail

PAGE = 2
RING_BYTES = 60  # a few entries: the ring must run out


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch as its publisher holds it: what is in it never changes."""

    name: int
    count: int

    @property
    def random(self) -> int:
        return (self.name * 2_654_435_761) % 4_294_967_291


@dataclass(frozen=True, slots=True)
class World:
    """One stream at one moment: *entries* are kept, *history* is all since the epoch."""

    epoch: int | None = None
    entries: tuple[Entry, ...] = ()
    history: tuple[Entry, ...] = ()
    first_seq: int = 0
    last: Cursor = START

    def opened(self, epoch: int) -> World:
        return World(epoch, last=start_of(epoch))

    def append(self, batch: Sealed, now: int) -> World:
        before, (ms, n) = self.last, self.last.id
        n += batch.count
        if now > ms:
            ms, n = now, batch.count - 1
        place = RecordId(ms, n)
        tag = chain(before.tag or 0, batch.random, place)
        frame = f"{batch.name}".encode()
        first = before.number + 1
        entry = Entry(place, first, batch.count, before.tag or 0, tag, 0, frame)
        kept = (*self.entries, entry)
        first_seq = self.first_seq if self.entries else first
        return World(self.epoch, kept, (*self.history, entry), first_seq, entry.end)

    def without_last(self, count: int) -> World:
        """The copy of a replica that lags by *count* entries."""
        keep = max(1, len(self.entries) - count)
        if keep >= len(self.entries):
            return self
        lost = len(self.entries) - keep
        entries = self.entries[:keep]
        return replace(self, entries=entries, history=self.history[:-lost], last=entries[-1].end)

    def trimmed(self, count: int) -> World:
        kept = self.entries[min(count, len(self.entries) - 1) :] if self.entries else ()
        return replace(self, entries=kept, first_seq=kept[0].seq) if kept else self

    def evicted(self) -> World:
        return replace(self, entries=())

    @property
    def bounds(self) -> Bounds:
        return NOTHING if self.epoch is None else Bounds(self.epoch, self.first_seq, self.last)

    def prove(self, cursor: Cursor) -> Verdict:
        after = [entry for entry in self.entries if entry.id > cursor.id]
        return prove(cursor, after[:PAGE], self.bounds)

    def resume(self, cursors: Sequence[Cursor]) -> Verdict:
        """Do as `StreamReader.resume`."""
        newest = self.prove(cursors[0])
        if isinstance(newest, Diverged):
            for cursor in cursors[1:]:
                verdict = self.prove(cursor)
                if worth_a_reset(cursor, verdict):
                    return verdict
        return newest


def render(entry: Entry) -> list[bytes]:
    """Give each record a text that names its place and its batch."""
    first = entry.first_id
    return [
        b"%d-%d #%d %b.%d" % (first.ms, first.n + i, entry.seq + i, entry.frame, i)
        for i in range(entry.count)
    ]


def text_of(entry: Entry) -> bytes:
    return SEPARATOR.join(render(entry))


@dataclass
class Owner:
    """The part of a gateway that keeps the tail true; reads take time, in which live goes on."""

    tail: Tail = field(default_factory=lambda: Tail(text_of, max_bytes=RING_BYTES))
    viewers: list[Viewer] = field(default_factory=list)
    doubted: bool = True
    page: tuple[Verdict, Bounds] | None = None
    waiting: list[Entry] = field(default_factory=list)

    def hear(self, entry: Entry) -> None:
        if self.doubted:
            self.waiting.append(entry)
        else:
            self._feed(entry)

    def begin_read(self, world: World) -> None:
        """Ask the stream; the answer is used later, when it may be out of date."""
        if self.doubted and self.page is None:
            asked = self.tail.cursors() if self.tail.cursor else []
            verdict = world.resume(asked) if asked else Diverged("not placed")
            self.page = (verdict, world.bounds)

    def finish_read(self) -> None:
        if self.page is None:
            return
        (verdict, bounds), self.page = self.page, None
        match verdict:
            case Continues(cursor, entries):
                if cursor != self.tail.cursor:
                    self._send_away()
                    self.tail.rewind(cursor)
                self.tail.extend(list(entries))
                self._pass_on(list(entries))
                self.doubted = bool(entries)
            case _:
                self._send_away()
                self.tail.jump(bounds.last)
                self.doubted = False
        if not self.doubted:
            waiting, self.waiting = self.waiting, []
            for entry in waiting:
                self.hear(entry)

    def _feed(self, entry: Entry) -> None:
        match self.tail.feed(entry):
            case Fed.APPENDED:
                self._pass_on([entry])
            case Fed.DOUBTED:
                self.doubted = True

    def _pass_on(self, entries: list[Entry]) -> None:
        for viewer in self.viewers:
            if viewer.joined_seq is not None:
                for entry in entries:
                    viewer.take(entry, remember=False)

    def _send_away(self) -> None:
        for viewer in self.viewers:
            viewer.leave_head(self.tail)


@dataclass
class Viewer:
    """A cursor, and what was received: texts by seq, and the seqs that were told to be gone."""

    cursor: Cursor
    memory: CursorMemory
    got: dict[int, bytes] = field(default_factory=dict)
    places: dict[int, Cursor] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    floor: int = 0
    joined_seq: int | None = None

    @classmethod
    def at(cls, cursor: Cursor) -> Viewer:
        return cls(cursor, CursorMemory(cursor, size=4), floor=cursor.number)

    def take(self, entry: Entry, skip: int = 0, *, remember: bool = True) -> None:
        for i, text in list(enumerate(render(entry)))[skip:]:
            seq = entry.seq + i
            assert seq not in self.got, f"received {seq} twice"
            assert not self.got or seq > max(self.got), f"received {seq} after {max(self.got)}"
            self.got[seq], self.places[seq] = text, entry.cursor_at(seq)
        self.cursor = entry.end
        if remember:
            self.memory.add(self.cursor)

    def pull(self, owner: Owner, world: World, at_most: int) -> None:
        """Get one message's worth after the cursor: from the ring, else from the stream."""
        if self.joined_seq is not None:
            return
        if self.cursor == owner.tail.cursor:
            self.joined_seq = self.cursor.number
            return
        held = owner.tail.after(self.cursor)
        if held:
            self._take_held(held[:at_most])
        else:
            self._take_page(world, at_most)

    def leave_head(self, tail: Tail) -> None:
        if self.joined_seq is not None:
            self.memory.extend(tail.cursors_since(self.joined_seq))
            self.joined_seq = None

    def go_back(self, seq: int, tail: Tail) -> None:
        """Come back with the cursor of record *seq*: what was sent after it never arrived."""
        self.leave_head(tail)
        if seq in self.places:
            self._reset(self.places[seq])

    def _take_held(self, held: list[tuple[Rendered, int]]) -> None:
        for rendered, skip in held:
            self.take(rendered.entry, skip)

    def _take_page(self, world: World, at_most: int) -> None:
        tried = [self.cursor]
        tried += [c for c in self.memory.newest_first() if c != self.cursor]
        verdict = world.resume(tried)
        chosen = START if isinstance(verdict, Diverged) else verdict.cursor
        if chosen != self.cursor:
            check_reset(tried, chosen, world)
            self._reset(chosen)
            check_kept(self, world)
        if isinstance(verdict, Diverged):
            self.memory = CursorMemory(START, size=4)
        else:
            self._take_verdict(verdict, world, at_most)

    def _take_verdict(self, verdict: Gap | Continues, world: World, at_most: int) -> None:
        if isinstance(verdict, Gap):
            check_gap(verdict, world)
            self.gaps.append(verdict)
            if not verdict.entries:
                self.cursor = world.last
                self.memory.add(self.cursor)
        skip = verdict.skip if isinstance(verdict, Continues) else 0
        for i, entry in enumerate(verdict.entries[:at_most]):
            self.take(entry, 0 if i else skip)

    def _reset(self, cursor: Cursor) -> None:
        """Drop what lies beyond *cursor*, as the protocol's `reset` says."""
        number = cursor.number
        self.got = {seq: text for seq, text in self.got.items() if seq <= number}
        self.places = {seq: place for seq, place in self.places.items() if seq <= number}
        self.gaps = [gap for gap in self.gaps if gap.before_seq <= number + 1]
        self.floor = min(self.floor, number)
        self.cursor = cursor
        self.memory.rewind(cursor)


def check_gap(gap: Gap, world: World) -> None:
    """What is told to be gone is gone, and counted."""
    told = range((gap.after_seq or 0) + 1, gap.before_seq)
    assert gap.lost == len(told) > 0, gap
    assert not [e for e in world.entries if e.last_seq in told or e.seq in told], "it is there"


def check_reset(tried: list[Cursor], chosen: Cursor, world: World) -> None:
    """A viewer is sent back only when it must be, and no further than it must be."""
    for cursor in tried[: tried.index(chosen)] if chosen in tried else tried:
        if cursor is START or cursor == start_of(world.epoch or 0):
            assert chosen.is_start
        elif any(entry.holds(cursor) for entry in world.history):
            kept = cursor.number + 1 >= world.first_seq and world.entries
            assert cursor is not tried[0], "reset, and of this very history"
            assert not kept, f"went back beyond {cursor}"


def check_kept(viewer: Viewer, world: World) -> None:
    """What a viewer keeps over a reset is of the history that it goes on with."""
    texts = {e.seq + i: text for e in world.history for i, text in enumerate(render(e))}
    unproved = max((g.before_seq for g in viewer.gaps if not g.proved), default=0)
    assert all(text == texts.get(s) for s, text in viewer.got.items() if s >= unproved)


def check(viewer: Viewer, world: World) -> None:
    """Compare what a viewer that has caught up received with what the stream holds."""
    texts = {e.seq + i: text for e in world.history for i, text in enumerate(render(e))}
    kept = {s: texts[s] for e in world.entries for s in range(e.seq, e.last_seq + 1)}
    told = {s for gap in viewer.gaps for s in range((gap.after_seq or 0) + 1, gap.before_seq)}
    proved_from = max((g.before_seq for g in viewer.gaps if not g.proved), default=0)
    first = max(min(kept, default=world.last.number + 1), viewer.floor + 1, proved_from)
    due = {seq: text for seq, text in kept.items() if seq >= first and seq not in told}
    assert {s: t for s, t in viewer.got.items() if s >= first} == due
    assert not told & viewer.got.keys(), "received what was told to be gone"
    assert set(range(viewer.floor + 1, world.last.number + 1)) == told | viewer.got.keys()
    for seq, text in viewer.got.items():
        assert seq < proved_from or text == texts[seq], f"{seq} is of another history"
    places = [viewer.places[seq].id for seq in sorted(viewer.got)]
    assert places == sorted(set(places)), "ids do not rise"
