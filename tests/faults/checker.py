"""Judge the promises of README.md by what was seen of a run. Pure: no I/O, and no chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tests.faults.picture import Picture, client_picture, wire_picture
from tests.faults.witness import Record, Witness, WorkerWord, mark_of

MOST_SECONDS_A_CALL = 1.0  # a call takes microseconds; the machine may be busy
ORDER, NO_GAP, ONCE, READABLE, UNHURT, SLOW, ANY_GATEWAY, HONEST_END = range(1, 9)


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise, by its number in README.md, that was broken, to whom and how."""

    promise: int
    who: str
    what: str

    def __str__(self) -> str:
        return f"promise {self.promise}, {self.who}: {self.what}"


def judge(witness: Witness) -> list[Violation]:
    """List what was broken; empty when all was kept."""
    return list(_all(witness))


def _all(witness: Witness) -> Iterator[Violation]:
    if witness.unsettled:
        yield Violation(HONEST_END, "everybody", f"waited in vain until {witness.unsettled}")
    yield from _stream(witness.stored)
    for worker in witness.workers:
        yield from _worker(worker, witness.stored)
    for viewer in witness.viewers:
        wire, client = wire_picture(viewer), client_picture(viewer)
        stored = witness.stored if viewer.left_with is None else viewer.left_with
        for picture in (wire, client):
            yield from (Violation(promise, viewer.name, what) for promise, what in picture.broken)
            for promise, what in _against(picture, stored):
                yield Violation(promise, f"{viewer.name} ({picture.where})", what)
        if not witness.unsettled:
            for promise, what in _end_of(wire, stored):
                yield Violation(promise, viewer.name, what)
    yield from _gateways(witness)


def _stream(stored: list[Record]) -> Iterator[Violation]:
    """What is stored is in order, without holes, each line once."""
    for before, record in pairwise(stored):
        if record["seq"] != before["seq"] + 1:
            yield Violation(NO_GAP, "engine", f"seq {record['seq']} after {before['seq']}")
        if _place(record) <= _place(before):
            yield Violation(ORDER, "engine", f"id {record['id']} after {before['id']}")
    counted = Counter(mark for record in stored if (mark := mark_of(record)))
    for (name, line), count in counted.items():
        if count > 1:
            yield Violation(ONCE, name, f"line {line} is stored {count} times")


def _place(record: Record) -> tuple[int, int]:
    ms, _, n = record["id"].partition("-")
    return int(ms), int(n)


def _worker(worker: WorkerWord, stored: list[Record]) -> Iterator[Violation]:
    if worker.error:
        yield Violation(UNHURT, worker.name, f"a call raised {worker.error}")
    if worker.slowest_seconds > MOST_SECONDS_A_CALL:
        yield Violation(UNHURT, worker.name, f"a call took {worker.slowest_seconds:.2f} s")
    if worker.unreadable:
        yield Violation(READABLE, worker.name, worker.unreadable)
    counters = worker.counters
    known = counters.stored + counters.dropped + counters.pending + counters.spilled
    wrong = counters.accepted != known or counters.accepted != worker.said
    if wrong and not worker.killed:
        yield Violation(UNHURT, worker.name, f"said {worker.said} lines, counted {counters}")
    trimmed = bool(stored) and stored[0]["seq"] > 1
    due = -1 if trimmed else 0
    for record in stored:
        mark = mark_of(record)
        if mark is not None and mark[0] == worker.name:
            if due >= 0 and mark[1] != due:
                yield _hole(worker, due, mark[1])
            due = mark[1] + 1
        elif record.get("kind") == "lost" and record.get("publisher") == worker.name:
            due = due if due < 0 else due + int(record["lost"])
    if 0 <= due < worker.said and not worker.killed:
        yield _hole(worker, due, worker.said)


def _hole(worker: WorkerWord, due: int, came: int) -> Violation:
    if came < due:
        return Violation(ORDER, worker.name, f"line {came} is stored where {due} was due")
    promise = READABLE if due < worker.acknowledged else NO_GAP
    told = "acknowledged" if promise == READABLE else "said"
    return Violation(promise, worker.name, f"{told} lines {due} to {came - 1} are gone, untold")


def _against(picture: Picture, stored: list[Record]) -> Iterator[tuple[int, str]]:
    """What a viewer has in the end is what is stored, but for what it was told to be gone."""
    if not stored:
        return
    first, last = stored[0]["seq"], stored[-1]["seq"]
    truth = {record["seq"]: record for record in stored}
    sure = max((gap.before_seq for gap in picture.gaps if not gap.proved), default=0)
    for seq, record in picture.records.items():
        if seq >= max(first, sure) and record != truth.get(seq):
            yield NO_GAP, f"has another record {seq} than is stored"
            return
    counted = Counter(
        mark for seq, record in picture.records.items() if seq >= sure and (mark := mark_of(record))
    )
    for (name, line), count in counted.items():
        if count > 1:
            yield ONCE, f"has line {line} of {name} {count} times"
    told = {seq for gap in picture.gaps for seq in range(gap.after_seq + 1, gap.before_seq)}
    lacks = set(range(picture.begun + 1, last + 1)) - picture.records.keys() - told
    if lacks:
        yield NO_GAP, f"lacks {min(lacks)} to {max(lacks)} ({len(lacks)} records), untold"


def _end_of(wire: Picture, stored: list[Record]) -> Iterator[tuple[int, str]]:
    end = wire.end
    if end is None:
        yield HONEST_END, "was not told the end"
        return
    totals, last = end["totals"], stored[-1]["seq"]
    if (totals["last"], totals["records"]) != (last, last):
        yield HONEST_END, f"the totals {totals} end elsewhere than the stream, at {last}"
    if stored[0]["seq"] == 1:
        levels = Counter(str(r["level"]) for r in stored if "level" in r and "kind" not in r)
        told = {level: count for level, count in totals["levels"].items() if count}
        if told != dict(levels):
            yield HONEST_END, f"the totals tell {told}, stored are {dict(levels)}"


def _gateways(witness: Witness) -> Iterator[Violation]:
    if witness.most_waiting_bytes > witness.allowed_bytes:
        told = f"{witness.most_waiting_bytes} bytes waited, {witness.allowed_bytes} are allowed"
        yield Violation(SLOW, "gateway", told)
    for name, records in witness.pages.items():
        if records != witness.stored:
            told = f"answers {len(records)} records, {len(witness.stored)} are stored"
            yield Violation(ANY_GATEWAY, name, told)
