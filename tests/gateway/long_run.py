"""A run of many realistic records, about 340 bytes each, published in little time or at a rate."""

from __future__ import annotations

import asyncio
import time

from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_broker.records.frame import encode_frame
from runtail_broker.script import Limits

_LIMITS = Limits(max_records=10_000_000, max_bytes=4 * 1024**3)
_AT_ONCE = 1000  # records in a frame of a worker that is as fast as it can
_EACH_SECONDS = 0.02  # between frames of one that keeps a rate

_STEPS = ("extract orders", "validate", "join customers", "load warehouse", "publish report")
_LINE = (
    '{"execution_id":"%s","step_name":"%s","step_type":"task","message":"%s","duration_ms":%d.%d,'
    '"timestamp":"2026-11-25T12:%02d:%02d.%06dZ","level":"info"}'
)
_MESSAGE = (
    "line %d of the run: read %d rows of s3://warehouse/orders/part-%05d.parquet, %d bytes, "
    "none of them late, 2 retries"
)


def line_of(execution_id: str, seq: int) -> bytes:
    """Make the record that has the line number *seq*; no two are alike."""
    message = _MESSAGE % (seq, seq * 7919 % 100_000, seq % 65_536, seq * 104_729 % 10**9)
    step = _STEPS[seq // 1000 % len(_STEPS)]
    when = (seq // 60_000 % 60, seq // 1000 % 60, seq * 997 % 10**6)
    return (_LINE % (execution_id, step, message, seq % 5000, seq % 10, *when)).encode()


class LongRun:
    """One execution, which runs until its worker ends it. Its first record is its status."""

    def __init__(self, nodes: Nodes, execution_id: str) -> None:
        self.execution_id = execution_id
        self.last = 1
        self._worker = Worker(nodes, execution_id)

    async def open(self) -> None:
        """Begin the execution."""
        assert (await self._worker.open(limits=_LIMITS)).word == "created"

    async def write(self, until: int) -> None:
        """Publish as fast as it goes, until the last record has the line number *until*."""
        while self.last < until:
            await self._publish(min(_AT_ONCE, until - self.last))

    async def stream(self, per_second: int, seconds: float) -> None:
        """Publish *per_second* records a second, a frame of them every now and then."""
        began, before = time.monotonic(), self.last
        while (passed := time.monotonic() - began) < seconds:
            if due := before + int(passed * per_second) - self.last:
                await self._publish(due)
            await asyncio.sleep(_EACH_SECONDS)

    async def end(self) -> None:
        """End the execution."""
        await self._worker.end()

    async def _publish(self, count: int) -> None:
        lines = [line_of(self.execution_id, self.last + 1 + i) for i in range(count)]
        await self._worker.log_frame(encode_frame(lines), count)
        self.last += count
