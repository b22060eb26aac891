"""Make a batch of what was sent: records that are encoded here, or a worker's sealed frame.

What a batch says about its content is counted here, never taken from whoever sent it. Pure: no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

from runtail.shapes import link_fields
from runtail_broker.errors import (
    FrameTooLarge,
    InvalidFrame,
    InvalidRecord,
    NewerFormat,
    RuntailError,
)
from runtail_broker.records.frame import decode_frame, encode_frame
from runtail_broker.records.outline import outline
from runtail_broker.records.record import LEVEL_NUMBER, LEVELS, encode
from runtail_broker.records.spoken import Bounds, Publish
from runtail_broker.script import Batch
from runtail_gateway.protocol.brief import brief
from runtail_gateway.protocol.problem import BadRequest, TooLarge

KINDS: Final = frozenset({"step", "progress", "metric", "link", "plan"})
"""What may be published beside logs; `status`, `lost` and `end` are written by runtail alone."""
_OURS: Final = frozenset({"status", "end"})
_TEXTS: Final = ("message", "step_name", "step_type", "error_message", "timestamp")
_NEEDED: Final = {"step": "step_name", "metric": "name", "link": "name", "plan": "steps"}
_MOST_LOST: Final = 2**40
_MOST_ERRORS: Final = 100
_MOST_DEEP: Final = 250  # what is much deeper no worker's encoder writes, and few readers read


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one record of a request."""

    index: int
    field: str
    message: str


