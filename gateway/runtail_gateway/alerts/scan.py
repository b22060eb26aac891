"""Look through logs for the texts that rules name, each record once, a bounded number at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from runtail_broker.cursor import START, Cursor
from runtail_broker.errors import ExecutionNotFound, InvalidCursor
from runtail_broker.stream import StreamReader
from runtail_broker.tally import Tally
from runtail_gateway.alerts.rules import Rule
from runtail_gateway.alerts.watch import HORIZON_MS
from runtail_gateway.logs.log_pages import LogPages
from runtail_gateway.logs.portion import Portion

RECORDS_A_TURN: Final = 20_000
RECORDS_OF_ONE: Final = 5000
_ODD: Final = frozenset('"\\/')  # JSON may spell these otherwise


@dataclass(frozen=True, slots=True)
class Match:
    """The record *seq* of an execution holds what *rule* looks for."""

    rule: Rule
    execution_id: str
    seq: int
    at_ms: int


class Scan:
    """How far each log was looked through: *places* is how that is kept, `<cursor> <ms>`."""

    def __init__(self, reader: StreamReader, rules: Iterable[Rule], places: dict[str, str]) -> None:
        self._pages = LogPages(reader)
        self._rules = [rule for rule in rules if rule.when == "text"]
        self.places = places

    async def look(
        self, tallies: Sequence[Tally], since: Mapping[str, int], now_ms: int
    ) -> tuple[list[Match], dict[str, str]]:
        """Look at what is new; what was found, and the places to keep once that was dealt with.

        Logs that were not looked at for longest come first. *since* says of each rule, by its name,
        when (ms) it begins to look.
        """
        due = [tally for tally in tallies if self._is_due(tally, now_ms)]
        due.sort(key=lambda tally: self._looked_ms(tally.id))
        left, found, places = RECORDS_A_TURN, list[Match](), dict[str, str]()
        for tally in due:
            if left <= 0:
                break
            rules = [rule for rule in self._rules if rule.concerns(tally.workflow_id)]
            begin = self._place(tally.id)
            matches, place, looked = await self._read(tally.id, begin, rules, since)
            found += matches
            places[tally.id] = f"{place} {now_ms}"
            left -= looked + 10
            await asyncio.sleep(0)  # viewers take turns
        return found, places

    def old(self, ms: int) -> list[str]:
        """List the places at which nobody was since *ms*."""
        return [name for name in self.places if self._looked_ms(name) < ms]

    def is_through(self, tally: Tally, now_ms: int) -> bool:
        """Whether all of its log was looked through that needs to be."""
        return not self._is_due(tally, now_ms)

    def _is_due(self, tally: Tally, now_ms: int) -> bool:
        if tally.last_ms < now_ms - HORIZON_MS or not any(
            r.concerns(tally.workflow_id) for r in self._rules
        ):
            return False
        return self._place(tally.id).number < tally.records

    def _place(self, name: str) -> Cursor:
        try:
            return Cursor.parse(self.places.get(name, "").partition(" ")[0])
        except InvalidCursor:
            return START

    def _looked_ms(self, name: str) -> int:
        ms = self.places.get(name, "").partition(" ")[2]
        return int(ms) if ms.isdigit() else 0

    async def _read(
        self, name: str, place: Cursor, rules: Sequence[Rule], since: Mapping[str, int]
    ) -> tuple[list[Match], Cursor, int]:
        found: dict[str, Match] = {}
        looked, portion = 0, Portion()
        while looked < RECORDS_OF_ONE:
            try:
                left = RECORDS_OF_ONE - looked
                step = await self._pages.step(name, [place], left, portion)
            except ExecutionNotFound:
                break
            place = step.cursor
            if not step.lines:
                break
            looked += len(step.lines)
            for number, line in enumerate(step.lines):
                for rule in _in(line, rules):
                    match = Match(rule, name, step.first_seq + number, _ms(line))
                    if match.at_ms >= since[rule.name]:
                        found.setdefault(rule.name, match)
            await asyncio.sleep(0)
        return list(found.values()), place, looked


def _in(line: bytes, rules: Sequence[Rule]) -> list[Rule]:
    """List the *rules* that a record, as JSON, satisfies. Most records are not read for that."""
    seen = line.lower()
    likely = [rule for rule in rules if any(_may_hold(seen, p.longest) for p in rule.texts)]
    if not likely:
        return []
    try:
        record: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError:
        return []
    if record.get("kind", "log") != "log":
        return []
    said = [record.get("message"), record.get("error_message")]
    text = "\n".join(each for each in said if isinstance(each, str)).lower()
    return [
        rule
        for rule in likely
        if (not rule.levels or record.get("level", "info") in rule.levels)
        and any(pattern.is_in(text) for pattern in rule.texts)
    ]


def _may_hold(seen: bytes, part: str) -> bool:
    if not part.isascii() or not part.isprintable() or not _ODD.isdisjoint(part):
        return True
    return part.encode() in seen


def _ms(line: bytes) -> int:
    """When the record was stored, by its id."""
    record_id = orjson.loads(line).get("id", "0-0")
    return int(str(record_id).partition("-")[0])
