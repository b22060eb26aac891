"""Encode what a worker publishes, once, in the form in which browsers read it.

An `ExecutionLog` is a JSON object: `execution_id, step_name, step_type, message, input_data,
output_data, duration_ms, timestamp (RFC 3339, UTC), error_message, level`; unknown fields pass
through untouched. `id`, `seq` and `kind` are runtail's own: a worker's field of that name is
renamed (`id_`). Pure: no I/O.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol, TypedDict

import orjson

from runtail_broker.errors import InvalidRecord
from runtail_broker.records.hazards import is_harmless
from runtail_broker.records.standin import Plain, holds_nan, stand_in

LEVELS: Final = ("debug", "info", "warning", "error")
KINDS: Final = ("log", "status", "step", "progress", "metric", "link", "plan", "lost", "end")
TERMINAL: Final = ("completed", "failed", "cancelled")
OWN_FIELDS: Final = frozenset({"id", "seq", "kind"})
MAX_RECORD_BYTES: Final = 64 * 1024
_RESERVED: Final = OWN_FIELDS | {"execution_id"}
_FRAME: Final = _RESERVED | {"level", "timestamp"}  # what `encode_plain` puts around the fields
_TEXT: Final = frozenset({str})  # and nothing that orjson would write as a text

LEVEL_NUMBER: Final = {level: number for number, level in enumerate(LEVELS)}
# ours to show: orjson crashes the process on a tzinfo whose utcoffset raises, and on a dataclass
# with a slot that is not set
_OPTIONS: Final = (
    orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
)
# for names that are texts, as nearly all are, in two thirds of the time
_TEXT_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_MOST_CUT: Final = 16  # fields of one record that are cut; more are too many to show
_MARK_BYTES: Final = 120  # room for the note that a cut field carries


class Mask(Protocol):
    """Takes out of a record what must not leave the worker. Never raises."""

    def __call__(self, json: bytes) -> bytes:
        """Mask a record's JSON; gives JSON back."""

    @property
    def stand_in(self) -> Callable[[object], Any]:
        """Show what JSON cannot hold (see `stand_in`), masked before it is cut."""


class ExecutionLog(TypedDict, total=False):
    """A log record as a viewer receives it."""

    id: str
    seq: int
    kind: str
    execution_id: str
    step_name: str | None
    step_type: str | None
    message: str
    input_data: object
    output_data: object
    duration_ms: float | None
    timestamp: str
    error_message: str | None
    level: str


@dataclass(slots=True)
class Record:
    """One encoded record: *json*, and the number of its level in LEVELS (None: not a log).

    Never changed; not frozen only because making a frozen one takes three times as long.
    """

    json: bytes
    level: int | None


def encode(
    execution_id: str,
    fields: Mapping[str, Any],
    *,
    kind: str = "log",
    max_bytes: int = MAX_RECORD_BYTES,
    mask: Mask | None = None,
) -> Record:
    """Encode *fields* as a record of *execution_id*, at most *max_bytes* of JSON.

    Adds the time when none is given. What JSON cannot hold becomes a readable stand-in; then the
    record is masked, and if it is still over *max_bytes* it is cut (see `cut`). Raises
    InvalidRecord for a level that is none and for a record without a single field.
    """
    if not fields:
        raise InvalidRecord("is empty, expected at least a message")
    level = fields.get("level", "info") if kind == "log" else None
    if kind == "log" and not (isinstance(level, str) and level in LEVEL_NUMBER):
        raise InvalidRecord(f"has level {Plain().of(level)}, expected one of {', '.join(LEVELS)}")
    record: dict[str, Any] = {"execution_id": execution_id}
    if kind == "log":
        record["level"] = level
    else:
        record["kind"] = kind
    if _RESERVED.isdisjoint(fields) and _TEXT.issuperset(map(type, fields)):
        record.update(fields)
    else:
        for name, value in fields.items():
            record[_free_name(name, value, execution_id, fields)] = value
    if record.get("timestamp") is None:
        record["timestamp"] = now()
    json = _dumps(record) if mask is None else mask(_dumps(record, mask.stand_in))
    if len(json) > max_bytes:
        json = cut(orjson.loads(json), max_bytes)  # what was masked, never the worker's own values
    json = json[:-1] + b"}"  # a copy: orjson's own bytes keep 4 KB of memory for 300 bytes
    return Record(json, None if level is None else LEVEL_NUMBER[level])


def encode_plain(
    execution_id: str, level: str, fields: Mapping[str, Any], max_bytes: int, mask: Mask
) -> Record | None:
    """Encode a log as `encode` does, but only one that is as most are; None for any other.

    In half the time: what runtail itself puts around the *fields* is written once, and neither
    encoded nor searched for secrets again.
    """
    if not fields or level not in LEVEL_NUMBER or not _FRAME.isdisjoint(fields):
        return None
    if not is_harmless(fields):
        return None
    try:
        body = orjson.dumps(fields, mask.stand_in, _TEXT_OPTIONS)
    except (TypeError, ValueError, RecursionError, SystemError):
        return None
    if body.find(b"null") >= 0 and (_lacks_one(fields) or holds_nan(fields)):
        return None
    head, number = _head(execution_id, level)
    json = head + mask(body)[1:-1] + _end()
    return Record(json, number) if len(json) <= max_bytes else None


