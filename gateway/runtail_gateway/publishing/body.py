"""Read the body of a publishing request: expand it within a bound, take its records apart.

Pure: no I/O.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from typing import Final, Protocol

import orjson

from runtail_gateway.protocol.problem import BadRequest, TooLarge, UnknownCoding

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP: Final = 16 + zlib.MAX_WBITS
_WINDOW: Final[dict[int, int]] = {
    zstd.DecompressionParameter.window_log_max: 23
}  # 8 MiB of memory at most


class _Expander(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


_EXPANDERS: Final[dict[str, Callable[[], _Expander]]] = {
    "gzip": lambda: zlib.decompressobj(_GZIP),
    "x-gzip": lambda: zlib.decompressobj(_GZIP),
    "zstd": lambda: zstd.ZstdDecompressor(options=_WINDOW),
}


def expanded(body: bytes, coding: str, most: int) -> bytes:
    """Expand *body* to at most *most* bytes, whatever it claims.

    Raises TooLarge beyond that, BadRequest for damage, UnknownCoding for any other *coding* than
    gzip and zstd.
    """
    name = coding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in _EXPANDERS:
        raise UnknownCoding(f"Content-Encoding is {coding[:40]!r}, expected gzip or zstd")
    plain = bytearray()
    while body:
        expander = _EXPANDERS[name]()
        try:
            plain += expander.decompress(body, most + 1 - len(plain))
        except (zlib.error, zstd.ZstdError) as error:
            raise BadRequest(f"body is no {name}: {error}") from error
        if len(plain) > most:
            raise TooLarge(f"body expands to more than {most} bytes")
        if not expander.eof:
            raise BadRequest(f"body is cut off: {len(body)} bytes of {name} without an end")
        body = expander.unused_data  # several members, one behind the other, are one body
    return bytes(plain)


def objects_in(body: bytes, media_type: str, most: int) -> list[object]:
    """Take *body* apart: a JSON object, an array, or one value a line (NDJSON).

    What the media type does not say its shape does: `curl -d` names a form, whatever it sends.
    Raises BadRequest for what is no JSON, TooLarge for more than *most* records.
    """
    if not body.strip():
        raise BadRequest("body is empty, expected a record, an array of them, or one a line")
    lines = media_type.endswith(("ndjson", "jsonl"))
    found = _lines(body, most) if lines else _whole(body, most)
    if not found:
        raise BadRequest("body holds no record, expected at least one")
    if len(found) > most:
        raise TooLarge(f"body holds {len(found)} records, expected at most {most}")
    return found


def object_in(body: bytes) -> dict[str, object]:
    """Read *body* as one JSON object, an empty one as {}; raise BadRequest for anything else."""
    if not body.strip():
        return {}
    value = _json(body, "body")
    if not isinstance(value, dict):
        raise BadRequest(f"body is a JSON {type(value).__name__}, expected an object")
    return value


def _whole(body: bytes, most: int) -> list[object]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if body.strip().count(b"\n"):
            return _lines(body, most)
        raise BadRequest(f"body is not JSON: {error}") from error
    return value if isinstance(value, list) else [value]


def _lines(body: bytes, most: int) -> list[object]:
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if len(lines) > most:
        raise TooLarge(f"body holds {len(lines)} records, expected at most {most}")
    return [_json(line, f"line {number}") for number, line in lines]


def _json(text: bytes, what: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"{what} is not JSON: {error}") from error
