"""Write down what a publisher could not store: openings, sealed batches, leavings. Pure: no I/O.

A spill file is a magic word, then entries: length and CRC-32 of what follows (4 bytes each, big
end first), then a msgpack array that begins with the kind and the number of its journal. An entry
that is not whole, as a crash in the middle of a write leaves it, ends the file; one that the disk
spoiled is skipped.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from typing import Final, cast

import msgpack

from runtail.delivery.ask import Leave, Opening
from runtail.delivery.held import Sealed
from runtail_broker.script import Batch

MAGIC: Final = b"runtail spill 1\n"
MAX_ENTRY_BYTES: Final = 64 * 1024 * 1024

_HEAD: Final = struct.Struct(">II")
_OPENED, _BATCH, _LEFT = "o", "b", "l"

Written = Opening | Sealed | Leave


class CorruptSpill(ValueError):
    """An entry of a spill file is not what was written there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What was written of the file's journal number *journal*, and where."""

    journal: int
    written: Written
    offset: int
    length: int


def packed(journal: int, written: Written) -> bytes:
    """Encode one entry."""
    match written:
        case Opening():
            kind, values = _OPENED, astuple(written)
        case Leave():
            kind, values = _LEFT, astuple(written)
        case Sealed():
            kind = _BATCH
            values = (
                astuple(written.batch),
                written.records,
                written.weight,
                written.buffered_bytes,
            )
    body = cast(bytes, msgpack.packb([kind, journal, values]))
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def unpacked(data: bytes, offset: int = 0) -> Entry:
    """Decode the one entry that *data* is; raise CorruptSpill for anything else."""
    if len(data) < _HEAD.size:
        raise CorruptSpill(f"{len(data)} bytes are no entry, expected at least {_HEAD.size}")
    length, checksum = _HEAD.unpack_from(data)
    body = data[_HEAD.size :]
    if len(body) != length or zlib.crc32(body) != checksum:
        raise CorruptSpill(f"the entry at {offset} is not what was written there")
    try:
        kind, journal, values = msgpack.unpackb(body)
        return Entry(journal, _read(kind, values), offset, len(data))
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise CorruptSpill(f"the entry at {offset} cannot be read: {error}") from error


def entries(read: Callable[[int, int], bytes]) -> Iterator[Entry]:
    """Walk a file by *read* (offset and length), as far as it is whole, past what is spoiled."""
    if read(0, len(MAGIC)) != MAGIC:
        return
    offset = len(MAGIC)
    while True:
        head = read(offset, _HEAD.size)
        length = _HEAD.unpack(head)[0] if len(head) == _HEAD.size else 0
        if not 0 < length <= MAX_ENTRY_BYTES:
            return
        data = head + read(offset + _HEAD.size, length)
        if len(data) < _HEAD.size + length:
            return
        with suppress(CorruptSpill):
            yield unpacked(data, offset)
        offset += len(data)


def _read(kind: str, values: list[object]) -> Written:
    match kind:
        case "o":
            return Opening(*values)  # type: ignore[arg-type]
        case "l":
            return Leave(*values)  # type: ignore[arg-type]
        case "b":
            batch, records, weight, size = cast("tuple[list[object], int, int, int]", values)
            fields = [tuple(value) if isinstance(value, list) else value for value in batch]
            return Sealed(Batch(*fields), records, weight, size)  # type: ignore[arg-type]
    raise CorruptSpill(f"kind {kind!r}, expected one of o, b, l")
