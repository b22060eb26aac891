"""What a publisher may use of memory, time and the engine: every bound in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields

from runtail_broker.record import MAX_RECORD_BYTES


@dataclass(frozen=True, slots=True)
class PublisherSettings:
    """The bounds of one publisher. All must be above 0; anything else raises ValueError."""

    max_record_bytes: int = MAX_RECORD_BYTES
    """JSON bytes of one record; a larger one is cut and says so. At least 1024."""
    max_frame_records: int = 1000
    """Records that travel in one frame."""
    max_frame_bytes: int = 256 * 1024
    """JSON bytes in one frame (a single record may exceed it)."""
    max_buffer_records: int = 100_000
    """Records that wait to be stored, of all executions; beyond it the oldest are dropped."""
    max_buffer_bytes: int = 64 * 1024 * 1024
    """JSON bytes that wait to be stored, of all executions."""
    max_call_batches: int = 4
    """Batches of one execution that travel in one round trip."""
    max_call_bytes: int = 4 * 1024 * 1024
    """Frame bytes that travel to one node in one round trip."""
    max_held_bytes: int = 4 * 1024 * 1024
    """Frame bytes kept after they were acknowledged, to be sent again after a failover."""
    held_seconds: float = 30.0
    """How long acknowledged batches are kept, and for how long a closed execution is watched."""
    beat_seconds: float = 5.0
    """Time between two beats of one execution; the gateways' lease is at least three of them."""
    retry_min_seconds: float = 0.05
    """The shortest wait before an engine that did not answer is asked again."""
    retry_max_seconds: float = 5.0
    """The longest such wait; the wait is drawn at random below a doubling bound."""
    engine_timeout_seconds: float = 5.0
    """How long one answer of the engine may take."""
    limits_seconds: float = 60.0
    """How long the limits that operators keep in the engine are remembered."""
    max_renames: int = 1000
    """How many of `<id>.2`, `<id>.3` … are tried for an execution id that has finished."""
    warning_seconds: float = 60.0
    """The shortest time between two warnings of the same text on the logger `runtail`."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ValueError(f"{field.name} is {value}, expected more than 0")
        if self.max_record_bytes < 1024:
            raise ValueError(f"max_record_bytes is {self.max_record_bytes}, expected at least 1024")

    @property
    def bundle_records(self) -> int:
        """Ready-made records that the buffer handles, and if need be drops, as one."""
        return max(1, min(250, self.max_frame_records, self.max_buffer_records // 16))


DEFAULTS = PublisherSettings()
