"""Make the text of an entry: its records in the form in which viewers read them. Pure: no I/O."""

from __future__ import annotations

import orjson

from runtail_broker.errors import InvalidFrame
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import lines_of
from runtail_broker.records.splice import splice


def render(entry: Entry) -> bytes:
    """Make the text of *entry*: its records, each with its id and seq.

    A frame that cannot be read becomes as many `lost` records: one damaged frame must neither stop
    a tail nor leave a hole that nobody is told of. Raises NewerFormat for one that a newer runtail
    wrote: its records are not lost.
    """
    try:
        return splice(lines_of(entry.frame), entry.count, entry.id, entry.seq)
    except InvalidFrame as error:
        lost = orjson.dumps({"kind": "lost", "lost": 1, "reason": str(error)})[:-1]
        return splice(b"\n".join([lost] * entry.count), entry.count, entry.id, entry.seq)
