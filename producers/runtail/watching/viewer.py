"""Decide what a viewer shows, what it resumes with and when it is done. Pure: no I/O.

`Viewer.take` turns a gateway's messages into events, each record once and in order; `Viewer.cut`
says what to do when a connection is gone. Which cursors it goes on with is the business of
`CursorMemory`: the newest, and older, sparser ones, none beyond a reset.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from runtail.watching.viewer_event import (
    Awaited,
    Broken,
    Decision,
    Done,
    Ended,
    Event,
    Gap,
    LogRecord,
    Records,
    Refused,
    Reset,
    Resumed,
    Retry,
    Workers,
)
from runtail_broker.cursor import Cursor, CursorMemory
from runtail_broker.errors import RuntailError
from runtail_broker.records.frames_message import unpack

PROTOCOL = 1
SHORTEST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 10.0
FINAL_CODES = range(4400, 4500)  # what a gateway closes with when another try cannot help


_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


class InvalidMessage(RuntailError, ValueError):
    """A gateway's message that is not of the protocol; *text* begins it."""

    def __init__(self, text: str | bytes, why: object) -> None:
        self.text = text[:200]
        super().__init__(f"message {self.text!r} is not of the viewers' protocol: {why!r}")


class _Doubt(Exception):
    """What arrived does not continue what is here."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Viewer:
    """Follow one execution over any number of connections.

    *start* is the cursor to begin after; *tail* asks for the last lines only, *only_new* for none
    of those that exist. Never shows a record that lies beyond the newest cursor it resumes with:
    such a record could be replaced without a word. Not safe from several threads.
    """

    def __init__(
        self,
        start: Cursor | None = None,
        *,
        tail: int | None = None,
        only_new: bool = False,
        wait: bool = False,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._memory = CursorMemory(start)
        self._beginning = [("after", "$")] if only_new else []
        if tail is not None:
            self._beginning = [("tail", str(tail))]
        self._wait = wait
        self._chance = chance
        self._next = None if start is None or start.seq is None else start.seq + 1
        self._began = self._next
        self._first_gap: int | None = None
        self._doubted: int | None = None
        self._silent = 0
        self._tries = 0
        self._error: Refused | None = None
        self.status: str | None = None

    def query(self) -> str:
        """Spell the query to connect with: cursors newest first, or where to begin."""
        cursors = [("after", str(cursor)) for cursor in self.cursors()]
        wait = [("wait", "true")] if self._wait else []
        return urlencode((cursors or self._beginning) + wait)

    def wish(self) -> dict[str, Any]:
        """Say the same as `query`, as members of a `subscribe`."""
        cursors = [str(cursor) for cursor in self.cursors()]
        told: dict[str, Any] = {"after": cursors} if cursors else {}
        for name, value in () if cursors else self._beginning:
            told[name] = int(value) if name == "tail" else [value]
        return told | ({"wait": True} if self._wait else {})

    def cursors(self) -> list[Cursor]:
        """List what to resume with, newest first."""
        return self._memory.newest_first()

    def take(self, text: str | bytes) -> list[Event]:
        """Take in one message, JSON or (bytes) frames; unknown types are skipped.

        Raises InvalidMessage for what is none.
        """
        events: list[Event] = []
        try:
            if isinstance(text, bytes):
                cursor, records = unpack(text)
                events.extend(self._records(json.loads(records), cursor))
            else:
                # not orjson: it rejects lone surrogates, and makes integers beyond 64 bits floats
                events.extend(self._events(json.loads(text)))
        except _Doubt as doubt:
            events.append(Broken(doubt.reason))
        except _MALFORMED as error:
            raise InvalidMessage(text, error) from error
        return events

    def cut(self, code: int | None, reason: str) -> Decision:
        """Decide how to go on after a close with *code* (None: the network gave way)."""
        if self.status is not None:
            return Done(self.status)
        if self._error is not None and (code in FINAL_CODES or self._error.code in FINAL_CODES):
            return self._error
        if code in FINAL_CODES:
            return Refused(code or 0, reason)
        ceiling = min(LONGEST_DELAY_SECONDS, SHORTEST_DELAY_SECONDS * 2 ** min(self._tries + 1, 30))
        self._tries += 1
        spread = (ceiling - SHORTEST_DELAY_SECONDS) * self._chance()
        return Retry(SHORTEST_DELAY_SECONDS + spread, self._tries, reason)

    def _events(self, message: dict[str, Any]) -> Iterator[Event]:
        match message["type"]:
            case "hello":
                yield from self._hello(message)
            case "records":
                yield from self._records(message["records"], Cursor.parse(message["cursor"]))
            case "caught_up":
                yield from self._arrived(Cursor.parse(message["cursor"]))
            case "beat":
                yield from self._arrived(Cursor.parse(message["cursor"]))
                yield from self._workers(message.get("workers") or {})
            case "gap":
                yield from self._gap(message, Cursor.parse(message["cursor"]))
            case "reset":
                cursor = Cursor.parse(message["cursor"])
                yield from self._expect(cursor.number + 1)
                yield self._reset(str(message.get("reason")), cursor)
            case "end":
                yield from self._end(str(message["status"]), message.get("totals") or {})
            case "error":
                code = message.get("code")
                number = code if isinstance(code, int) else 0
                self._error = Refused(number, str(message.get("message") or code))

    def _hello(self, message: dict[str, Any]) -> Iterator[Event]:
        self._error = None
        if message["protocol"] != PROTOCOL:
            told = f"the gateway speaks protocol {message['protocol']}, expected {PROTOCOL}"
            self._error = Refused(
                FINAL_CODES.start, f"{told}: another release of runtail is needed"
            )
            raise _Doubt(told)
        if self._tries:
            yield Resumed(self._tries)
        self._begin(Cursor.parse(message["cursor"]))
        if message.get("execution") is None:
            yield Awaited()

    def _begin(self, resolved: Cursor) -> None:
        """Stand where the gateway says, if all that was asked for was vague."""
        if self._next is None and resolved.seq is not None:
            self._memory = CursorMemory(resolved)
            self._next = self._began = resolved.seq + 1

    def _records(self, records: list[LogRecord], cursor: Cursor) -> Iterator[Event]:
        fresh = [r for r in records if self._next is None or r["seq"] >= self._next]
        if fresh:
            _check_unbroken([record["seq"] for record in fresh], cursor)
            yield from self._expect(fresh[0]["seq"])
            self._next = fresh[-1]["seq"] + 1
            yield Records(fresh)
        yield from self._arrived(cursor)

    def _expect(self, seq: int) -> Iterator[Gap]:
        """Compare *seq*, of the line that the gateway comes to next, with the one that is due.

        The first time it is another one, a new link may still bring what is missing; if that
        skips the same lines, the viewer says so itself rather than asking for ever.
        """
        due = self._next
        if due is None or seq <= due:
            return
        if self._doubted != due:
            self._doubted = due
            raise _Doubt(f"lines {due} to {seq - 1} did not arrive")
        yield self._missing(Gap(due - 1, seq, seq - due, "skipped by the gateway"))

    def _missing(self, gap: Gap) -> Gap:
        self._next = gap.before_seq
        if self._first_gap is None:
            self._first_gap = gap.before_seq
        return gap

    def _arrived(self, cursor: Cursor) -> Iterator[Event]:
        """Stand at *cursor*: everything up to it was received, or the link is not to be trusted."""
        self._tries = 0
        if cursor.seq is None:
            return
        yield from self._expect(cursor.seq + 1)
        known = self._memory.newest_first()
        if not known or cursor.number >= known[0].number:
            self._memory.add(cursor)

    def _workers(self, workers: dict[str, Any]) -> Iterator[Event]:
        silent = int(workers.get("silent") or 0)
        if silent != self._silent:
            self._silent = silent
            yield Workers(int(workers.get("open") or 0), silent)

    def _gap(self, message: dict[str, Any], cursor: Cursor) -> Iterator[Event]:
        before = message.get("before_seq") or cursor.number + 1
        if self._next is None or before > self._next:
            reason = str(message.get("reason"))
            yield self._missing(Gap(message.get("after_seq"), before, message.get("lost"), reason))
        yield from self._arrived(cursor)

    def _reset(self, reason: str, cursor: Cursor) -> Reset:
        self._memory.rewind(cursor)
        self._next = cursor.number + 1
        self._doubted = None
        if self._first_gap is not None and self._first_gap > self._next:
            self._first_gap = None  # what is replayed tells of its gaps again
        if self._began is None or self._began > self._next:
            self._began = self._next
        return Reset(cursor.number, reason)

    def _end(self, status: str, totals: dict[str, Any]) -> Iterator[Event]:
        yield from self._expect(int(totals.get("last") or 0) + 1)
        self.status = status
        yield Ended(status, totals, self._complete_from())

    def _complete_from(self) -> int | None:
        return (self._began or 1) if self._first_gap is None else None


def _check_unbroken(seqs: list[int], cursor: Cursor) -> None:
    """Doubt a message whose lines have a hole, or end elsewhere than its cursor."""
    for before, seq in pairwise(seqs):
        if seq != before + 1:
            raise _Doubt(f"line {seq} came after line {before}")
    if cursor.seq is not None and cursor.seq != seqs[-1]:
        raise _Doubt(f"cursor {cursor} came with line {seqs[-1]}")
