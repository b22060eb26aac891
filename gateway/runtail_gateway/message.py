"""Make the messages of the protocol, each once for all viewers that get it. Pure: no I/O."""

from __future__ import annotations

from collections import deque
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

    *parts* joined are its JSON: the text of a frame is not copied to become part of it. *before*
    and *cursor* are set for `records`: a viewer that stood at *before* stands at *cursor*
    afterwards; *count* is how many records it holds.
    """

    def __init__(
        self,
        parts: tuple[bytes, ...],
        before: Cursor | None = None,
        cursor: Cursor | None = None,
        count: int = 0,
    ) -> None:
        self.parts, self.before, self.cursor, self.count = parts, before, cursor, count
        self.size = sum(map(len, parts))

    @cached_property
    def json(self) -> bytes:
        """The whole message."""
        return b"".join(self.parts)

    @cached_property
    def text(self) -> str:
        """The message as ASGI wants it."""
        return self.json.decode()

    @cached_property
    def head(self) -> bytes:
        """The head of its WebSocket frame: one text frame, unmasked (RFC 6455, section 5.2)."""
        length = self.size
        if length < 126:
            return bytes((0x81, length))
        if length < 65536:
            return b"\x81\x7e" + length.to_bytes(2, "big")
        return b"\x81\x7f" + length.to_bytes(8, "big")

    @cached_property
    def frame(self) -> bytes:
        """The message as one WebSocket frame."""
        return b"".join((self.head, *self.parts))


def plain(kind: str, fields: Mapping[str, object], at: Cursor | None = None) -> Message:
    """Make a message that holds no records; *at* makes it one for viewers that stand there."""
    return Message((orjson.dumps({"type": kind, **fields}),), at, at)


def records(texts: list[bytes], count: int, before: Cursor, cursor: Cursor) -> Message:
    """Make a `records` message of *count* records, which lead from *before* to *cursor*."""
    head, tail = b'{"type":"records","records":[', b'],"cursor":"%b"}' % str(cursor).encode()
    if len(texts) > 1:
        texts = [SEPARATOR.join(texts)]
    return Message((head, *texts, tail), before, cursor, count)


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


class Packed:
    """Messages of at most *max_bytes*, or of one record if that alone is larger; an iterator.

    *rendered* holds entries with their texts and how many records to skip; the first follows
    *before*. Each message takes no more of it than it needs, and one entry. A message may end
    inside a frame: its cursor says so.
    """

    def __init__(
        self, before: Cursor, rendered: Iterable[tuple[Entry, bytes, int]], max_bytes: int
    ) -> None:
        self._rendered = iter(rendered)
        self._start = before
        self._last: Entry  # that was taken as a whole
        self._max_bytes, self._room = max_bytes, max_bytes
        self._texts: list[bytes] = []
        self._count = 0
        self._messages: deque[Message] = deque()

    def __iter__(self) -> Packed:
        return self

    def __next__(self) -> Message:
        while not self._messages:
            item = next(self._rendered, None)
            if item is not None:
                self._add(*item)
            elif self._texts:
                self._cut(self._last.end)
            else:
                raise StopIteration
        return self._messages.popleft()

    @property
    def waiting_bytes(self) -> int:
        """How much was taken that no message handed out so far holds."""
        return self._max_bytes - self._room + sum(message.size for message in self._messages)

    def _add(self, entry: Entry, text: bytes, skip: int) -> None:
        """Add the records of one entry, whole if it fits."""
        if skip:
            text = SEPARATOR.join(records_of(text)[skip:])
        if len(text) > self._room and self._texts:
            self._cut(self._last.end)
        if len(text) <= self._room:
            self._take(text, entry.count - skip)
        else:
            self._add_one_by_one(entry, records_of(text), entry.seq + skip)
        self._last = entry

    def _add_one_by_one(self, entry: Entry, lines: list[bytes], seq: int) -> None:
        for line in lines:
            if len(line) > self._room and self._texts:
                self._cut(entry.cursor_at(seq - 1))
            self._take(line, 1)
            seq += 1

    def _take(self, text: bytes, count: int) -> None:
        self._texts.append(text)
        self._count += count
        self._room -= len(text) + len(SEPARATOR)

    def _cut(self, place: Cursor) -> None:
        self._messages.append(records(self._texts, self._count, self._start, place))
        self._start, self._room = place, self._max_bytes
        self._texts, self._count = [], 0
