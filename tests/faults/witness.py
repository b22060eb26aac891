"""What was seen of one run: all that the checker knows. Plain data, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from runtail.delivery.buffer import Counters
from runtail.watching.viewer_event import Event

Record = dict[str, Any]


@dataclass(slots=True)
class WorkerWord:
    """What a worker said, line by line from 0, and what it was told of it."""

    name: str
    said: int = 0
    acknowledged: int = 0
    """Lines of which it was told that they are stored, from the first on."""
    slowest_seconds: float = 0.0
    """The longest that a call took."""
    error: str = ""
    """What a call raised."""
    killed: bool = False
    """Whether its process was killed: then nobody is left who could send its last lines again."""
    unreadable: str = ""
    """What was acknowledged and could not be read right then."""
    counters: Counters = field(default_factory=Counters)


@dataclass(slots=True)
class ViewerWord:
    """What a viewer received on the wire, and what its client made of it.

    Among *heard* is a message `connect` of the witness's own, with the cursors in `after`, for each
    connection.
    """

    name: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    shown: list[Event] = field(default_factory=list)
    left_with: list[Record] | None = None
    """What was stored when it had been told the end and had left, if the engine lost that end
    later: nobody can tell it any more."""


@dataclass(slots=True)
class Witness:
    """One execution, which has ended, after all faults are over."""

    stored: list[Record]
    workers: list[WorkerWord]
    viewers: list[ViewerWord]
    pages: dict[str, list[Record]]
    """What each gateway answers when it is asked for all records."""
    most_waiting_bytes: int = 0
    """The most that waited in a gateway for one viewer."""
    allowed_bytes: int = 1 << 30
    unsettled: str = ""
    """What was waited for in vain, after all faults were over."""


def mark_of(record: Record) -> tuple[str, int] | None:
    """Read which worker's line this is, and which; None for a record of the engine's own."""
    name, _, rest = str(record.get("message", "")).partition(" ")
    number, _, _ = rest.partition(" ")
    return (name, int(number)) if number.isdigit() else None
