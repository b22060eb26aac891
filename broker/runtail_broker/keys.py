"""Spell every key that runtail holds in Redis; no other module does.

All keys of one execution share the hash tag `{<execution id>}`, so that one script touches one
cluster slot. Pure: no I/O.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from runtail_broker.errors import InvalidExecutionId

INDEX_BUCKETS = 16
SETTINGS = "runtail:settings"

_CHANGES = ":changes"
_FOUND = re.compile(r"runtail:\{([^{}]*)\}:(?:state|stream|publishers|steps|notes)")
_EXECUTION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+~-]{0,127}", re.ASCII)


def checked(execution_id: str) -> str:
    """Return *execution_id* if it can be a key; raise InvalidExecutionId if not."""
    if not is_id(execution_id):
        raise InvalidExecutionId(execution_id)
    return execution_id


def is_id(text: str) -> bool:
    """Whether *text* can be an execution's id."""
    return _EXECUTION_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class ExecutionKeys:
    """The keys and the channels of one execution, each spelled when it is asked for."""

    stem: str

    @classmethod
    def of(cls, execution_id: str) -> ExecutionKeys:
        """Spell the keys of *execution_id*, which must be valid."""
        return cls(f"runtail:{{{checked(execution_id)}}}:")

    @property
    def stream(self) -> str:
        """The stream of its frames."""
        return self.stem + "stream"

    @property
    def state(self) -> str:
        """The hash of its state."""
        return self.stem + "state"

    @property
    def publishers(self) -> str:
        """The hash of who publishes."""
        return self.stem + "publishers"

    @property
    def steps(self) -> str:
        """The hash of its steps."""
        return self.stem + "steps"

    @property
    def notes(self) -> str:
        """The stream of its notes, and the channel on which it is told that they changed."""
        return self.stem + "notes"

    @property
    def live(self) -> str:
        """The channel of its frames."""
        return self.stem + "live"

    @property
    def viewers(self) -> str:
        """The hash of how many watch it."""
        return self.stem + "viewers"

    @property
    def deleted(self) -> str:
        """What is left for a while when it was deleted."""
        return self.stem + "deleted"

    @property
    def for_scripts(self) -> tuple[str, str, str]:
        """What the scripts take as KEYS."""
        return (self.stream, self.state, self.publishers)


def execution_of(channel: str) -> str:
    """Name the execution of whose channels this is one."""
    return channel[len("runtail:{") : channel.rindex("}")]


EXECUTION_KEYS = "runtail:{*}:*"
"""What SCAN matches to find all executions; `found` reads it."""


def found(key: bytes) -> str | None:
    """Name the execution of which *key* holds something; None for any other key."""
    match = _FOUND.fullmatch(key.decode("utf-8", "replace"))
    return match[1] if match and is_id(match[1]) else None


def index_of(execution_id: str) -> str:
    """Name the sorted set that lists *execution_id* by its creation time."""
    return f"runtail:index:{{{zlib.crc32(execution_id.encode()) % INDEX_BUCKETS}}}"


def indexes() -> Iterator[str]:
    """Name all sorted sets that list executions."""
    return (f"runtail:index:{{{bucket}}}" for bucket in range(INDEX_BUCKETS))


def changes_of(execution_id: str) -> str:
    """Name the channel, beside its index, on which it is told that *execution_id* changed."""
    return index_of(execution_id) + _CHANGES


def changes() -> Iterator[str]:
    """Name all channels of changes."""
    return (index + _CHANGES for index in indexes())


def is_changes(channel: str) -> bool:
    """Whether *channel* is one of `changes()`, as opposed to a live channel."""
    return channel.endswith(_CHANGES)


def is_live(channel: str) -> bool:
    """Whether *channel* is the one on which an execution's frames are told."""
    return channel.endswith("}:live")


def is_notes(channel: str) -> bool:
    """Whether *channel* is the one on which changes of an execution's notes are told."""
    return channel.endswith("}:notes")


def claim(name: str) -> str:
    """Name the lease for work that one gateway at a time does."""
    return f"runtail:claim:{{{name}}}"


ERASURES = "runtail:archive:erasures"
"""A sorted set: what is to be erased from the archive (`<id> <epoch>`), since when (ms)."""


def probe(tag: str) -> str:
    """Name the key that a gateway's probe writes; *tag* picks the node."""
    return f"runtail:probe:{{{tag}}}"


@dataclass(frozen=True, slots=True)
class AlertKeys:
    """The keys of the alerts, of one slot: hashes all four.

    *memory* holds what was alerted of (so that it is not again), *rows* what there is to show,
    *bodies* what is still to be sent, *places* how far logs were looked through for texts.
    """

    memory: str = "runtail:alerts:{alerts}:memory"
    rows: str = "runtail:alerts:{alerts}:rows"
    bodies: str = "runtail:alerts:{alerts}:bodies"
    places: str = "runtail:alerts:{alerts}:places"


ALERTS = AlertKeys()
