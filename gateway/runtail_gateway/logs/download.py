"""Spell a whole log as a file, and compress it on the way if the client takes that."""

from __future__ import annotations

import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson

from runtail.watching.terminal import Layout, notice, visible
from runtail.watching.viewer_event import Gap, Records, Reset
from runtail_broker.cursor import Cursor
from runtail_gateway.logs.log_step import Step

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP: Final = 31  # zlib's window bits for a gzip stream
_PIECE_BYTES: Final = 256 * 1024


def ndjson_of(step: Step) -> bytes:
    """Spell *step* as JSON, one record or notice a line."""
    lines = [orjson.dumps({"kind": notice["type"], **notice}) for notice in step.notices]
    return b"".join(line + b"\n" for line in [*lines, *step.lines])


@dataclass(slots=True)
class TextOf:
    """Spell steps as people read them; control sequences in log text are spelled out."""

    _layout: Layout = field(default_factory=lambda: Layout(colored=False, when=_when))

    def __call__(self, step: Step) -> bytes:
        """Spell one step."""
        told = [_notice(each) for each in step.notices]
        lines = self._layout.lines(Records([orjson.loads(line) for line in step.lines]))
        return "".join(f"{line}\n" for line in [*told, *lines]).encode()


def _when(timestamp: object) -> str:
    return f"{visible(timestamp or '')[:27]:<27}"


def _notice(fields: dict[str, Any]) -> str:
    if fields["type"] == "gap":
        where = (fields["after_seq"], fields["before_seq"], fields["lost"])
        return notice(Gap(*where, "not kept any more"))
    return notice(Reset(Cursor.parse(fields["cursor"]).number, fields["reason"]))


def pieces(part: bytes) -> Iterator[bytes]:
    """Take *part* apart, so that no more than a piece waits for a client that does not read."""
    return (part[at : at + _PIECE_BYTES] for at in range(0, len(part), _PIECE_BYTES))


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


def takes(coding: str, accepted: str) -> bool:
    """Whether *accepted* (Accept-Encoding) names *coding*, and does not refuse it."""
    weights = {}
    for each in accepted.split(","):
        name, _, weight = each.partition(";")
        weights[name.strip().lower()] = weight.replace(" ", "")
    return weights.get(coding, "q=0") not in ("q=0", "q=0.0", "q=0.00")


def packed(parts: AsyncIterator[bytes], accepted: str) -> tuple[str, AsyncIterator[bytes]]:
    """Compress *parts* by the best of the codings *accepted* (Accept-Encoding); name it, or ''."""
    if takes("zstd", accepted):
        return "zstd", _compressed(parts, zstd.ZstdCompressor())
    if takes("gzip", accepted):
        return "gzip", _compressed(parts, zlib.compressobj(6, zlib.DEFLATED, _GZIP))
    return "", parts


async def _compressed(parts: AsyncIterator[bytes], compressor: _Compressor) -> AsyncIterator[bytes]:
    async for part in parts:
        if data := compressor.compress(part):
            yield data
    yield compressor.flush()
