"""What a publisher may use of memory, time and the engine: every bound in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

from runtail_broker.acks import SAFE_SECONDS, Acks
from runtail_broker.records.record import MAX_RECORD_BYTES

WhenFull = Literal["drop_oldest", "block"]


@dataclass(frozen=True, slots=True)
class PublisherSettings:
    """The bounds of one publisher. Numbers must be above 0; anything else raises ValueError."""

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
    acks: str = "memory"
    """What an acknowledgement waits for: `memory`, `disk` (the primary's), or `replicas:N`."""
    acks_seconds: float = SAFE_SECONDS
    """How long one round waits for that at most; then it is asked again, and nothing is given up.
    Less than `engine_timeout_seconds`."""
    limits_seconds: float = 60.0
    """How long the limits that operators keep in the engine are remembered."""
    max_renames: int = 1000
    """How many of `<id>.2`, `<id>.3` … are tried for an execution id that has finished."""
    warning_seconds: float = 60.0
    """The shortest time between two warnings of the same text on the logger `runtail`."""
    progress_seconds: float = 0.25
    """The shortest time between two progress records of one step and name; the last one is sent."""
    max_progress_keys: int = 64
    """Steps and names of one execution whose progress is rate-limited apart; more: the oldest's
    turn comes at once."""
    max_error_chars: int = 16_384
    """Characters of a traceback with its causes; a longer one is cut in the middle."""
    max_plan_steps: int = 500
    """Steps of a plan that are published; more are counted in its note."""
    mask_keys: tuple[str, ...] = ()
    """Further names whose values never leave the worker, as shell patterns: `iban`, `patient_*`."""
    when_full: WhenFull = "drop_oldest"
    """What a call does while the buffer is full: drop the oldest, debug and info first, or block.

    A thread in which an event loop runs is never blocked.
    """
    block_seconds: float = 10.0
    """How long such a call waits for room at most; then the oldest are dropped all the same."""
    exit_seconds: float = 5.0
    """How long the exit of the process, or SIGTERM, waits for what is not stored yet."""
    spill_folder: str | None = None
    """Where what cannot be stored waits on disk, for this process or the next; None: nowhere."""
    max_spill_bytes: int = 256 * 1024 * 1024
    """Bytes of one publisher's spill file; beyond it the buffer's rule holds again."""
    spill_after_seconds: float = 5.0
    """How long the engine must be away before records are spilled; at once if memory gets full."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and not value > 0:
                raise ValueError(f"{field.name} is {value}, expected more than 0")
        if Acks.read(self.acks).command and self.acks_seconds >= self.engine_timeout_seconds:
            raise ValueError(
                f"acks_seconds is {self.acks_seconds}, "
                f"expected less than engine_timeout_seconds, {self.engine_timeout_seconds}"
            )
        if self.when_full not in get_args(WhenFull):
            expected = " or ".join(get_args(WhenFull))
            raise ValueError(f"when_full is {self.when_full}, expected {expected}")
        if self.spill_folder is not None and not self.spill_folder:
            raise ValueError(f"spill_folder is {self.spill_folder}, expected a path or None")
        if self.max_record_bytes < 1024:
            raise ValueError(f"max_record_bytes is {self.max_record_bytes}, expected at least 1024")

    @property
    def bundle_records(self) -> int:
        """Ready-made records that the buffer handles, and if need be drops, as one."""
        return max(1, min(250, self.max_frame_records, self.max_buffer_records // 16))


DEFAULTS = PublisherSettings()
