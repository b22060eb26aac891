"""Say over HTTP what a worker says to the engine: one request carries many calls. Pure: no I/O.

A body is a msgpack array of `[kind, field, …]`, its answer a map of `answers` (in order: what each
script answered, `{"error", "refused"}`, a text for `primary`) and `bounds`, what a gateway takes.
What the gateway decides by itself (epochs, limits, times of its own records) is not said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

import msgpack
import orjson

from runtail_broker.cursor import new_random
from runtail_broker.errors import EngineRefused, RuntailError, Unavailable
from runtail_broker.script import Answer, Call

MEDIA_TYPE: Final = "application/x-runtail-calls"
FRAME_TYPE: Final = "application/x-runtail-frame"


class Unspoken(RuntailError, ValueError):
    """A body that no worker's calls make."""


@dataclass(frozen=True, slots=True)
class Open:
    """See open.lua; *begun* is when the worker began, '' for now."""

    execution_id: str
    publisher: str
    role: str
    workflow_id: str
    begun: str
    listens: bool = False


@dataclass(frozen=True, slots=True)
class Publish:
    """See publish.lua; what the frame says itself is not said again, but for the *count*.

    *marks* of its records tell of others that are missing; 0: as many as are `lost` records.
    """

    execution_id: str
    publisher: str
    number: int
    before: int
    random: int
    count: int
    hole_after: int | None
    hole_reason: str
    frame: bytes
    marks: int = 0

    @classmethod
    def unnumbered(cls, execution_id: str, publisher: str, number: int) -> Publish:
        """Say what comes from who does not count; its random number is drawn here."""
        return cls(execution_id, publisher, number, 0, new_random(), 0, None, "", b"")


@dataclass(frozen=True, slots=True)
class Beat:
    """See beat.lua."""

    execution_id: str
    publisher: str
    last_batch: int
    beat: int
    listens: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """See close.lua."""

    execution_id: str
    publisher: str
    last_batch: int
    status: str
    reason: str
    explicit: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """See finish.lua."""

    execution_id: str


@dataclass(frozen=True, slots=True)
class Primary:
    """Name the server that is primary for the execution now."""

    execution_id: str


Spoken = Open | Publish | Beat | Close | Finish | Primary
_NONE = type(None)
_SHAPES: Final[dict[str, tuple[type[Spoken], tuple[tuple[type, ...], ...]]]] = {
    "open": (Open, (*((str,),) * 5, (bool,))),
    "publish": (
        Publish,
        ((str,), (str,), *((int,),) * 4, (int, _NONE), (str,), (bytes,), (int,)),
    ),
    "beat": (Beat, ((str,), (str,), (int,), (int,), (bool,))),
    "close": (Close, ((str,), (str,), (int,), (str,), (str,), (bool,))),
    "finish": (Finish, ((str,),)),
    "primary": (Primary, ((str,),)),
}
_MAY_LACK: Final[dict[type[Spoken], object]] = {Open: False, Beat: False, Publish: 0}
"""A row of these may lack its last value, which is this one then."""
_KIND_OF: Final = {made: kind for kind, (made, _) in _SHAPES.items()}
_FIELDS_MOST: Final = 11


def spoken(call: Call) -> Spoken:
    """Say what *call* asks for."""
    name = call.execution_id
    values: Sequence[Any] = call.arguments[1:]  # the first is the live channel
    text, number = str, int
    match call.script.name:
        case "open":
            begun = orjson.loads(values[4])["timestamp"]
            names = text(values[0]), text(values[1]), text(values[5])
            return Open(name, *names, begun or "", values[11] == 1)
        case "publish":
            return _publish(name, values)
        case "beat":
            publisher, listens = text(values[0]), values[3] == 1
            return Beat(name, publisher, number(values[1]), number(values[2]), listens)
        case "close":
            status, reason, explicit = text(values[3]), text(values[5]), values[6] == 1
            return Close(name, text(values[0]), number(values[1]), status, reason, explicit)
        case "finish":
            return Finish(name)
    raise ValueError(f"script {call.script.name!r} is not called over HTTP")


