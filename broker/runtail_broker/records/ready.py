"""Take logs that are JSON already, as they are when they can be stored so. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from runtail_broker.errors import InvalidRecord
from runtail_broker.records.frame import breaks_in
from runtail_broker.records.record import (
    LEVEL_NUMBER,
    LEVELS,
    MAX_RECORD_BYTES,
    OWN_FIELDS,
    Mask,
    Record,
    encode,
)


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
            return LEVEL_NUMBER.get(fields["level"])
    except (orjson.JSONDecodeError, KeyError, TypeError, RecursionError):
        return None  # `encode_ready` says what is wrong with it
    return None


def levels_of_ready(
    execution_id: str, records: Sequence[bytes], lines: bytes, max_bytes: int = MAX_RECORD_BYTES
) -> tuple[int, int, int, int] | None:
    """Do what `level_of_ready` does for *records*, whose *lines* they are: count their levels.

    None if any of them cannot be stored as it is.
    """
    whole = {record[-1:] for record in records} == {b"}"}
    if not whole or breaks_in(lines) >= len(records) or max(map(len, records)) > max_bytes:
        return None
    counts = [0] * len(LEVELS)
    loads, numbers = orjson.loads, LEVEL_NUMBER
    try:
        for record in records:
            fields = loads(record)
            if fields["execution_id"] != execution_id:
                return None
            # one by one: to compare the sets looks at all fields of the record, and costs as much
            # as reading it
            if "timestamp" not in fields or "id" in fields or "seq" in fields or "kind" in fields:
                return None
            counts[numbers[fields["level"]]] += 1
    except (orjson.JSONDecodeError, KeyError, TypeError, RecursionError):
        return None
    debug, info, warning, error = counts
    return debug, info, warning, error


def encode_ready(
    execution_id: str, ready: bytes, *, max_bytes: int = MAX_RECORD_BYTES, mask: Mask | None = None
) -> Record:
    """Take a log record that is JSON already, as it is when it can be (see `level_of_ready`).

    Raises InvalidRecord for what is no JSON object. Any other is encoded anew.
    """
    if mask is not None:
        ready = mask(ready)
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


def _shown(ready: bytes) -> str:
    return ready[:200].decode(errors="backslashreplace")
