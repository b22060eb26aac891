"""Encode what a worker publishes, once, in the form in which browsers read it.

An `ExecutionLog` is a JSON object: `execution_id, step_name, step_type, message, input_data,
output_data, duration_ms, timestamp (RFC 3339, UTC), error_message, level`; unknown fields pass
through untouched. `id`, `seq` and `kind` are runtail's own: a worker's field of that name is
renamed (`id_`). Pure: no I/O.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as clock_time
from functools import lru_cache
from typing import Any, Final, TypedDict

import orjson

from runtail_broker.errors import InvalidRecord

LEVELS: Final = ("debug", "info", "warning", "error")
KINDS: Final = ("log", "status", "step", "progress", "metric", "link", "plan", "lost", "end")
TERMINAL: Final = ("completed", "failed", "cancelled")
OWN_FIELDS: Final = frozenset({"id", "seq", "kind"})
MAX_RECORD_BYTES: Final = 64 * 1024

_LEVEL_NUMBER: Final = {level: number for number, level in enumerate(LEVELS)}
# datetimes are ours to show: orjson crashes the process on a tzinfo whose utcoffset raises
_OPTIONS: Final = (
    orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_SERIALIZE_NUMPY
)
_MAX_DEPTH: Final = 32
_MOST_CUT: Final = 16  # fields of one record that are cut; more are too many to show
_MARK_BYTES: Final = 120  # room for the note that a cut field carries


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


@dataclass(frozen=True, slots=True)
class Record:
    """One encoded record: *json*, and the number of its level in LEVELS (None: not a log)."""

    json: bytes
    level: int | None


def encode(
    execution_id: str,
    fields: Mapping[str, Any],
    *,
    kind: str = "log",
    max_bytes: int = MAX_RECORD_BYTES,
) -> Record:
    """Encode *fields* as a record of *execution_id*, at most *max_bytes* of JSON.

    Adds the time when none is given. What JSON cannot hold becomes a readable stand-in; a record
    over *max_bytes* is cut (see `cut`). Raises InvalidRecord for a level that is none and for a
    record without a single field.
    """
    if not fields:
        raise InvalidRecord("is empty, expected at least a message")
    level = fields.get("level", "info") if kind == "log" else None
    if kind == "log" and not (isinstance(level, str) and level in _LEVEL_NUMBER):
        raise InvalidRecord(f"has level {_stand_in(level)}, expected one of {', '.join(LEVELS)}")
    record: dict[str, Any] = {"execution_id": execution_id}
    if kind == "log":
        record["level"] = level
    else:
        record["kind"] = kind
    for name, value in fields.items():
        record[_free_name(name, value, execution_id, fields)] = value
    if record.get("timestamp") is None:
        record["timestamp"] = now()
    json = _dumps(record)
    if len(json) > max_bytes:
        json = cut(record, max_bytes)
    return Record(json, None if level is None else _LEVEL_NUMBER[level])


def level_of_ready(
    execution_id: str, ready: bytes, max_bytes: int = MAX_RECORD_BYTES
) -> int | None:
    """Look whether *ready* can be stored as it is; return the number of its level, else None.

    It can if it is a log record that is complete: a JSON object of *execution_id* on one line, with
    time and level, none of runtail's own fields, at most *max_bytes*.
    """
    try:
        fields = orjson.loads(ready)
        if (
            fields["execution_id"] == execution_id
            and "timestamp" in fields
            and OWN_FIELDS.isdisjoint(fields)
            and len(ready) <= max_bytes
            and ready[-1:] == b"}"
            and b"\n" not in ready
        ):
            return _LEVEL_NUMBER.get(fields["level"])
    except (orjson.JSONDecodeError, KeyError, TypeError, RecursionError):
        return None  # `encode_ready` says what is wrong with it
    return None


def encode_ready(execution_id: str, ready: bytes, *, max_bytes: int = MAX_RECORD_BYTES) -> Record:
    """Take a log record that is JSON already, as it is when it can be (see `level_of_ready`).

    Raises InvalidRecord for what is no JSON object. Any other is encoded anew.
    """
    known = level_of_ready(execution_id, ready, max_bytes)
    if known is not None:
        return Record(ready, known)
    try:
        fields = orjson.loads(ready)
    except orjson.JSONDecodeError as error:
        raise InvalidRecord(f"is not JSON ({error})", _shown(ready)) from error
    if type(fields) is not dict:
        raise InvalidRecord(f"is a JSON {type(fields).__name__}, expected an object", _shown(ready))
    return encode(execution_id, fields, max_bytes=max_bytes)


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
    text = name if isinstance(name, str) else str(_plain(name, 0))
    same = isinstance(value, str) and value == execution_id
    if text in OWN_FIELDS or (text == "execution_id" and not same):
        text += "_"
        while text in fields:
            text += "_"
    return text


def _dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value, _stand_in, _OPTIONS)
    except (TypeError, ValueError, RecursionError):
        return orjson.dumps(_plain(value, 0), _stand_in, _OPTIONS)


def _plain(value: Any, depth: int) -> Any:
    """Rebuild *value* from what JSON can hold: depth, integers and surrogates included."""
    match value:
        case None | bool():
            return value
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case int():
            return value if -(2**63) <= value < 2**64 else _big(value)
        case float():
            return value if math.isfinite(value) else str(value)
    if depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {str(_plain(k, depth + 1)): _plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v, depth + 1) for v in value]
    return _stand_in(value)


def now() -> str:
    """Write the time of this machine's clock as RFC 3339 in UTC, to the microsecond."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{_whole_second(seconds)}.{nanoseconds // 1000:06d}Z"


@lru_cache(maxsize=4)
def _whole_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _time(value: datetime) -> str:
    try:
        zoned = value if value.tzinfo is None else value.astimezone(UTC)
        return zoned.isoformat().replace("+00:00", "Z")
    except Exception as error:  # noqa: BLE001 - somebody's tzinfo may raise anything
        return f"<{type(value).__name__}: its zone raised {type(error).__name__}>"


def _big(value: int) -> str:
    return str(value) if value.bit_length() < 4096 else f"<int of {value.bit_length()} bits>"


def _stand_in(value: object) -> Any:
    """Show what JSON cannot hold; never raises, whatever the value's own code does."""
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, bytes | bytearray):
        return value[:1000].decode(errors="backslashreplace")
    try:
        if isinstance(value, date | clock_time):
            return value.isoformat()
        return repr(value)[:1000].encode("utf-8", "backslashreplace").decode()
    except Exception as error:  # noqa: BLE001 - somebody's __repr__ may raise anything
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"


def _shown(ready: bytes) -> str:
    return ready[:200].decode(errors="backslashreplace")
