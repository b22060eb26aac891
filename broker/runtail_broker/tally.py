"""What an execution's state says of how it went, in few numbers, for whoever sums up many.

Pure: no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runtail_broker.records.record import TERMINAL

FIELDS: Final = ("workflow", "status", "guess", "started", "ended_at", "ms", "seq", "end")


@dataclass(frozen=True, slots=True)
class Tally:
    """Times are ms since 1970; *ended_ms* is 0 for one that is not over.

    *records* were stored from *started_ms* to *last_ms*. One that is *settled* changes no more, but
    for records that come late.
    """

    id: str
    workflow_id: str | None
    status: str
    started_ms: int
    ended_ms: int
    last_ms: int
    records: int
    settled: bool

    @property
    def is_over(self) -> bool:
        """Whether it has its final status."""
        return self.ended_ms > 0

    @property
    def duration_ms(self) -> int:
        """How long it took, or has taken so far."""
        return max(0, (self.ended_ms or self.last_ms) - self.started_ms)

    @classmethod
    def read(cls, name: str, values: Sequence[bytes | None]) -> Tally | None:
        """Read the fields named in `FIELDS`; None without a state, ValueError for nonsense."""
        workflow, status, guess, started, ended, last, seq, end = values
        if seq is None:
            return None
        word = (status or b"").decode()
        return cls(
            id=name,
            workflow_id=(workflow or b"").decode() or None,
            status=word,
            started_ms=int(started or 0),
            ended_ms=int(ended or 0) if word in TERMINAL else 0,
            last_ms=int(last or 0),
            records=int(seq),
            settled=bool(end) and guess != b"1",
        )
