"""The records that all publish: JSON of 340 bytes that ends with its time of sending."""

from __future__ import annotations

import random
import time

import orjson

RECORD_BYTES = 340
_STEPS = ("extract", "transform", "validate", "load", "report")
_NOTE = "the part that is the same in every record, as it is in most logs " * 4


def record(execution_id: str, number: int) -> bytes:
    """Make a log record of RECORD_BYTES of JSON."""
    chance = random.Random(number)
    fields = {
        "execution_id": execution_id,
        "level": "info",
        "step_name": chance.choice(_STEPS),
        "step_type": "python",
        "message": f"request {chance.randrange(16**8):08x}: {chance.randrange(5000)} rows read",
        "input_data": {"table": f"orders_{number % 90}", "offset": number * 500, "limit": 500},
        "duration_ms": round(chance.random() * 900, 3),
        "timestamp": "2026-01-05T10:20:30.123456Z",
        "note": "",
        "sent": time.monotonic_ns(),
    }
    missing = RECORD_BYTES - len(orjson.dumps(fields))
    fields["note"] = _NOTE[: max(0, missing)]
    return orjson.dumps(fields)


def numbered(execution_id: str, seq: int) -> bytes:
    """Make a record that tells its own place, for contenders that give it none."""
    return b'%b,"seq":%d}' % (record(execution_id, seq)[:-1], seq)


def rendered(seq: int) -> bytes:
    """Make a record as a viewer of runtail gets it."""
    return b'%b,"id":"1767608430123-%d","seq":%d}' % (record("history", seq)[:-1], seq, seq)
