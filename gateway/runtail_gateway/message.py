"""Make the messages of the protocol, each once for all viewers that get it. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import orjson

from runtail_broker.cursor import Cursor
from runtail_broker.entry import Entry
from runtail_broker.errors import InvalidFrame
from runtail_broker.frame import decode_frame
from runtail_broker.record import splice

PROTOCOL = 1


class Message:
    """A JSON text message, and what its delivery does to a viewer's place.

    *before* and *cursor* are set for `records`: a viewer that stood at *before* stands at *cursor*
    afterwards; *count* is how many records it holds.
    """

    def __init__(
        self,
        json: bytes,
        before: Cursor | None = None,
        cursor: Cursor | None = None,
        count: int = 0,
    ) -> None:
        self.json, self.before, self.cursor, self.count = json, before, cursor, count

    @cached_property
    def text(self) -> str:
        """The message as ASGI wants it."""
        return self.json.decode()

    @cached_property
    def head(self) -> bytes:
        """The head of its WebSocket frame: one text frame, unmasked (RFC 6455, section 5.2)."""
        length = len(self.json)
        if length < 126:
            return bytes((0x81, length))
        if length < 65536:
            return b"\x81\x7e" + length.to_bytes(2, "big")
        return b"\x81\x7f" + length.to_bytes(8, "big")

    @cached_property
    def frame(self) -> bytes:
        """The message as one WebSocket frame."""
        return self.head + self.json


def plain(kind: str, fields: Mapping[str, object], at: Cursor | None = None) -> Message:
    """Make a message that holds no records; *at* makes it one for viewers that stand there."""
    return Message(orjson.dumps({"type": kind, **fields}), at, at)


def records(parts: list[bytes], before: Cursor, cursor: Cursor) -> Message:
    """Make a `records` message of rendered records, which lead from *before* to *cursor*."""
    head, tail = b'{"type":"records","records":[', b'],"cursor":"%b"}' % str(cursor).encode()
    ends = [head + parts[0], *parts[1:]]
    ends[-1] += tail
    return Message(b",".join(ends), before, cursor, len(parts))


def render(entry: Entry) -> list[bytes]:
    """Give the records of *entry* their ids and seqs.

    A frame that cannot be read becomes as many `lost` records: one damaged frame must neither stop
    a tail nor leave a hole that nobody is told of.
    """
    try:
        found = decode_frame(entry.frame)
    except InvalidFrame as error:
        found = _unreadable(entry, str(error))
    if len(found) != entry.count:
        found = _unreadable(entry, f"frame holds {len(found)} records, expected {entry.count}")
    return splice(found, entry.id, entry.seq)


def _unreadable(entry: Entry, reason: str) -> list[bytes]:
    return [orjson.dumps({"kind": "lost", "lost": 1, "reason": reason})] * entry.count


def pack(
    before: Cursor, rendered: Iterable[tuple[Entry, list[bytes], int]], max_bytes: int
) -> list[Message]:
    """Pack records into messages of at most *max_bytes*, or one record if that alone is larger.

    *rendered* holds entries with their records and how many of these to skip; the first follows
    *before*. A message may end inside a frame: its cursor says so.
    """
    packer = _Packer(before, max_bytes)
    for entry, lines, skip in rendered:
        packer.add(entry, lines, skip)
    return packer.finish()


class _Packer:
    """Collect records until a message is full."""

    def __init__(self, before: Cursor, max_bytes: int) -> None:
        self._start = self._place = before
        self._max_bytes, self._room = max_bytes, max_bytes
        self._parts: list[bytes] = []
        self._messages: list[Message] = []

    def add(self, entry: Entry, lines: list[bytes], skip: int) -> None:
        """Add the records of one entry, whole if it fits."""
        wanted = lines[skip:] if skip else lines
        size = sum(map(len, wanted)) + len(wanted)
        if size > self._room and self._parts:
            self._cut()
        if size <= self._room:
            self._parts += wanted
            self._room -= size
        else:
            self._add_one_by_one(entry, wanted, entry.seq + skip)
        self._place = entry.end

    def _add_one_by_one(self, entry: Entry, lines: list[bytes], seq: int) -> None:
        for line in lines:
            if len(line) + 1 > self._room and self._parts:
                self._place = entry.cursor_at(seq - 1)
                self._cut()
            self._parts.append(line)
            self._room -= len(line) + 1
            seq += 1

    def finish(self) -> list[Message]:
        """Hand over the messages, the last one however small."""
        if self._parts:
            self._cut()
        return self._messages

    def _cut(self) -> None:
        self._messages.append(records(self._parts, self._start, self._place))
        self._start, self._room, self._parts = self._place, self._max_bytes, []
