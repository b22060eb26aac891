"""Make the messages of the protocol, each once for all viewers that get it. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import orjson

from runtail_broker.cursor import Cursor
from runtail_broker.entry import Entry
from runtail_broker.errors import InvalidFrame
from runtail_broker.frame import lines_of
from runtail_broker.splice import SEPARATOR, records_of, splice

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


def records(texts: list[bytes], count: int, before: Cursor, cursor: Cursor) -> Message:
    """Make a `records` message of *count* records, which lead from *before* to *cursor*."""
    head, tail = b'{"type":"records","records":[', b'],"cursor":"%b"}' % str(cursor).encode()
    return Message(b"".join((head, SEPARATOR.join(texts), tail)), before, cursor, count)


def render(entry: Entry) -> bytes:
    """Make the text of *entry*: its records, each with its id and seq.

    A frame that cannot be read becomes as many `lost` records: one damaged frame must neither stop
    a tail nor leave a hole that nobody is told of.
    """
    try:
        return splice(lines_of(entry.frame), entry.count, entry.id, entry.seq)
    except InvalidFrame as error:
        lost = orjson.dumps({"kind": "lost", "lost": 1, "reason": str(error)})[:-1]
        return splice(b"\n".join([lost] * entry.count), entry.count, entry.id, entry.seq)


def pack(
    before: Cursor, rendered: Iterable[tuple[Entry, bytes, int]], max_bytes: int
) -> list[Message]:
    """Pack records into messages of at most *max_bytes*, or one record if that alone is larger.

    *rendered* holds entries with their texts and how many records to skip; the first follows
    *before*. A message may end inside a frame: its cursor says so.
    """
    packer = _Packer(before, max_bytes)
    for entry, text, skip in rendered:
        packer.add(entry, text, skip)
    return packer.finish()


class _Packer:
    """Collect records until a message is full."""

    def __init__(self, before: Cursor, max_bytes: int) -> None:
        self._start = self._place = before
        self._max_bytes, self._room = max_bytes, max_bytes
        self._texts: list[bytes] = []
        self._count = 0
        self._messages: list[Message] = []

    def add(self, entry: Entry, text: bytes, skip: int) -> None:
        """Add the records of one entry, whole if it fits."""
        if skip:
            text = SEPARATOR.join(records_of(text)[skip:])
        if len(text) > self._room and self._texts:
            self._cut()
        if len(text) <= self._room:
            self._take(text, entry.count - skip)
        else:
            self._add_one_by_one(entry, records_of(text), entry.seq + skip)
        self._place = entry.end

    def _add_one_by_one(self, entry: Entry, lines: list[bytes], seq: int) -> None:
        for line in lines:
            if len(line) > self._room and self._texts:
                self._place = entry.cursor_at(seq - 1)
                self._cut()
            self._take(line, 1)
            seq += 1

    def _take(self, text: bytes, count: int) -> None:
        self._texts.append(text)
        self._count += count
        self._room -= len(text) + len(SEPARATOR)

    def finish(self) -> list[Message]:
        """Hand over the messages, the last one however small."""
        if self._texts:
            self._cut()
        return self._messages

    def _cut(self) -> None:
        self._messages.append(records(self._texts, self._count, self._start, self._place))
        self._start, self._room = self._place, self._max_bytes
        self._texts, self._count = [], 0
