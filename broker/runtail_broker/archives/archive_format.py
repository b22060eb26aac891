"""Write frames as compressed NDJSON that can be entered at any line, and read them back as frames.

An archived part is one object, which any zstd reads as the log, one record a line:

    block, block, …     each a skippable zstd frame with its table, then a zstd frame of NDJSON
    index               a skippable zstd frame: the index, then its length (4 bytes) and MARK

The index also keeps what the engine held beside the stream (see `hashes`).

A table lists the frames of its block, so that a cursor is proved from the archive as it is from the
stream; the index says where each block begins, which records it holds, and its checksum. Pure: no
I/O.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from runtail_broker.archives.hashes import UNKNOWN, Hashes
from runtail_broker.cursor import Cursor, RecordId
from runtail_broker.errors import ArchiveDamaged, NewerFormat
from runtail_broker.records.entry import Entry
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.rendering import render
from runtail_broker.records.splice import records_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

VERSION: Final = 1
MARK: Final = b"RTARCHIV"
TAIL_BYTES: Final = 64 * 1024
"""How much of an object's end holds its index, most of the time."""

_SKIPPABLE: Final = 0x184D2A57  # a zstd reader passes over such a frame
_HEADER: Final = struct.Struct("<II")
_LENGTH: Final = struct.Struct("<I")
_FOOTER_BYTES: Final = _LENGTH.size + len(MARK)
_LEVEL: Final = 3
_OPTIONS: Final[dict[int, int]] = {
    zstd.CompressionParameter.compression_level: _LEVEL,
    zstd.CompressionParameter.checksum_flag: 1,
}
_MOST_EXPANDED_BYTES: Final = 64 * 1024 * 1024  # a frame of 16 MiB, each record with id and seq


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block lies, and which records it holds: from *first_seq* up to the cursor *last*.

    *before* is the tag before its first frame.
    """

    offset: int
    length: int
    checksum: int
    first_seq: int
    before: int
    last: Cursor

    def row(self) -> list[int]:
        """Spell it for the index."""
        last = self.last
        place = [last.number, last.id.ms, last.id.n, last.tag or 0]
        return [self.offset, self.length, self.checksum, self.first_seq, self.before, *place]

    @classmethod
    def read(cls, row: Sequence[int]) -> Block:
        """Read what `row` spelled."""
        offset, length, checksum, first_seq, before, last_seq, ms, n, tag = row
        last = Cursor(RecordId(ms, n), last_seq, tag)
        return cls(offset, length, checksum, first_seq, before, last)


@dataclass(frozen=True, slots=True)
class Index:
    """What an archived part holds, block by block, ascending and unbroken."""

    execution_id: str
    epoch: int
    blocks: tuple[Block, ...]
    hashes: Hashes = UNKNOWN

    def encode(self) -> bytes:
        """Spell it as the end of an object."""
        fields = {
            "format": "runtail archive",
            "version": VERSION,
            "execution_id": self.execution_id,
            "epoch": self.epoch,
            "blocks": [block.row() for block in self.blocks],
            "hashes": self.hashes.spelled(),
        }
        packed = compressed(orjson.dumps(fields))
        return _skippable(packed + _LENGTH.pack(len(packed)) + MARK)


class PartWriter:
    """Turn frames into the bytes of one part: `add` them in order, then `close`."""

    def __init__(
        self, execution_id: str, epoch: int, block_bytes: int, hashes: Hashes = UNKNOWN
    ) -> None:
        self._execution_id, self._epoch, self._block_bytes = execution_id, epoch, block_bytes
        self._hashes = hashes
        self._blocks: list[Block] = []
        self._entries: list[Entry] = []
        self._texts: list[bytes] = []
        self._waiting = self._offset = 0
        self.last: Entry | None = None

    def add(self, entry: Entry) -> bytes:
        """Take the next frame; return what can be written by now. ValueError if it does not chain.

        Raises NewerFormat for a frame that cannot be read here.
        """
        last = self.last
        if last and (last.tag, last.last_seq + 1) != (entry.before, entry.seq):
            raise ValueError(f"frame of seq {entry.seq} does not follow seq {last.last_seq}")
        text = b"\n".join(records_of(render(entry)))
        self.last = entry
        self._entries.append(entry)
        self._texts.append(text)
        self._waiting += len(text)
        return self._block() if self._waiting >= self._block_bytes else b""

    def close(self) -> tuple[bytes, Index]:
        """Return what is left to write, and the index of it all."""
        rest = self._block() if self._entries else b""
        index = Index(self._execution_id, self._epoch, tuple(self._blocks), self._hashes)
        return rest + index.encode(), index

    def _block(self) -> bytes:
        entries = self._entries
        rows = [[e.id.ms, e.id.n, e.count, e.tag, e.flags] for e in entries]
        table = compressed(orjson.dumps(rows))
        lines = compressed(b"\n".join(self._texts) + b"\n")
        data = _skippable(table) + lines
        where = (self._offset, len(data), zlib.crc32(data))
        self._blocks.append(Block(*where, entries[0].seq, entries[0].before, entries[-1].end))
        self._offset += len(data)
        self._entries, self._texts, self._waiting = [], [], 0
        return data


def index_bytes(name: str, tail: bytes) -> int:
    """Say how many bytes at the end of the object are its index, given its last bytes."""
    if len(tail) < _FOOTER_BYTES or not tail.endswith(MARK):
        raise ArchiveDamaged(name, "it does not end as an archive does")
    (length,) = _LENGTH.unpack(tail[-_FOOTER_BYTES : -len(MARK)])
    return int(length) + _FOOTER_BYTES


def read_index(name: str, tail: bytes) -> Index:
    """Read the index from the end of the object *name*, which *tail* holds whole.

    Raises ArchiveDamaged for what `Index.encode` cannot have made, NewerFormat for what a newer
    one did.
    """
    size = index_bytes(name, tail)
    if len(tail) < size:
        raise ArchiveDamaged(name, f"its index takes {size} bytes, and only {len(tail)} are there")
    fields = _json(name, tail[-size:-_FOOTER_BYTES])
    if not isinstance(fields, dict) or type(fields.get("version")) is not int:
        raise ArchiveDamaged(name, "its index has no version")
    if fields["version"] > VERSION:
        raise NewerFormat(f"archive {name!r}", fields["version"], VERSION)
    try:
        blocks = tuple(Block.read(row) for row in fields["blocks"])
        hashes = Hashes.read(fields.get("hashes", {}))
        return Index(fields["execution_id"], fields["epoch"], blocks, hashes)
    except (KeyError, TypeError, ValueError) as error:
        raise ArchiveDamaged(name, f"its index cannot be read: {error!r}") from error


def read_block(name: str, data: bytes, block: Block) -> list[Entry]:
    """Read the frames of a block of the object *name*; raise ArchiveDamaged if they are others."""
    check_block(name, data, block)
    kind, size = _HEADER.unpack(data[: _HEADER.size])
    if kind != _SKIPPABLE:
        raise ArchiveDamaged(name, f"no table at byte {block.offset}")
    middle = _HEADER.size + size
    rows = _json(name, data[_HEADER.size : middle])
    lines = expanded(name, data[middle:]).split(b"\n")
    entries: list[Entry] = []
    at, seq, before = 0, block.first_seq, block.before
    for ms, n, count, tag, flags in rows:
        records = [
            _record(name, line, ms, n - count + 1 + i, seq + i)
            for i, line in enumerate(lines[at : at + count])
        ]
        frame = encode_frame(records)
        entries.append(Entry(RecordId(ms, n), seq, count, before, tag, flags, frame))
        at, seq, before = at + count, seq + count, tag
    if at != len(lines) - 1 or not entries or entries[-1].end != block.last:
        raise ArchiveDamaged(name, f"the block at byte {block.offset} holds other records")
    return entries


def check_block(name: str, data: bytes, block: Block) -> None:
    """Raise ArchiveDamaged unless *data* is what was written as *block*."""
    if len(data) != block.length or zlib.crc32(data) != block.checksum:
        raise ArchiveDamaged(name, f"the checksum of the block at byte {block.offset} is another")


def _record(name: str, line: bytes, ms: int, n: int, seq: int) -> bytes:
    """Take id and seq, which close each line, off it again."""
    ending = b',"id":"%d-%d","seq":%d}' % (ms, n, seq)
    if not line.endswith(ending):
        raise ArchiveDamaged(name, f"the line of seq {seq} does not end with its id and seq")
    return line[: -len(ending)] + b"}"


def _skippable(payload: bytes) -> bytes:
    return _HEADER.pack(_SKIPPABLE, len(payload)) + payload


def _json(name: str, packed: bytes) -> Any:
    try:
        return orjson.loads(expanded(name, packed))
    except orjson.JSONDecodeError as error:
        raise ArchiveDamaged(name, f"a table is no JSON: {error}") from error


def compressed(plain: bytes) -> bytes:
    """Compress as archives are."""
    return bytes(zstd.compress(plain, options=_OPTIONS))


def expanded(name: str, packed: bytes) -> bytes:
    """Expand what `compressed` made, within a bound; raises ArchiveDamaged."""
    decompressor = zstd.ZstdDecompressor()
    try:
        plain = decompressor.decompress(packed, max_length=_MOST_EXPANDED_BYTES)
    except zstd.ZstdError as error:
        raise ArchiveDamaged(name, str(error)) from error
    if not decompressor.eof:
        raise ArchiveDamaged(name, "it is cut off, or expands beyond 64 MiB")
    return plain
