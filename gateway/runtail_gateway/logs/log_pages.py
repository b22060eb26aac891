"""Read pages of an execution's log, both ways, around a place, filtered; each at a bounded cost.

A page says in `notices` what is gone or was replaced before its records; a filtered one says how
far it looked. Its cursor, or `before`, is where the next page begins: `cut` says if it is shorter
than what was asked for, because of its size. Records are bytes, JSON already.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from runtail_broker.cursor import Cursor, start_of
from runtail_broker.proof import Continues, Diverged, Gap
from runtail_broker.records.entry import Entry
from runtail_broker.records.rendering import render
from runtail_broker.records.splice import records_of
from runtail_broker.state import ExecutionState
from runtail_broker.stream import StreamReader
from runtail_gateway.logs.log_step import Step
from runtail_gateway.logs.page_lines import CUT, PageLines, Wanted
from runtail_gateway.logs.portion import Portion
from runtail_gateway.protocol.absent import absent


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
        page, place = PageLines(wanted), cursors[0]
        notices: list[dict[str, object]] = []
        while not page.full and page.room:
            step = await self.step(execution_id, cursors, page.room, portion)
            if page.looked and step.notices:
                break  # the next page begins with them
            notices += step.notices
            if not step.lines:
                place = place if page.whole else step.cursor
                break
            page.begin(step.first_seq)
            page.take(step.lines)
            if page.place > step.first_seq:  # else there was but context in it
                place = step.cursor_at(page.place - step.first_seq)
            cursors = [step.cursor]
            await asyncio.sleep(0)  # a search lets the viewers through
        return _page(page, wanted) | {"cursor": str(place), "notices": notices}

    async def before(self, state: ExecutionState, before: int, wanted: Wanted) -> dict[str, Any]:
        """Read backwards from the record before the seq *before*; the page itself is ascending."""
        first = min(before, state.last_seq + 1)
        holder = await self._reader.find(state.id, first - 1)
        if holder is None or holder.seq >= first:  # nothing before it is kept
            place = await self._reader.cursor_at(state.id, first - 1)
            return _earlier(state, PageLines(wanted, -1), wanted, place)
        return await self._up_to(state, first, holder, wanted, Portion())

    async def around(self, state: ExecutionState, seq: int, wanted: Wanted) -> dict[str, Any]:
        """Read records with the record *seq* in their middle, as far as they are kept."""
        seq = min(max(seq, state.first_seq), max(state.last_seq, 1))
        limit, portion = wanted.limit, Portion()
        half = replace(wanted, limit=limit // 2, most_bytes=wanted.most_bytes // 2)
        holder = await self._reader.find(state.id, seq)
        if holder is None or holder.seq > seq:  # it is gone since
            earlier = await self.before(state, seq, half)
            place = await self._reader.cursor_at(state.id, seq - 1)
        else:
            earlier = await self._up_to(state, seq, holder, half, portion)
            place = holder.start if holder.seq == seq else holder.cursor_at(seq - 1)
        records = earlier["records"]
        left = wanted.most_bytes - sum(len(line) for line in records)
        rest = replace(wanted, limit=limit - len(records), most_bytes=left)
        later = await self._after(state.id, [place], rest, portion)
        before = earlier["before"] if records else seq
        return later | {
            "records": records + later["records"],
            "before": before if before is None or before > state.first_seq else None,
            "cut": later["cut"] or earlier["cut"],
        }

    async def _up_to(
        self, state: ExecutionState, first: int, holder: Entry, wanted: Wanted, portion: Portion
    ) -> dict[str, Any]:
        """Read backwards from before the seq *first*; *holder* holds it, or the one before it."""
        page, entries = PageLines(wanted, -1), list[Entry]()
        page.begin(first - 1)
        while not page.full and page.room:
            count = portion.frames(page.room)
            entries = (
                await self._reader.before(state.id, entries[0], count)
                if entries
                else await self._reader.ending(state.id, holder, count)
            )
            if not _take_back(page, entries, portion):
                break  # nothing before it is kept
            await asyncio.sleep(0)  # a search lets the viewers through
        place = holder.start if holder.seq == first else holder.cursor_at(first - 1)
        return _earlier(state, page, wanted, place)

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
                step = Step.of(place, list(entries), skip, limit)
            case Gap(place, entries):
                behind = entries[0].start if entries else bounds.last
                step = Step.of(behind, list(entries), 0, limit)
                step.notices.append(_gap(verdict, behind))
            case Diverged(reason):
                start = start_of(bounds.epoch)
                step = await self.step(execution_id, [start], limit, portion)
                step.notices.insert(0, _reset(start, reason))
                return step
        portion.learn(step.entries, step.bytes)
        if place.number < cursors[0].number:
            step.notices.insert(0, _reset(place, "another history"))
        return step


def _take_back(page: PageLines, entries: Sequence[Entry], portion: Portion) -> bool:
    """Take the lines of *entries* from the last one on; answer whether there were any."""
    seq, rendered = page.seq, 0
    for entry in reversed(entries):
        text = render(entry)
        rendered += len(text)
        lines = records_of(text)[: page.seq + 1 - entry.seq][-page.room :]
        page.take(lines[::-1])
        if page.full or not page.room:
            break
    portion.learn(entries, rendered)
    return page.seq < seq


def _earlier(
    state: ExecutionState, page: PageLines, wanted: Wanted, behind: Cursor
) -> dict[str, Any]:
    """Make the page that was found going backwards; *behind* is where it ends."""
    more = page.looked > 0 and page.place >= state.first_seq
    before = page.place + 1 if more else None
    return _page(page, wanted) | {"before": before, "cursor": str(behind), "notices": []}


def _page(page: PageLines, wanted: Wanted) -> dict[str, Any]:
    """Make what every page says; a filtered one which records match, and how far it looked."""
    told: dict[str, Any] = {
        "records": page.lines,
        "cut": CUT if page.cut else None,
    }
    if not wanted.chosen:
        return told
    looked = page.extent and dict(zip(("first_seq", "last_seq"), page.extent, strict=True))
    return told | {"matches": page.matches, "looked": looked}


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
