"""Decide what of the engine's contents is put right or removed. Pure: no I/O, no clock.

Nothing is removed that has not ended, or that anybody may still have open. Whoever carries a
removal out says what was seen, so that nothing is removed that has changed since.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from runtail_broker.inventory import Kept
from runtail_broker.standing import Standing

Reason = Literal["finished", "empty", "orphaned", "archived", "full"]
REASONS: Final[tuple[Reason, ...]] = ("finished", "empty", "orphaned", "archived", "full")


NOTHING: Final = "- "
"""What is seen where there is neither a state nor a stream; nobody knows since when."""


@dataclass(frozen=True, slots=True)
class Relist:
    """Put an execution on the list, which has lost it."""

    id: str
    place: float


@dataclass(frozen=True, slots=True)
class Unlist:
    """Take off the list what does not exist."""

    id: str
    place: float


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove an execution that is as it was *seen*, if its open publishers have been silent.

    What *epoch* began is removed from the archive too, unless it is None.
    """

    id: str
    reason: Reason
    seen: str
    open: int = 0
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class PutAway:
    """Archive what of an execution is not yet."""

    id: str


@dataclass(frozen=True, slots=True)
class FileNotes:
    """Archive the notes of an execution whose log is archived: they have changed since."""

    id: str


@dataclass(frozen=True, slots=True)
class Release:
    """Remove the stream of an execution that is archived wholly, and was for long enough."""

    id: str


Moving = PutAway | FileNotes | Release
Verdict = Relist | Unlist | Remove | Moving


@dataclass(frozen=True, slots=True)
class Ages:
    """How old what is removed must be, in seconds; infinite for never.

    *finished_seconds* is when an execution is removed, or archived where there is an archive.
    """

    ghost_seconds: float
    empty_seconds: float
    finished_seconds: float
    archiving: bool = False
    grace_seconds: float = math.inf
    archived_seconds: float = math.inf


def decide(kept: Kept, now_ms: float, ages: Ages) -> Verdict | None:
    """Say what is done about an execution; None: it is as it should be."""
    standing = kept.standing
    if standing is None:
        return _without_state(kept, now_ms, ages)
    age_seconds = (now_ms - standing.last_ms) / 1000
    reason = _over(standing, age_seconds, ages)
    if reason is not None:
        return removal(kept.id, standing, reason)
    if kept.listed_at is None:
        return Relist(kept.id, standing.created_ms)
    old = age_seconds >= ages.finished_seconds
    return put_away(kept.id, standing, now_ms, ages) if old else None


def removal(execution_id: str, standing: Standing, reason: Reason) -> Remove:
    """Make the verdict that removes what stands so."""
    epoch = standing.epoch if standing.archive else None
    return Remove(execution_id, reason, standing.seen, standing.open, epoch)


def put_away(execution_id: str, standing: Standing, now_ms: float, ages: Ages) -> Moving | None:
    """Say what is next on the way of an execution from the engine into the archive."""
    if not (ages.archiving and standing.ended):
        return None
    if standing.archived < standing.seq:
        return PutAway(execution_id)
    if _has_notes_to_file(standing):
        return FileNotes(execution_id)
    graced = (now_ms - standing.sealed_ms) / 1000 >= ages.grace_seconds
    return Release(execution_id) if standing.records and graced else None


def _has_notes_to_file(standing: Standing) -> bool:
    """Whether notes have changed since they were archived, beside a log that lies there.

    Where no log does, no state would lead to the notes, and nobody would erase them. If nobody ever
    noted anything there is nothing to say; if the last note was removed there is.
    """
    written = standing.notes or standing.filed
    return bool(standing.archive and written and standing.noted > standing.filed)


def _over(standing: Standing, age_seconds: float, ages: Ages) -> Reason | None:
    if not standing.ended:
        return None
    if ages.archiving or standing.archive:  # without the archive, what lies there stays
        wholly = standing.archived == standing.seq and not standing.records
        if ages.archiving and wholly and age_seconds >= ages.archived_seconds:
            return "archived"
    elif age_seconds >= ages.finished_seconds:
        return "finished"
    # a worker's word that it failed tells something, even if it is the only one
    silent = not standing.spoken and (standing.guessed or standing.status != "failed")
    empty = silent and not standing.archive
    return "empty" if empty and age_seconds >= ages.empty_seconds else None


def _without_state(kept: Kept, now_ms: float, ages: Ages) -> Verdict | None:
    if kept.last_id:  # a worker that comes back goes on behind it
        age_seconds = (now_ms - int(kept.last_id.partition("-")[0])) / 1000
        old = age_seconds >= ages.finished_seconds
        return Remove(kept.id, "orphaned", f"- {kept.last_id}") if old else None
    if kept.left_over:
        return Remove(kept.id, "orphaned", NOTHING)
    if kept.listed_at is None or (now_ms - kept.listed_at) / 1000 < ages.ghost_seconds:
        return None
    return Unlist(kept.id, kept.listed_at)


class Silence:
    """Since when the publishers that have an ended execution open have said nothing.

    Nobody marks them lost any more. Or, with no entries, since when it was
    seen at all. At most so many executions are remembered: others wait until there is room.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: dict[str, tuple[Mapping[str, str], float]] = {}
        self._this_round: set[str] = set()

    def since(self, execution_id: str, entries: Mapping[str, str], now: float) -> float:
        """Take the *entries* of those that have it open; since when they are the same."""
        known = self._seen.get(execution_id)
        if known is None and len(self._seen) >= self._most:
            return now
        if known is None or known[0] != entries:
            known = self._seen[execution_id] = (entries, now)
        self._this_round.add(execution_id)
        return known[1]

    def end_round(self) -> None:
        """Forget executions that were not asked for since the last round ended."""
        self._seen = {name: self._seen[name] for name in self._this_round}
        self._this_round.clear()

    def __len__(self) -> int:
        return len(self._seen)
