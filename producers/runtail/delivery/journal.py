"""The publisher's side of the protocol for one execution, as a state machine. Pure: no I/O.

    opening ──> open ──> closed
       ^          │         │
       └──────────┴─────────┘   the engine does not know this publisher (any more)

`asks` says what to send next, `answered` takes what the engine said to it. An ask whose answer got
lost is simply asked again: the scripts recognise it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, Self

import orjson

from runtail.delivery.ask import Ask, Leave, Opening, Phase, Role
from runtail.delivery.held import Held, Place, Sealed
from runtail.delivery.holes import reason_of_hole
from runtail.delivery.pending import Bundle, Item, Loss, Pending, Progress, size_of, weight_of
from runtail.settings import DEFAULTS, PublisherSettings
from runtail_broker.cursor import new_random
from runtail_broker.errors import InvalidExecutionId
from runtail_broker.keys import checked
from runtail_broker.records.frame import decode_frame, encode_frame
from runtail_broker.records.outline import outline
from runtail_broker.records.record import LEVELS, Record, encode, now
from runtail_broker.script import (
    Answer,
    Batch,
    Call,
    Limits,
    beat_call,
    close_call,
    finish_call,
    open_call,
    publish_call,
)

_NO_PRIMARY: Final = "none"  # no server is called so


class Journal:
    """What one publisher has to say about one execution, in order, exactly once.

    Every record that was put into `pending` is stored once, in order, or counted in a `lost`
    record at its place. Used from one thread, but for `pending` (which `Buffer` locks), `leave` and
    `has_settled`.
    """

    def __init__(
        self,
        publisher: str,
        execution_id: str,
        role: Role = "owner",
        workflow_id: str = "",
        *,
        held: Held | None = None,
        settings: PublisherSettings = DEFAULTS,
    ) -> None:
        self.publisher, self.role, self.workflow_id = publisher, role, workflow_id
        self._first_publisher = publisher
        self.execution_id = self.asked_id = checked(execution_id)
        self._begun = now()
        self.pending = Pending()
        self.phase = Phase.OPENING
        self.leaving: Leave | None = None
        self.cancel = False
        self.listens = False  # whether the worker looks at `cancel`
        self._said = self._told = False  # the same, as it was last said, and as the engine has it
        self.full = False  # the execution has as many publishers as it may have
        self.ever_opened = False
        self.primary = ""  # the node that took the opening, as the courier names it
        self.retried = 0
        self.taken_over = False  # from a spill file that another process left
        self.is_full = "buffer"  # what drops records, as its losses say
        self._settings = settings
        self._held = Held(settings.max_held_bytes, settings.held_seconds) if held is None else held
        self._outgoing: deque[Sealed] = deque()
        self.settled = 0
        """How many of the records added, from the first on, are stored or told as lost.

        Kept as a number, because other threads read it: what was taken from `pending` and is not
        in a batch yet would look settled to who compares the two.
        """
        self._number = 0  # of the newest sealed batch
        self._count = 0  # records that all sealed batches stand for
        self._last = 0  # the last batch that the engine has, as far as it told
        self._sent = 0  # the highest number ever sent
        self._acknowledged = 0  # the highest number ever acknowledged
        self._acknowledged_before = 0  # the same, of a dead process that this one goes on for
        self._unreadable = False  # whether a spilled batch could not be read
        self._renames = 1
        self._beats = 0
        self._next_beat = 0.0
        self._closed_at: float | None = None
        self._finish_due = False

    @classmethod
    def taken_over_from(
        cls,
        opening: Opening,
        sealed: Sequence[Sealed],
        leave: Leave,
        *,
        held: Held,
        settings: PublisherSettings,
    ) -> Self:
        """Go on where a process that is dead stopped, under its names and numbers, and leave."""
        journal = cls(
            opening.first_publisher,
            opening.asked_id,
            opening.role,
            opening.workflow_id,
            held=held,
            settings=settings,
        )
        journal.publisher, journal.execution_id = opening.publisher, opening.execution_id
        journal._begun, journal._renames = opening.begun, opening.renames
        journal.ever_opened, journal.primary = opening.ever_opened, opening.primary
        journal._number, journal._count = opening.number, opening.count
        if sealed and sealed[-1].batch.number >= opening.number:
            newest = sealed[-1].batch
            journal._number, journal._count = newest.number, newest.before + newest.weight
        if not (opening.ever_opened or leave.status):
            journal.role = "participant"  # a worker begun anew may own it by now: its word counts
        journal._outgoing.extend(sealed)
        journal.settled = -sum(each.weight for each in sealed)
        # a process that was killed had no time to write down how far it was
        first = sealed[0].batch.number if sealed else 1
        journal._acknowledged_before = max(opening.acknowledged, first - 1)
        journal._unreadable = bool(sealed) and sealed[-1].batch.number - first >= len(sealed)
        journal.leaving, journal.taken_over = leave, True
        return journal

    def begin_anew(self, publisher: str) -> None:
        """Take part under another name, as a forked process must; what waits is its parent's."""
        held, settings = self._held, self._settings
        self.__init__(  # type: ignore[misc]
            publisher, self.execution_id, "participant", held=held, settings=settings
        )

    @property
    def _shelf(self) -> str:
        return f"{self._first_publisher} {self.asked_id}"

    # ---- what the courier wants to know

    @property
    def is_opening(self) -> bool:
        """Whether the engine must be told of this publisher first."""
        return self.phase is Phase.OPENING

    @property
    def takes_items(self) -> bool:
        """Whether pending records may be sealed now."""
        return (
            self.phase is not Phase.OPENING
            and len(self._outgoing) < self._settings.max_call_batches
            and len(self.pending) > 0
        )

    def has_work(self, now: float) -> bool:
        """Whether `asks` has something to say, once what is pending was sealed."""
        return (
            self.phase is Phase.OPENING
            or bool(self._outgoing)
            or len(self.pending) > 0
            or (self.leaving is not None and self.phase is Phase.OPEN)
            or self._finish_due
            or self.due(now)
        )

    def due(self, now: float) -> bool:
        """Whether it is time for a beat."""
        if self.phase is Phase.OPENING:
            return False
        return now >= self._next_beat or (self.leaving is None and self.listens != self._told)

    def has_settled(self, added: int, left: bool) -> bool:
        """Whether it opened, the first *added* records are settled and, if *left*, it left.

        Safe from any thread.
        """
        return self.ever_opened and self.settled >= added and (self.has_left or not left)

    @property
    def has_left(self) -> bool:
        """Whether all that was to be said has been said, the leaving included."""
        return self.phase is Phase.CLOSED and not self._finish_due

    def expired(self, now: float) -> bool:
        """Whether it was closed for so long that nothing is held for it any more."""
        closed = self._closed_at
        over = closed is not None and now - closed > self._settings.held_seconds
        return over and self.has_left and self.settled == self.pending.added

    # ---- sealing

    def seal(self, items: Iterable[Item]) -> None:
        """Fix *items*, taken from `pending`, as the next batch: bytes, number and random number.

        A sealed batch is never merged, renumbered or dropped, because its fate is unknown.
        """
        json: list[bytes] = []
        levels = [0] * len(LEVELS)
        kept = lost = marks = size = 0
        progress, renames, others = "", self._has_new_name, list[int]()
        for item in items:
            if type(item) is Record and item.level is not None:  # most are: see to these in line
                json.append(self._renamed(item.json) if renames else item.json)
                levels[item.level] += 1
                kept, size = kept + 1, size + len(item.json)
                continue
            match item:
                case Loss(count):
                    lost, marks = lost + count, marks + 1
                    json.append(self._lost_record(count).json)
                    continue
                case Bundle():
                    json += map(self._renamed, item.json) if renames else item.json
                    levels = [sum(pair) for pair in zip(levels, item.levels, strict=True)]
                case Record(record, level):
                    json.append(self._renamed(record))
                    if level is None:
                        others.append(len(json) - 1)
                    else:
                        levels[level] += 1
                    progress = (isinstance(item, Progress) and item.progress) or progress
            kept, size = kept + weight_of(item), size + size_of(item)
        batch = self._batch(json, levels, lost, marks, progress, others)
        self._outgoing.append(Sealed(batch, kept, kept + lost, size))

    def _batch(
        self,
        json: list[bytes],
        levels: list[int],
        lost: int = 0,
        marks: int = 0,
        progress: str = "",
        others: Sequence[int] = (),
    ) -> Batch:
        self._number += 1
        debug, info, warning, error = levels
        batch = Batch(
            number=self._number,
            before=self._count,
            count=len(json),
            random=new_random(),
            flags=0,
            levels=(debug, info, warning, error),
            json_bytes=sum(map(len, json)),
            stands_for=lost,
            progress=progress,
            frame=encode_frame(json),
            outline=outline(json, errors=error, others=others),
            marks=marks,
        )
        self._count += batch.weight
        return batch

    # ---- spilling

    @property
    def opening(self) -> Opening:
        """What another process must know to go on here."""
        return Opening(
            self._first_publisher,
            self.publisher,
            self.asked_id,
            self.execution_id,
            self.role,
            self.workflow_id,
            self._begun,
            self._renames,
            self.ever_opened,
            self.primary,
            self._number,
            self._count,
            self._acknowledged,
        )

    @property
    def held_in_memory(self) -> list[Sealed]:
        """The acknowledged batches that a failover may still take, and no spill file has."""
        return [sealed for sealed in self._held.of(self._shelf) if sealed.place is None]

    @property
    def unspilled(self) -> list[Sealed]:
        """The batches that are to be sent, and that no spill file has."""
        return [sealed for sealed in self._outgoing if sealed.place is None]

    @property
    def waits_in_file(self) -> bool:
        """Whether a batch that is to be sent is in a spill file."""
        return any(sealed.place is not None for sealed in self._outgoing)

    def put_away_held(self, sealed: Sealed, place: Place) -> None:
        """Keep only the *place* of a batch that is held."""
        self._held.put_away(self._shelf, sealed, place)

    def put_away(self, sealed: Sealed, place: Place) -> bool:
        """Keep only the *place* of a batch to be sent; False if it was acknowledged once before."""
        self._outgoing[self._index(sealed)] = sealed.put_away(place)
        return sealed.batch.number > self._acknowledged

    @property
    def wanted(self) -> list[Sealed]:
        """List the batches that the next `asks` needs and whose bytes are in a spill file."""
        if self.phase is Phase.OPENING:
            return []
        return [sealed for sealed in self._next_out if sealed.is_away]

    def bring_in(self, sealed: Sealed, batch: Batch) -> None:
        """Take the bytes of a batch that is *wanted*."""
        whole = replace(sealed, batch=self._under_new_name(batch))
        self._outgoing[self._index(sealed)] = whole

    def _index(self, sealed: Sealed) -> int:
        guess = sealed.batch.number - self._outgoing[0].batch.number
        if guess < len(self._outgoing) and self._outgoing[guess] is sealed:
            return guess
        return self._outgoing.index(sealed)  # there is a hole before it

    def lose(self, sealed: Sealed) -> bool:
        """Give up a batch whose bytes are nowhere any more; the hole will be declared.

        False if it was acknowledged once before.
        """
        self._outgoing.remove(sealed)
        self.settled += sealed.weight
        self._unreadable = True
        self._declare_hole()
        return sealed.batch.number > self._acknowledged

    def uses(self, file: str) -> bool:
        """Whether what it has yet to send is in the spill file *file*."""
        return any(s.place is not None and s.place.file == file for s in self._outgoing)

    # ---- asking

    def asks(self, now: float, limits: Limits) -> list[Ask]:
        """Say what to send now, in this order and in one round trip; it may be nothing."""
        if self.phase is Phase.OPENING:
            return [Ask("open", self._open(limits))]
        publishes = self._publishes()
        if self.leaving is None:
            return publishes + ([self._beat()] if self.due(now) else [])
        if publishes:
            return publishes
        if self.phase is Phase.OPEN or (self.due(now) and not self._finish_due):
            # also long after the close, in place of a beat: it tells as much, and it repairs a
            # close that a failover lost
            return [self._close(self.leaving)]
        return [Ask("finish", finish_call(self.execution_id))] if self._finish_due else []

    def _open(self, limits: Limits) -> Call:
        self._said = self.listens
        return open_call(
            self.execution_id,
            self.publisher,
            self.role,
            self.workflow_id,
            limits,
            self._begun,
            listens=self._said,
        )

    @property
    def _next_out(self) -> list[Sealed]:
        return list(islice(self._outgoing, self._settings.max_call_batches))

    def _publishes(self) -> list[Ask]:
        asks: list[Ask] = []
        for sealed in self._next_out:
            # what is missing between is held no more; only the first can lie behind a hole
            number = sealed.batch.number
            hole = self._last if not asks and number > self._last + 1 else None
            reason = self._reason_of_hole(number)
            call = publish_call(self.execution_id, self.publisher, sealed.batch, hole, reason)
            shown = bool(sealed.batch.progress) or any(sealed.batch.outline[:1])
            asks.append(Ask("publish", call, number, len(sealed.batch.frame), shown))
            self.retried += number <= self._sent
            self._sent = max(self._sent, number)
        return asks

    def _beat(self) -> Ask:
        self._said, is_news = self.listens, self.listens != self._told
        beat = beat_call(
            self.execution_id, self.publisher, self._last, self._beats + 1, listens=self._said
        )
        return Ask("beat", beat, shown=is_news)

    def _close(self, leave: Leave) -> Ask:
        status = leave.status if leave.explicit or self.role == "owner" else ""
        call = close_call(
            self.execution_id,
            self.publisher,
            self._number,
            status,
            leave.reason,
            explicit=leave.explicit,
        )
        return Ask("close", call)

    # ---- answers

    def answered(self, ask: Ask, answer: Answer, now: float) -> list[Sealed]:
        """Take the answer to *ask*; return the batches that it acknowledges for the first time."""
        self.cancel = self.cancel or answer.cancel
        match answer.word:
            case "behind":
                self._go_back(answer.last_batch)
            case "unopened" | "unknown":
                self._engine_forgot()
                self.phase = Phase.OPENING
            case "stored" | "duplicate":
                return self._stored(ask.number, answer.last_batch, now)
            case "created" | "joined" | "again" | "late":
                self._opened(answer, now)
            case "finished":
                self._rename()
            case "full":
                self.full = True
            case "alive":
                self._beats, self._told = self._beats + 1, self._said
                self._next_beat = now + self._settings.beat_seconds
            case "closed":
                self._closed(now)
            case "ended" | "already" | "running" | "open":
                self._finish_due = False
        return []

    def listen(self) -> None:
        """Say, by a beat at once, that the worker looks at `cancel`. Safe from any thread."""
        self.listens = True

    def leave(self, leave: Leave) -> None:
        """Leave once everything before is stored; only the first word counts."""
        if self.leaving is None:
            self.leaving = leave

    def leave_finishing(self) -> None:
        """Leave the `end` to a gateway: after a change of primary nobody here may judge it."""
        self._finish_due = False

    def _opened(self, answer: Answer, now: float) -> None:
        if not self.ever_opened and self._has_new_name:  # only what was never sent is here
            for sealed in self.unspilled:
                self.bring_in(sealed, sealed.batch)
        self.phase, self.full, self.ever_opened = Phase.OPEN, False, True
        self._told = self._said
        self._next_beat = now + self._settings.beat_seconds
        self._go_back(answer.last_batch)

    def _stored(self, number: int, last: int, now: float) -> list[Sealed]:
        self._last = max(last, number)
        if self.phase is Phase.CLOSED:
            self.phase = Phase.OPEN  # behind an `end`: leave again, so that a new one follows
        stored: list[Sealed] = []
        while self._outgoing and self._outgoing[0].batch.number <= number:
            sealed = self._outgoing.popleft()
            self.settled += sealed.weight
            self._held.hold(self._shelf, sealed, now)
            if sealed.batch.number > self._acknowledged:
                self._acknowledged = sealed.batch.number
                stored.append(sealed)
        return stored

    def _go_back(self, last: int) -> None:
        """Send again what is held after *last*; declare a hole where it is held no more."""
        if last < self._last:
            self._engine_forgot()
        self._last = last
        newest = self._outgoing[0].batch.number - 1 if self._outgoing else self._number
        again = self._held.take_after(self._shelf, last, newest)
        self._outgoing.extendleft(reversed(again))
        self.settled -= sum(sealed.weight for sealed in again)
        self._declare_hole()

    def _engine_forgot(self) -> None:
        """Note that what it told once is not so any more: others may be unknown to it just now.

        Whoever sees this cannot judge the end, though the same server answers (see `Lane`).
        """
        if self.ever_opened:
            self.primary = _NO_PRIMARY

    def _declare_hole(self) -> None:
        last = self._last
        if not self._outgoing and last < self._number:
            # a hole is declared by the batch behind it, and nobody knows when there will be one
            why = self._reason_of_hole(self._number + 1)
            message = f"records that were published before are missing: {why}"
            note = {"level": "warning", "message": message}
            batch = self._batch([encode(self.execution_id, note).json], [0, 0, 1, 0], marks=1)
            self._outgoing.append(Sealed(batch, records=0, weight=0, buffered_bytes=0))

    def _reason_of_hole(self, before: int) -> str:
        acknowledged = max(self._acknowledged, self._acknowledged_before)
        return reason_of_hole(self._last, before, acknowledged, unreadable=self._unreadable)

    def _closed(self, now: float) -> None:
        self._finish_due, self.phase = True, Phase.CLOSED  # another thread must not see it left
        self._next_beat = now + self._settings.beat_seconds
        self._closed_at = now if self._closed_at is None else self._closed_at

    def _rename(self) -> None:
        """Try the next of `<id>.2`, `<id>.3` …; a finished id is never opened again."""
        if not self.ever_opened and self._renames < self._settings.max_renames:
            self._renames += 1
            # another id too: this publisher may have opened the next name by itself
            self.publisher = f"{self._first_publisher}.{self._renames}"
            try:
                self.execution_id = checked(f"{self.asked_id}.{self._renames}")
            except InvalidExecutionId:
                self.role = "participant"  # too long for a number: join the finished one
        else:
            self.role = "participant"

    # ---- records

    def _lost_record(self, count: int) -> Record:
        noun = "log was" if count == 1 else "logs were"
        message = f"{count:,} {noun} dropped here by worker {self.publisher}"
        message += f" because its {self.is_full} was full"
        lost = {
            "lost": count,
            "message": message,
            "reason": f"{self.is_full} full",
            "publisher": self.publisher,
        }
        return encode(self.execution_id, lost, kind="lost")

    @property
    def _has_new_name(self) -> bool:
        return self.execution_id != self.asked_id

    def _renamed(self, record: bytes) -> bytes:
        """Bring a record that was encoded before the execution's name was known under it."""
        if not self._has_new_name:
            return record
        fields = orjson.loads(record)
        if fields.get("execution_id") == self.execution_id:
            return record
        return orjson.dumps(fields | {"execution_id": self.execution_id})

    def _under_new_name(self, batch: Batch) -> Batch:
        """Bring a batch that was sealed before the execution's name was known under it.

        It was never sent by then, and comes out the same each time: it stays sealed.
        """
        if not self._has_new_name:
            return batch
        json = [self._renamed(record) for record in decode_frame(batch.frame)]
        return replace(batch, json_bytes=sum(map(len, json)), frame=encode_frame(json))