@lru_cache(maxsize=1024)
def _head(execution_id: str, level: str) -> tuple[bytes, int]:
    """Write how each log of this *level* begins; also say the level's number."""
    fields = {"execution_id": execution_id, "level": level}
    return orjson.dumps(fields)[:-1] + b",", LEVEL_NUMBER[level]


def _lacks_one(fields: Mapping[str, Any]) -> bool:
    return any(value is None for value in fields.values())


def around_message(
    execution_id: str, level: str, fields: Mapping[str, str], mask: Mask
) -> tuple[bytes, bytes]:
    """Write what stands before and behind the message's text in a log of this very time."""
    head, _ = _head(execution_id, level)
    rest = mask(orjson.dumps(fields))[1:-1]
    return head + b'"message":"', b'"' + (b"," + rest if rest else b"") + _end()


def cut(record: Mapping[str, Any], max_bytes: int) -> bytes:
    """Encode *record* in at most *max_bytes* by cutting its largest fields.

    A cut field keeps its head and tail, whole characters only, and a mark between them that says
    how long it was; `truncated` maps each cut field to its original length in bytes.
    """
    kept = dict(record)
    lengths: dict[str, int] = {}
    sizes = {name: len(_dumps(value)) for name, value in record.items()}
    for name in sorted(sizes, key=lambda n: -sizes[n])[:_MOST_CUT]:
        over = len(_dumps({**kept, "truncated": lengths})) - max_bytes
        if over <= 0:
            break
        room = sizes[name] - over - _MARK_BYTES - len(_dumps(name))
        kept[name], lengths[name] = _shortened(kept[name], max(room, 0))
    json = _dumps({**kept, "truncated": lengths})
    if len(json) <= max_bytes:
        return json
    raise InvalidRecord(
        f"has {len(record)} fields and {len(json)} bytes, expected at most {max_bytes}"
    )


def _shortened(value: Any, room: int) -> tuple[str, int]:
    """Cut *value* as text to at most *room* bytes of JSON beside its mark; also say its length."""
    text = value if isinstance(value, str) else _dumps(value).decode()
    data = text.encode(errors="backslashreplace")
    keep = room
    while True:
        head, tail = _ends(data, keep)
        gone = len(data) - len(head.encode()) - len(tail.encode())
        short = f"{head} … [{gone} of {len(data)} bytes cut] … {tail}"
        size = len(_dumps(head + tail)) - 2
        if size <= room or keep == 0:
            return short, len(data)
        keep = min(keep * 3 // 4, keep * room // size)  # an escape may take six bytes a character


def _ends(data: bytes, keep: int) -> tuple[str, str]:
    """Keep two thirds of *keep* bytes from the head and one from the tail, whole characters."""
    tail_bytes = keep // 3
    head = data[: keep - tail_bytes].decode(errors="ignore")
    tail = data[len(data) - tail_bytes :].decode(errors="ignore") if tail_bytes else ""
    return head, tail


def _free_name(name: object, value: object, execution_id: str, fields: Mapping[Any, Any]) -> str:
    """Rename a worker's field that would stand for runtail's own, to a free name."""
    text = name if isinstance(name, str) else str(Plain().of(name))
    # by type: isinstance runs a value's own code
    other = text == "execution_id" and not (type(value) is str and value == execution_id)
    if other or text in OWN_FIELDS:
        text += "_"
        while text in fields:
            text += "_"
    return text


def _dumps(value: Any, show: Callable[[object], Any] = stand_in) -> bytes:
    try:
        if is_harmless(value):
            json = orjson.dumps(value, show, _OPTIONS)
            if b"null" not in json or not holds_nan(value):
                return json
    except (TypeError, ValueError, RecursionError, SystemError):  # odd keys, large ints, depth …
        pass
    return orjson.dumps(show(value))


def now() -> str:
    """Write the time of this machine's clock as RFC 3339 in UTC, to the microsecond."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{whole_second(seconds)}.{nanoseconds // 1000:06d}Z"


def _end() -> bytes:
    """Write how a log ends: with the time that `now` tells."""
    seconds = time.time()  # exact to a quarter of a microsecond
    whole = int(seconds)
    return b'%b.%06dZ"}' % (_end_until_second(whole), (seconds - whole) * 1e6)


@lru_cache(maxsize=4)
def _end_until_second(seconds: int) -> bytes:
    return f',"timestamp":"{whole_second(seconds)}'.encode()


@lru_cache(maxsize=4)
def whole_second(seconds: int) -> str:
    """Write a time in whole seconds since 1970 as RFC 3339 in UTC, without its `Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
