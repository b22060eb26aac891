"""Name what a viewer is told (Event) and what it decides when a connection is gone (Decision)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LogRecord = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Records:
    """New records, ascending in seq, none of which was shown before."""

    records: list[LogRecord]


@dataclass(frozen=True, slots=True)
class Gap:
    """The lines between *after_seq* and *before_seq* are gone, *lost* of them (None: unknown)."""

    after_seq: int | None
    before_seq: int
    lost: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Reset:
    """What was shown after line *seq* is not what the stream holds; what does follows."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """The execution does not exist yet."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The link is back after *tries* attempts."""

    tries: int


@dataclass(frozen=True, slots=True)
class Workers:
    """*silent* of *open* workers have not been heard of for their lease."""

    open: int
    silent: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Everything was delivered. *complete_from* is the line since which none is missing, if so."""

    status: str
    totals: dict[str, Any]
    complete_from: int | None


@dataclass(frozen=True, slots=True)
class Broken:
    """The link cannot be trusted any more: drop it and resume."""

    reason: str


Event = Records | Gap | Reset | Awaited | Resumed | Workers | Ended | Broken


@dataclass(frozen=True, slots=True)
class Done:
    """The execution ended with *status*, and all of it was shown."""

    status: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Another try cannot help."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Resume after *delay_seconds*; the *tries*-th attempt in a row."""

    delay_seconds: float
    tries: int
    reason: str


Decision = Done | Refused | Retry
