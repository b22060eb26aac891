"""Publish as a worker does, with the time of sending in every record.

By the broker's own calls, so that what is measured of a gateway does not depend on the SDK: one
record a frame when the worker is idle, frames of a hundred in a burst, as group commit makes them.
"""

from __future__ import annotations

import random
import time

import orjson
from redis.asyncio import Redis

from runtail_broker.connections.client import Nodes, connect
from runtail_broker.cursor import new_random
from runtail_broker.records.frame import encode_frame
from runtail_broker.script import Batch, Limits, open_call, publish_call

RECORD_BYTES = 340
FRAME_RECORDS = 100
_PUBLISHER = "bench"
_STEPS = ("extract", "transform", "validate", "load", "report")


def record(execution_id: str, number: int) -> bytes:
    """Make a log record of RECORD_BYTES of JSON that ends with its time of sending."""
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
    fields["note"] = "the part that is the same in every record, as it is in most logs " * 4
    fields["note"] = str(fields["note"])[: max(0, missing)]
    return orjson.dumps(fields)


def rendered(seq: int) -> bytes:
    """Make a record as a viewer gets it."""
    return b'%b,"id":"1767608430123-%d","seq":%d}' % (record("history", seq)[:-1], seq, seq)


class Worker:
    """A worker of one execution; numbers its records from 1."""

    def __init__(self, nodes: Nodes, execution_id: str) -> None:
        self._nodes, self._id = nodes, execution_id
        self._batches = self._records = 0

    async def open(self) -> None:
        """Create the execution."""
        await self._nodes.run(open_call(self._id, _PUBLISHER, "owner", "bench", Limits()))

    async def publish(self, count: int, frame_records: int = FRAME_RECORDS) -> None:
        """Publish *count* records and wait until they are acknowledged."""
        for start in range(0, count, frame_records):
            await self._frame(min(frame_records, count - start))

    async def _frame(self, count: int) -> None:
        records = [record(self._id, self._records + i) for i in range(count)]
        self._batches += 1
        batch = Batch(
            number=self._batches,
            before=self._records,
            count=count,
            random=new_random(),
            flags=0,
            levels=(0, count, 0, 0),
            json_bytes=sum(map(len, records)),
            stands_for=0,
            progress="",
            frame=encode_frame(records),
        )
        self._records += count
        answer = await self._nodes.run(publish_call(self._id, _PUBLISHER, batch))
        if answer.word != "stored":
            raise RuntimeError(f"the engine answered {answer.word!r}, expected 'stored'")


async def add_plainly(url: str, stream: str, count: int) -> None:
    """Write *count* rendered records to a plain stream, an entry a record, a hundred in flight."""
    redis: Redis = connect(url)
    try:
        for start in range(0, count, FRAME_RECORDS):
            pipe = redis.pipeline(transaction=False)
            for seq in range(start + 1, min(start + FRAME_RECORDS, count) + 1):
                pipe.xadd(stream, {"f": rendered(seq)})
            await pipe.execute()
    finally:
        await redis.aclose()
