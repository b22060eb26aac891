"""Read pages of an execution's log, both ways, around a place, filtered; each at a bounded cost.

A page says in `notices` what is gone or was replaced before its records. A filtered one says how
far it looked; its cursor, or `before`, is where the next page begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from runtail_broker.cursor import Cursor, start_of
from runtail_broker.entry import Entry
from runtail_broker.proof import Continues, Diverged, Gap
from runtail_broker.rendering import render
from runtail_broker.splice import records_of
from runtail_broker.state import ExecutionState
from runtail_broker.stream import StreamReader
from runtail_gateway.absent import absent
from runtail_gateway.log_filter import LogFilter
from runtail_gateway.portion import Portion

_ALL = LogFilter()


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much of a log a reader wants: *limit* records that pass *chosen*, each with *context*.

    At most *most_looked* records are looked at for it.
    """

    limit: int
    most_looked: int
    chosen: LogFilter = _ALL
    context: int = 0


@dataclass(slots=True)
class Lines:
    """Consecutive records from *first_seq* on, as JSON; and which of them are wanted."""

    first_seq: int = 0
    lines: list[bytes] = field(default_factory=list)
    matches: list[int] = field(default_factory=list)
    """Their positions in *lines*, ascending."""

    @property
    def next_seq(self) -> int:
        """The seq behind the last line."""
        return self.first_seq + len(self.lines)

    def shown(self, context: int) -> list[bytes]:
        """List what is wanted, with *context* lines on both sides of each."""
        if len(self.matches) == len(self.lines):
            return self.lines
        kept: dict[int, None] = {}
        for place in self.matches:
            around = range(max(place - context, 0), min(place + context + 1, len(self.lines)))
            kept.update(dict.fromkeys(around))
        return [self.lines[place] for place in kept]


@dataclass(slots=True)
class Step:
    """Some records after a cursor, and the cursor after them."""

    cursor: Cursor
    first_seq: int
    lines: list[bytes]
    entries: list[Entry]
    notices: list[dict[str, object]] = field(default_factory=list)

    def cursor_at(self, count: int) -> Cursor:
        """Name the place behind the first *count* lines, at least one."""
        seq = self.first_seq + count - 1
        return next(entry for entry in self.entries if entry.last_seq >= seq).cursor_at(seq)

    @classmethod
    def of(cls, cursor: Cursor, entries: list[Entry], skip: int, limit: int) -> Step:
        """Take at most *limit* records of *entries* but the first *skip*."""
        lines: list[bytes] = []
        first_seq = entries[0].seq + skip if entries else cursor.number + 1
        for entry in entries:
            found = records_of(render(entry))[skip:][: limit - len(lines)]
            lines += found
            cursor = entry.cursor_at(entry.seq + skip + len(found) - 1) if found else cursor
            skip = 0
        return cls(cursor, first_seq, lines, entries)


