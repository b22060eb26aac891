"""Make the messages of the protocol, each once for all viewers that get it. Pure: no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

import orjson

from runtail_broker.cursor import Cursor
from runtail_broker.records.entry import Entry
from runtail_broker.records.frames_message import Piece, pack
from runtail_broker.records.splice import SEPARATOR, records_of

PROTOCOL = 1
LARGE_BYTES = 16 * 1024
"""A message of so many bytes is written in parts: joining them would copy it once more."""
RECORDS_HEAD: Final = b'{"type":"records","records":['
"""What every `records` message begins with; its records follow, then its cursor."""


class Message:
    """A JSON text message, and what its delivery does to a viewer's place.

    *parts* joined are its JSON: the text of a frame is not copied to become part of it. *before*
    and *cursor* are set for `records`: a viewer that stood at *before* stands at *cursor*
    afterwards; *count* is how many records it holds, *pieces* what they were made of. *frame* is
    all of it as one WebSocket frame, if it is not large.
    """

    __slots__ = (  # one is made for every record of a quiet run, and `cached_property` takes locks
        *("_as_frames", "_text", "before", "count", "cursor", "frame", "parts", "pieces", "size"),
        "__weakref__",
    )
    is_binary: ClassVar = False

    def __init__(
        self,
        parts: tuple[bytes, ...],
        before: Cursor | None = None,
        cursor: Cursor | None = None,
        count: int = 0,
        pieces: tuple[Piece, ...] = (),
    ) -> None:
        self.parts, self.before, self.cursor, self.count = parts, before, cursor, count
        self.pieces = pieces
        self.size = sum(map(len, parts))
        large = self.size >= LARGE_BYTES
        self.frame: bytes | None = None if large else b"".join((self.head, *parts))
        self._text: str | None = None
        self._as_frames: Message | None = None

    @property
    def json(self) -> bytes:
        """The whole message."""
        return b"".join(self.parts)

    @property
    def text(self) -> str:
        """The message as ASGI wants it; made once for all viewers."""
        if self._text is None:
            self._text = self.json.decode()
        return self._text

    @property
    def head(self) -> bytes:
        """The head of its WebSocket frame: a single one, unmasked (RFC 6455, section 5.2)."""
        opcode, length = 0x82 if self.is_binary else 0x81, self.size
        if length < 126:
            return bytes((opcode, length))
        if length < 65536:
            return bytes((opcode, 126)) + length.to_bytes(2, "big")
        return bytes((opcode, 127)) + length.to_bytes(8, "big")

    @property
    def as_frames(self) -> Message:
        """The same for a program that reads frames; itself if it holds no records."""
        if self.cursor is None or not self.pieces:
            return self
        if self._as_frames is None:
            self._as_frames = Frames(self, self.cursor)
        return self._as_frames


class Frames(Message):
    """A `records` message as stored frames, in a binary message."""

    __slots__ = ()
    is_binary = True

    def __init__(self, rendered: Message, cursor: Cursor) -> None:
        packed = pack(rendered.pieces, cursor)
        super().__init__((packed,), rendered.before, cursor, rendered.count)


def plain(kind: str, fields: Mapping[str, object], at: Cursor | None = None) -> Message:
    """Make a message that holds no records; *at* makes it one for viewers that stand there."""
    return Message((orjson.dumps({"type": kind, **fields}),), at, at)


def records(texts: list[bytes], pieces: Sequence[Piece], before: Cursor, cursor: Cursor) -> Message:
    """Make a `records` message of *pieces*, whose *texts* lead from *before* to *cursor*."""
    if len(texts) > 1:
        texts = [SEPARATOR.join(texts)]
    count = sum([piece.count for piece in pieces])
    return Message((RECORDS_HEAD, *texts, _tail(cursor)), before, cursor, count, tuple(pieces))


def whole(before: Cursor, entry: Entry, text: bytes) -> Message:
    """Make the `records` message of all of *entry*, which follows *before*."""
    cursor, piece = entry.end, Piece(entry, entry.seq, entry.count)
    return Message((RECORDS_HEAD, text, _tail(cursor)), before, cursor, entry.count, (piece,))


def _tail(cursor: Cursor) -> bytes:
    return b'],"cursor":"%b"}' % str(cursor).encode()


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
        self._pieces: list[Piece] = []
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
            self._take(text, Piece(entry, entry.seq + skip, entry.count - skip))
        else:
            self._add_one_by_one(entry, records_of(text), entry.seq + skip)
        self._last = entry

    def _add_one_by_one(self, entry: Entry, lines: list[bytes], seq: int) -> None:
        for line in lines:
            if len(line) > self._room and self._texts:
                self._cut(entry.cursor_at(seq - 1))
            before = self._pieces.pop().count if self._texts and self._last_is(entry) else 0
            self._take(line, Piece(entry, seq - before, before + 1))
            seq += 1

    def _last_is(self, entry: Entry) -> bool:
        return self._pieces[-1].entry is entry

    def _take(self, text: bytes, piece: Piece) -> None:
        self._texts.append(text)
        self._pieces.append(piece)
        self._room -= len(text) + len(SEPARATOR)

    def _cut(self, place: Cursor) -> None:
        self._messages.append(records(self._texts, self._pieces, self._start, place))
        self._start, self._room = place, self._max_bytes
        self._texts, self._pieces = [], []
