"""Compare what a viewer holds with what the stream holds. Pure, but for `read_stream`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import orjson
import redis

from runtail_broker.keys import ExecutionKeys
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import decode_frame

_PAGE = 500


class Row(NamedTuple):
    """One record: its place, its level ('' if it is no log), and its message or else its kind."""

    seq: int
    id: str
    level: str
    text: str

    @classmethod
    def of(cls, record: dict[str, Any]) -> Row:
        """Take what a gateway sent."""
        return cls(record["seq"], sys.intern(record["id"]), *_content(record))


@dataclass(frozen=True, slots=True)
class Hole:
    """Records that a viewer was told are gone: those between the two seqs."""

    after: int
    before: int


def read_stream(url: str, execution_id: str) -> list[Row]:
    """Read every record that the engine keeps, by XRANGE alone; ids and seqs are counted here."""
    with redis.Redis.from_url(url) as client:
        entries = list(_entries(client, ExecutionKeys.of(execution_id).stream))
    rows: list[Row] = []
    for entry in entries:
        for place, json in enumerate(decode_frame(entry.frame)):
            n = entry.id.n - entry.count + 1 + place
            record_id = sys.intern(f"{entry.id.ms}-{n}")
            rows.append(Row(entry.seq + place, record_id, *_content(orjson.loads(json))))
    return rows


def objections(held: Sequence[Row], stream: Sequence[Row], holes: Iterable[Hole] = ()) -> list[str]:
    """Say what is wrong with *held*: expected is exactly *stream*, in order, each record once.

    What lies in *holes* may be missing. At most ten objections of each sort.
    """
    if list(held) == list(stream):
        return []
    told = {seq for hole in holes for seq in range(hole.after + 1, hole.before)}
    have, expected = set(held), set(stream)
    twice = [row for row, count in Counter(held).items() if count > 1]
    missing = [row for row in stream if row not in have and row.seq not in told]
    foreign = [row for row in held if row not in expected and row.seq not in told]
    swapped = [after for before, after in pairwise(held) if after.seq < before.seq]
    sorts = {"twice": twice, "missing": missing, "foreign": foreign, "out of order": swapped}
    return [f"{sort}: {row}" for sort, rows in sorts.items() for row in rows[:10]]


def total_objections(totals: dict[str, Any], stream: Sequence[Row]) -> list[str]:
    """Say which of an end's *totals* differ from what is counted in a whole *stream*."""
    levels = Counter(row.level for row in stream)
    counted = {
        "first": stream[0].seq,
        "last": stream[-1].seq,
        "records": len(stream),
        "levels": {level: levels[level] for level in ("debug", "info", "warning", "error")},
    }
    return [
        f"total {name} is {totals.get(name)}, counted {value}"
        for name, value in counted.items()
        if totals.get(name) != value
    ]


def _content(record: dict[str, Any]) -> tuple[str, str]:
    kind = record.get("kind", "log")
    level = record.get("level", "") if kind == "log" else ""
    text = record.get("message") if kind == "log" else kind
    return level, sys.intern(str(text))


def _entries(client: redis.Redis, stream: str) -> Iterable[Entry]:
    low = "-"
    read: Callable[..., Any] = client.xrange
    while page := read(stream, low, "+", count=_PAGE):
        entries = [Entry.from_stream(*row) for row in page]
        yield from entries
        low = f"({entries[-1].id}"