class LogPages:
    """Read pages through *reader*. Raises what that raises, and if the execution is not there."""

    def __init__(self, reader: StreamReader) -> None:
        self._reader = reader

    async def after(
        self, execution_id: str, cursors: Sequence[Cursor], wanted: Wanted
    ) -> dict[str, Any]:
        """Read forwards from the first of *cursors* (newest first) that can be proved."""
        return await self._after(execution_id, cursors, wanted, Portion())

    async def _after(
        self, execution_id: str, cursors: Sequence[Cursor], wanted: Wanted, portion: Portion
    ) -> dict[str, Any]:
        found = Lines()
        notices: list[dict[str, object]] = []
        while len(found.matches) < wanted.limit and len(found.lines) < wanted.most_looked:
            room = wanted.most_looked - len(found.lines)
            most = room if wanted.chosen else min(room, wanted.limit - len(found.matches))
            step = await self.step(execution_id, cursors, most, portion)
            if found.lines and step.notices:
                break  # the next page begins with them
            notices += step.notices
            cursors = [step.cursor]
            if not step.lines:
                break
            found.first_seq = found.first_seq or step.first_seq
            cursors = [_take(found, step, wanted)]
            await asyncio.sleep(0)  # a search lets the viewers through
        return {
            "records": _fragments(found.shown(wanted.context)),
            "cursor": str(cursors[0]),
            "notices": notices,
        } | _looked(found, wanted)

    async def before(self, state: ExecutionState, before: int, wanted: Wanted) -> dict[str, Any]:
        """Read backwards from the record before the seq *before*; the page itself is ascending."""
        first = min(before, state.last_seq + 1)
        holder = await self._reader.find(state.id, first - 1)
        if holder is None or holder.seq >= first:  # nothing before it is kept
            place = await self._reader.cursor_at(state.id, first - 1)
            return _earlier(state, Lines(first), wanted, place)
        return await self._up_to(state, first, holder, wanted, Portion())

    async def around(self, state: ExecutionState, seq: int, limit: int) -> dict[str, Any]:
        """Read *limit* records with the record *seq* in their middle, as far as they are kept."""
        seq = min(max(seq, state.first_seq), max(state.last_seq, 1))
        half, portion = Wanted(limit // 2, limit), Portion()
        holder = await self._reader.find(state.id, seq)
        if holder is None or holder.seq > seq:  # it is gone since
            earlier = await self.before(state, seq, half)
            place = await self._reader.cursor_at(state.id, seq - 1)
        else:
            earlier = await self._up_to(state, seq, holder, half, portion)
            place = holder.start if holder.seq == seq else holder.cursor_at(seq - 1)
        rest = Wanted(limit - len(earlier["records"]), limit)
        later = await self._after(state.id, [place], rest, portion)
        before = earlier["before"] if earlier["records"] else seq
        return later | {
            "records": earlier["records"] + later["records"],
            "before": before if before is None or before > state.first_seq else None,
        }

    async def _up_to(
        self, state: ExecutionState, first: int, holder: Entry, wanted: Wanted, portion: Portion
    ) -> dict[str, Any]:
        """Read backwards from before the seq *first*; *holder* holds it, or the one before it."""
        found, entries = Lines(first), [holder]
        while len(found.matches) < wanted.limit and len(found.lines) < wanted.most_looked:
            count = portion.frames(wanted.most_looked - len(found.lines))
            entries = (
                await self._reader.before(state.id, entries[0], count)
                if found.lines
                else await self._reader.ending(state.id, holder, count)
            )
            portion.learn(entries)
            lines = [line for entry in entries for line in records_of(render(entry))]
            if entries:
                lines = lines[: found.first_seq - entries[0].seq]
            if not lines:
                break  # nothing before it is kept
            _take_before(found, lines[-(wanted.most_looked - len(found.lines)) :], wanted)
            await asyncio.sleep(0)  # a search lets the viewers through
        place = holder.start if holder.seq == first else holder.cursor_at(first - 1)
        return _earlier(state, found, wanted, place)

    async def lines(self, execution_id: str, after: Cursor, last: int) -> AsyncIterator[Step]:
        """Read all that is kept after *after*, up to the seq *last* and not beyond."""
        cursor, portion = after, Portion()
        while cursor.number < last:
            step = await self.step(execution_id, [cursor], last, portion)
            if not step.lines and not step.notices:
                return
            del step.lines[max(0, last + 1 - step.first_seq) :]
            yield step
            if not step.lines:
                return
            cursor = step.cursor

    async def step(
        self, execution_id: str, cursors: Sequence[Cursor], limit: int, portion: Portion
    ) -> Step:
        """Read some frames after the first of *cursors* that can be proved.

        Says what was found wanting. *portion* says how many to read, and learns from them.
        """
        count = portion.frames(limit)
        verdict, bounds = await self._reader.resume(execution_id, cursors, count)
        if bounds.epoch is None:  # it was there when this page was asked for
            raise await absent(self._reader, execution_id)
        match verdict:
            case Continues(place, entries, skip):
                portion.learn(entries)
                step = Step.of(place, list(entries), skip, limit)
            case Gap(place, entries):
                portion.learn(entries)
                behind = entries[0].start if entries else bounds.last
                step = Step.of(behind, list(entries), 0, limit)
                step.notices.append(_gap(verdict, behind))
            case Diverged(reason):
                start = start_of(bounds.epoch)
                step = await self.step(execution_id, [start], limit, portion)
                step.notices.insert(0, _reset(start, reason))
                return step
        if place.number < cursors[0].number:
            step.notices.insert(0, _reset(place, "another history"))
        return step


def _earlier(state: ExecutionState, found: Lines, wanted: Wanted, behind: Cursor) -> dict[str, Any]:
    """Make the page of what was *found* going backwards; *behind* is where it ends."""
    more = bool(found.lines) and found.first_seq > state.first_seq
    return {
        "records": _fragments(found.shown(wanted.context)),
        "before": found.first_seq if more else None,
        "cursor": str(behind),
        "notices": [],
    } | _looked(found, wanted)


def _take(found: Lines, step: Step, wanted: Wanted) -> Cursor:
    """Take the lines of *step* up to the last one that is wanted; return the cursor there."""
    for count, line in enumerate(step.lines, 1):
        found.lines.append(line)
        if wanted.chosen and not wanted.chosen.keeps(line):
            continue
        found.matches.append(len(found.lines) - 1)
        if len(found.matches) == wanted.limit and count < len(step.lines):
            found.lines += step.lines[count : count + wanted.context]
            return step.cursor_at(count)
    return step.cursor


def _take_before(found: Lines, lines: list[bytes], wanted: Wanted) -> None:
    """Put *lines* before what was found, from the first one that is wanted on."""
    matches: list[int] = []
    start = 0
    for place in range(len(lines) - 1, -1, -1):
        if wanted.chosen and not wanted.chosen.keeps(lines[place]):
            continue
        matches.append(place)
        if len(matches) + len(found.matches) == wanted.limit:
            start = max(place - wanted.context, 0) if wanted.chosen else place
            break
    kept = lines[start:]
    found.matches = [place - start for place in reversed(matches)] + [
        place + len(kept) for place in found.matches
    ]
    found.lines = kept + found.lines
    found.first_seq -= len(kept)


def _looked(found: Lines, wanted: Wanted) -> dict[str, Any]:
    """Say, of a filtered page, which of its records were looked for, and how far it looked."""
    if not wanted.chosen:
        return {}
    seqs = [found.first_seq + place for place in found.matches]
    looked = {"first_seq": found.first_seq, "last_seq": found.next_seq - 1}
    return {"matches": seqs, "looked": looked if found.lines else None}


def _reset(cursor: Cursor, reason: str) -> dict[str, object]:
    return {"type": "reset", "reason": reason, "cursor": str(cursor)}


def _gap(gap: Gap, behind: Cursor) -> dict[str, object]:
    return {
        "type": "gap",
        "cursor": str(behind),
        "after_seq": gap.after_seq,
        "before_seq": gap.before_seq,
        "lost": gap.lost,
        "proved": gap.proved,
        "reason": gap.reason,
    }


def _fragments(lines: list[bytes]) -> list[orjson.Fragment]:
    return [orjson.Fragment(line) for line in lines]