def _publish(name: str, values: Sequence[Any]) -> Publish:
    publisher, number, before, random, count = values[:5]
    stands_for, weight = values[11:13]
    hole_after, hole, frame = values[14:17]
    reason = orjson.loads(hole + b"}")["reason"] if hole else ""
    after = None if hole_after == "" else int(hole_after)
    marks = 0 if stands_for else count - weight  # the gateway counts `lost` records by itself
    return Publish(name, publisher, number, before, random, count, after, reason, frame, marks)


def pack(each: Spoken) -> bytes:
    """Pack one call; a body is an array of them, see `body_of`."""
    row = [_KIND_OF[type(each)], *astuple(each)]
    if type(each) in _MAY_LACK and row[-1] == _MAY_LACK[type(each)]:
        del row[-1]  # as earlier versions say it, so that earlier gateways understand it
    packed: bytes = msgpack.packb(row, unicode_errors="backslashreplace")
    return packed


def body_of(packed: Sequence[bytes]) -> bytes:
    """Make a body of packed calls."""
    head: bytes = msgpack.Packer().pack_array_header(len(packed))
    return head + b"".join(packed)


def unpack(body: bytes, most: int) -> list[Spoken]:
    """Read a body of at most *most* calls; raise Unspoken for anything else."""
    try:
        rows = msgpack.unpackb(
            body, max_array_len=max(most, _FIELDS_MOST), max_map_len=0, max_ext_len=0
        )
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise Unspoken(f"body is not msgpack as expected: {str(error)[:200]}") from error
    if type(rows) is not list or not 0 < len(rows) <= most:
        raise Unspoken(f"body is {type(rows).__name__}, expected an array of 1 to {most} calls")
    return [_read(row) for row in rows]


def _read(row: object) -> Spoken:
    if type(row) is not list or not row or type(row[0]) is not str or row[0] not in _SHAPES:
        raise Unspoken(f"call {str(row)[:100]} is none of {', '.join(_SHAPES)}")
    made, shape = _SHAPES[row[0]]
    values = row[1:]
    if made in _MAY_LACK and len(values) == len(shape) - 1:
        values.append(_MAY_LACK[made])
    if len(values) != len(shape) or any(
        type(value) not in kinds for value, kinds in zip(values, shape, strict=True)
    ):
        types = [type(value).__name__ for value in values]
        raise Unspoken(f"call {row[0]} has {', '.join(types)}, expected {made.__doc__}")
    return made(*values)


Said = Answer | RuntailError | str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a gateway takes; workers read it with each answer, so that both sides agree."""

    record_bytes: int
    batch_records: int
    batch_bytes: int
    calls: int
    body_bytes: int


def pack_answers(answers: Sequence[Said], bounds: Bounds) -> bytes:
    """Pack what is answered to a body."""
    rows = [_row(answer) for answer in answers]
    packed: bytes = msgpack.packb({"answers": rows, "bounds": astuple(bounds)})
    return packed


def _row(said: Said) -> object:
    match said:
        case Answer():
            at = said.last
            place = (at.id.ms, at.id.n, at.seq or 0, at.tag or 0)
            return [said.word, said.last_batch, *place, said.cancel, said.status, said.epoch]
        case RuntailError():
            return {"error": str(said)[:1000], "refused": not isinstance(said, Unavailable)}
    return said


def unpack_answers(body: bytes) -> tuple[list[Said], Bounds]:
    """Read what `pack_answers` made; raise Unspoken for anything else."""
    try:
        read = msgpack.unpackb(body)
        bounds = Bounds(*map(int, read["bounds"]))
        return [_said(row) for row in read["answers"]], bounds
    except (ValueError, TypeError, KeyError, msgpack.exceptions.UnpackException) as error:
        raise Unspoken(f"answer is no gateway's: {error!r}"[:300]) from error


def _said(row: Any) -> Said:
    if isinstance(row, str):
        return row
    if isinstance(row, Mapping):
        return EngineRefused(row["error"]) if row["refused"] else Unavailable(row["error"])
    word, last_batch, ms, n, seq, tag, cancel, status, epoch = row
    numbers = [str(int(each)).encode() for each in (last_batch, ms, n, seq, tag)]
    flag = b"1" if cancel else b""
    return Answer.read([word.encode(), *numbers, flag, status.encode(), str(int(epoch)).encode()])
