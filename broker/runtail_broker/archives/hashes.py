"""What the engine holds of an execution beside its stream, as its archive keeps it. Pure: no I/O.

The hashes of state, publishers and steps (append.lua says what is in them) go into the index of
each part, as they were when it was written. From them an engine that lost them gets them back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from runtail_broker.cursor import Cursor
from runtail_broker.proof import FORMAT
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import decode_frame
from runtail_broker.script import Limits

NAMES: Final = ("state", "publishers", "steps")
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Hashes:
    """The hashes of one execution, each a map of texts; empty: not known."""

    state: Fields = field(default_factory=dict)
    publishers: Fields = field(default_factory=dict)
    steps: Fields = field(default_factory=dict)

    def spelled(self) -> dict[str, Fields]:
        """Spell it for an index."""
        return {name: getattr(self, name) for name in NAMES}

    @classmethod
    def read(cls, spelled: Mapping[str, Mapping[Any, Any]]) -> Hashes:
        """Read what `spelled` made, or the bytes of the engine; ValueError for anything else."""
        _require_map(spelled)
        return cls(**{name: _texts(spelled.get(name, {})) for name in NAMES})

    @property
    def created_ms(self) -> int:
        """When the execution was opened, as the list orders executions."""
        return int(self.state.get("created") or self.state.get("ms") or 0)

    def tell_of(self, epoch: int, last: Cursor) -> bool:
        """Whether the state is that of the history *epoch* with *last* as its end."""
        place, names = (last.number, last.id.ms, last.id.n, last.tag), ("seq", "ms", "n", "tag")
        expected = {"epoch": epoch} | dict(zip(names, place, strict=True))
        return all(self.state.get(name) == str(value) for name, value in expected.items())


UNKNOWN: Final = Hashes()
"""What parts have that were written before hashes were kept."""


def of_records(epoch: int, first: Entry, last: Entry) -> Hashes:
    """Make a state of the first frame and the `end`, for a part whose index has none.

    Raises ValueError if *last* is no end. What only the state says is missing: the last error,
    steps, publishers.
    """
    if not last.is_end:
        raise ValueError(f"the record {last.last_seq} is no end")
    limits = Limits()
    text = decode_frame(last.frame)[-1]
    end = orjson.loads(text)
    begun = orjson.loads(decode_frame(first.frame)[0])
    totals = end["totals"]
    state = {
        "epoch": epoch,
        "status": end["status"],
        "workflow": begun.get("workflow_id") or "",
        "created": first.first_id.ms,
        "started": first.first_id.ms,
        "ended_at": last.id.ms,
        "ms": last.id.ms,
        "n": last.id.n,
        "seq": last.last_seq,
        "tag": last.tag,
        "first": first.seq,
        "dropped": totals["dropped"],
        "raw": totals["bytes"],
        "end": text.decode(),
        "max_records": limits.max_records,
        "max_bytes": limits.max_bytes,
        "max_age": limits.max_age_seconds * 1000,
        "format": FORMAT,
        **totals["levels"],
    }
    return Hashes({name: str(value) for name, value in state.items()})


def _texts(some: Mapping[Any, Any]) -> dict[str, str]:
    _require_map(some)
    return dict(_pairs(some))


def _require_map(some: object) -> None:
    if not isinstance(some, Mapping):
        raise ValueError(f"the hashes hold a {type(some).__name__}, expected an object")


def _pairs(some: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for pair in some.items():
        name, value = (t.decode("utf-8", "replace") if isinstance(t, bytes) else t for t in pair)
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ValueError(f"a field of the hashes is {pair!r}, expected texts")
        yield name, value