class InvalidRecords(RuntailError):
    """Records that cannot be stored; nothing of their request is."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = faults[:_MOST_ERRORS]
        first = faults[0]
        where = f"record {first.index}" + (f", field {first.field!r}" if first.field else "")
        super().__init__(f"{len(faults)} of the records are not valid; {where} {first.message}")


class _Wrong(Exception):
    def __init__(self, name: str, message: str) -> None:
        self.field, self.message = name, message
        super().__init__(message)


@dataclass(slots=True)
class Content:
    """What the records of a batch say, counted."""

    levels: list[int] = field(default_factory=lambda: [0] * len(LEVELS))
    stands_for: int = 0
    marks: int = 0
    progress: str = ""
    json_bytes: int = 0
    records: int = 0
    others: list[int] = field(default_factory=list)
    """Places of the records that are no logs."""

    def count(self, execution_id: str, json: bytes) -> None:
        """Count one encoded record; raise ValueError, with the reason, for what is none."""
        fields = orjson.loads(json)
        if not isinstance(fields, dict):
            raise ValueError(f"is a JSON {type(fields).__name__}, expected an object")
        if fields.get("execution_id") != execution_id:
            raise ValueError(f"is not of execution {execution_id!r}")
        if "id" in fields or "seq" in fields:
            raise ValueError("has an id or a seq of its own")
        if _opens(json) > _MOST_DEEP and not _can_be_written(fields):
            raise ValueError(f"is nested deeper than {_MOST_DEEP} levels")
        self.json_bytes += len(json)
        if fields.get("kind", "log") != "log":
            self.others.append(self.records)
        self.records += 1
        match fields.get("kind", "log"):
            case "log":
                self._count_level(fields.get("level"))
            case "lost":
                self._count_lost(fields.get("lost"))
            case "progress" if not fields.get("name"):
                self._count_progress(fields.get("progress"))
            case str() as kind if kind not in _OURS:
                return
            case kind:
                raise ValueError(f"has kind {brief(kind)!r}, which only the engine writes")

    def _count_level(self, level: object) -> None:
        if not isinstance(level, str) or level not in LEVEL_NUMBER:
            raise ValueError(f"has level {brief(level)!r}, expected {', '.join(LEVELS)}")
        self.levels[LEVEL_NUMBER[level]] += 1

    def _count_lost(self, lost: object) -> None:
        if type(lost) is not int or not 0 < lost < _MOST_LOST:
            raise ValueError(f"lost {brief(lost)!r} records, expected a whole number")
        self.stands_for += lost
        self.marks += 1

    def _count_progress(self, value: object) -> None:
        if value is None:
            self.progress = "null"
        elif type(value) in (int, float):
            self.progress = orjson.dumps(float(value)).decode()  # type: ignore[arg-type]


def _opens(json: bytes) -> int:
    """Count what could be a level: the depth of *json* is no more than that."""
    return json.count(b"[") + json.count(b"{")


def _can_be_written(fields: object) -> bool:
    try:
        return bool(orjson.dumps(fields))
    except TypeError:
        return False


def sealed(said: Publish, bounds: Bounds) -> Batch:
    """Make a batch of the frame that a worker sealed, whose bytes stay.

    Raises TooLarge over a bound, BadRequest for a frame that no worker seals.
    """
    json = _unpacked(said.frame, bounds)
    if len(json) != said.count:
        raise BadRequest(f"frame holds {len(json)} records, expected {said.count} as was said")
    content = Content()
    for index, record in enumerate(json):
        if len(record) > bounds.record_bytes:
            raise TooLarge(
                f"record {index} has {len(record)} bytes, expected at most {bounds.record_bytes}"
            )
        try:
            content.count(said.execution_id, record)
        except ValueError as error:
            raise BadRequest(f"record {index} of the frame {error}") from error
    return _batch(said, json, content, said.frame)


def _unpacked(frame: bytes, bounds: Bounds) -> list[bytes]:
    if len(frame) > bounds.batch_bytes:
        raise TooLarge(f"frame has {len(frame)} bytes, expected at most {bounds.batch_bytes}")
    room = 8 * bounds.batch_records  # what a frame adds around its records
    try:
        json = decode_frame(frame, bounds.batch_bytes + room, bounds.batch_records)
    except FrameTooLarge as error:
        raise TooLarge(str(error)) from error
    except (InvalidFrame, NewerFormat) as error:
        raise BadRequest(str(error)) from error
    _require_within(json, bounds)
    return json


def encoded(execution_id: str, records: Sequence[object], bounds: Bounds) -> list[bytes]:
    """Encode *records*, as a worker does; a record over its bound is cut, and says so.

    Raises InvalidRecords, all or nothing, and TooLarge for a batch over its bound.
    """
    json: list[bytes] = []
    faults: list[Fault] = []
    for index, record in enumerate(records):
        try:
            json.append(_encoded(execution_id, record, bounds.record_bytes))
        except _Wrong as wrong:
            faults.append(Fault(index, wrong.field, wrong.message))
    if faults:
        raise InvalidRecords(faults)
    _require_within(json, bounds)
    return json


def _require_within(json: Sequence[bytes], bounds: Bounds) -> None:
    size = sum(map(len, json))
    if len(json) > bounds.batch_records or size > bounds.batch_bytes:
        raise TooLarge(
            f"batch has {len(json)} records and {size} bytes, expected at most "
            f"{bounds.batch_records} and {bounds.batch_bytes}"
        )


def _encoded(execution_id: str, record: object, max_bytes: int) -> bytes:
    if not isinstance(record, dict):
        raise _Wrong("", f"is a JSON {type(record).__name__}, expected an object")
    fields, kind = dict(record), "log"
    if isinstance(fields.get("kind"), str) and fields["kind"] in KINDS | {"log"}:
        kind = fields.pop("kind")  # any other is a field of the worker's own, and is renamed
    if fields.get("execution_id") == execution_id:
        del fields["execution_id"]
    _check(kind, fields)
    if kind == "link":
        fields |= link_fields(fields["name"], fields.pop("url", ""))
    try:
        return encode(execution_id, fields, kind=kind, max_bytes=max_bytes).json
    except InvalidRecord as error:
        name = "level" if error.reason.startswith("has level") else ""
        raise _Wrong(name, error.reason) from error


def _check(kind: str, fields: Mapping[str, Any]) -> None:
    for name in _TEXTS:
        if not isinstance(fields.get(name), str | None):
            raise _Wrong(name, f"is a JSON {type(fields[name]).__name__}, expected a text")
    for name in ("duration_ms", *(("progress",) if kind == "progress" else ())):
        if type(fields.get(name)) not in (int, float, type(None)):
            raise _Wrong(name, f"is a JSON {type(fields[name]).__name__}, expected a number")
    if kind in _NEEDED and not fields.get(_NEEDED[kind]):
        raise _Wrong(_NEEDED[kind], f"is missing, and a {kind} needs it")
    if not is_time(fields.get("timestamp")):
        raise _Wrong("timestamp", f"is {fields['timestamp'][:40]!r}, expected RFC 3339")


def is_time(text: str | None) -> bool:
    """Whether *text* is a time in RFC 3339, or None."""
    try:
        return text is None or datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def counted(said: Publish, json: list[bytes]) -> Batch:
    """Make a batch of records that `encoded` made; *said* gives its numbers, not its frame."""
    content = Content()
    for record in json:
        content.count(said.execution_id, record)
    return _batch(said, json, content, encode_frame(json))


def _batch(said: Publish, json: list[bytes], content: Content, frame: bytes) -> Batch:
    debug, info, warning, error = content.levels
    return Batch(
        number=said.number,
        before=said.before,
        count=len(json),
        random=said.random,
        flags=0,
        levels=(debug, info, warning, error),
        json_bytes=content.json_bytes,
        stands_for=content.stands_for,
        progress=content.progress,
        frame=frame,
        outline=outline(json, errors=error, others=content.others),
        marks=content.marks or min(said.marks, len(json)),
    )
