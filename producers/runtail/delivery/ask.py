"""What a journal asks the courier to call, and how a publisher leaves. Pure: no I/O."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

from runtail_broker.script import Call

Role = Literal["owner", "participant"]
Kind = Literal["open", "publish", "beat", "close", "finish"]


class Phase(enum.Enum):
    """How far the engine knows this publisher, as far as this publisher was told."""

    OPENING = enum.auto()
    OPEN = enum.auto()
    CLOSED = enum.auto()


@dataclass(frozen=True, slots=True)
class Leave:
    """How to leave: with a final status, or '' for none; *explicit* counts from anybody."""

    status: str = ""
    reason: str = ""
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """Under which names a publisher has an execution open, and how far it had counted there."""

    first_publisher: str
    publisher: str
    asked_id: str
    execution_id: str
    role: Role
    workflow_id: str
    begun: str
    renames: int
    ever_opened: bool
    primary: str
    number: int
    count: int
    acknowledged: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """One call to make; *number* is its batch, if it has one.

    *shown* says that it changes what the list of executions shows: by progress, or an error.
    """

    kind: Kind
    call: Call
    number: int = 0
    bytes: int = 0
    shown: bool = False

    @property
    def replicated(self) -> bool:
        """Whether a viewer may be told of it only once the replicas have it."""
        return self.kind in ("open", "close", "finish")
