"""Carry stored frames to programs as they are: the binary messages of `runtail.frames.v1`.

A message is a msgpack array: the cursor after it, as text, then for each frame an array of the id
of its last record (text), the seq of its first, how many records it holds, and the frame itself
(see `frame`). A frame of which only a part belongs here is packed anew. Pure: no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgpack

from runtail_broker.cursor import Cursor, RecordId
from runtail_broker.errors import InvalidCursor, InvalidFrame, NewerFormat
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import decode_frame, encode_frame
from runtail_broker.records.rendering import render
from runtail_broker.records.splice import SEPARATOR

SUBPROTOCOL: Final = "runtail.frames.v1"


@dataclass(frozen=True, slots=True)
class Piece:
    """*count* consecutive records of *entry*, from record *seq* on."""

    entry: Entry
    seq: int
    count: int

    @property
    def last(self) -> RecordId:
        """The id of its last record."""
        return self.entry.cursor_at(self.seq + self.count - 1).id

    def frame(self) -> bytes:
        """The entry's own frame if this is all of it, else one of these records.

        A damaged frame stays as it is: who reads it counts its records as lost.
        """
        if self.count == self.entry.count:
            return self.entry.frame
        try:
            records = decode_frame(self.entry.frame)
        except InvalidFrame:
            return self.entry.frame
        first = self.seq - self.entry.seq
        return encode_frame(records[first : first + self.count])


def pack(pieces: Sequence[Piece], cursor: Cursor) -> bytes:
    """Make the message of *pieces*, after which a viewer stands at *cursor*."""
    rows = [[str(piece.last), piece.seq, piece.count, piece.frame()] for piece in pieces]
    message: bytes = msgpack.packb([str(cursor), *rows])
    return message


def unpack(message: bytes) -> tuple[Cursor, bytes]:
    """Read a message: its cursor, and its records as a JSON array, each with its id and seq.

    A frame that cannot be read counts its records as `lost`. Raises InvalidFrame for what `pack`
    cannot have made, NewerFormat for a frame of a newer version.
    """
    try:
        cursor, *rows = msgpack.unpackb(message)
        texts = [render(_entry(*row)) for row in rows]
        return Cursor.parse(cursor), b"[" + SEPARATOR.join(texts) + b"]"
    except NewerFormat:
        raise
    except (ValueError, TypeError, InvalidCursor, msgpack.exceptions.UnpackException) as error:
        raise InvalidFrame(f"message of {len(message)} bytes is not of {SUBPROTOCOL}") from error


def _entry(last: str, seq: int, count: int, frame: bytes) -> Entry:
    if not (type(frame) is bytes and type(seq) is int and type(count) is int and count > 0):
        raise TypeError(f"row of seq {seq!r} and count {count!r} is none")
    return Entry(RecordId.parse(last), seq, count, 0, 0, 0, frame)
