"""Pack records into a frame, and out again within a bound.

A frame is one byte (version in the high half, codec in the low one), then a msgpack array of JSON
byte strings; under codec 1 the array is compressed with zstd. Pure: no I/O.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgpack

from runtail_broker.errors import InvalidFrame

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

VERSION = 1
PLAIN, ZSTD = 0, 1
MAX_EXPANDED_BYTES = 16 * 1024 * 1024

_PLAIN_BYTE = bytes([VERSION << 4 | PLAIN])
_ZSTD_BYTE = bytes([VERSION << 4 | ZSTD])
_WORTH_COMPRESSING_BYTES = 600  # a frame of one record gains too little for its 0.8 µs a record
_LEVEL = 1


def encode_frame(records: Sequence[bytes]) -> bytes:
    """Pack JSON *records* into one frame, compressed when that makes it smaller."""
    plain: bytes = msgpack.packb(records)
    if len(plain) >= _WORTH_COMPRESSING_BYTES:
        small = zstd.compress(plain, _LEVEL)
        if len(small) < len(plain):
            return _ZSTD_BYTE + small
    return _PLAIN_BYTE + plain


def decode_frame(frame: bytes, max_bytes: int = MAX_EXPANDED_BYTES) -> list[bytes]:
    """Unpack the records of *frame*; raise InvalidFrame for what `encode_frame` cannot have made.

    Never expands to more than *max_bytes*, whatever the frame claims.
    """
    if not frame:
        raise InvalidFrame("frame is empty, expected at least a version byte")
    version, codec = frame[0] >> 4, frame[0] & 15
    if version != VERSION or codec not in (PLAIN, ZSTD):
        raise InvalidFrame(
            f"frame has version {version} and codec {codec}, expected version 1, codec 0 or 1"
        )
    plain = _expand(frame[1:], max_bytes) if codec == ZSTD else frame[1:]
    if len(plain) > max_bytes:
        raise InvalidFrame(f"frame expands to more than {max_bytes} bytes")
    return _unpack(plain)


def _expand(packed: bytes, max_bytes: int) -> bytes:
    decompressor = zstd.ZstdDecompressor()
    try:
        plain = decompressor.decompress(packed, max_length=max_bytes + 1)
    except zstd.ZstdError as error:
        raise InvalidFrame(f"frame is damaged: {error}") from error
    if len(plain) <= max_bytes and not decompressor.eof:
        raise InvalidFrame(f"frame is cut off after {len(packed)} compressed bytes")
    return plain


def _unpack(plain: bytes) -> list[bytes]:
    try:
        records = msgpack.unpackb(plain, raw=True, strict_map_key=True)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise InvalidFrame(f"frame is damaged: {error!r}") from error
    if type(records) is not list or not {*map(type, records)} <= {bytes}:
        raise InvalidFrame(
            f"frame holds {type(records).__name__}, expected an array of byte strings"
        )
    return records
