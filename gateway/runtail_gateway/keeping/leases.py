"""Decide who is lost: who was seen unchanged since when, and what follows. Pure: no I/O, no clock.

A guess must never rest on what was not seen: time counts only while this process itself looks
regularly, in uninterrupted contact with the same primaries. Whatever interrupts that (an engine
that was away, a failover, a frozen gateway) begins every count anew.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from runtail_broker.executions import Look
from runtail_broker.records.record import TERMINAL


@dataclass(frozen=True, slots=True)
class Mark:
    """Call a publisher lost, or (with *publisher* '') an execution that nobody has open."""

    execution_id: str
    publisher: str
    seen: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Count lost publishers (id and entry) as gone; fail the execution if it still is at *seen*."""

    execution_id: str
    seen: str
    publishers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """Append the `end` record: whoever should have is gone."""

    execution_id: str


Verdict = Mark | GiveUp | Finish


@dataclass(frozen=True, slots=True)
class Windows:
    """How long what must have been seen unchanged, in seconds of contact."""

    lease_seconds: float
    finality_seconds: float
    settle_seconds: float
    gap_seconds: float
    """The longest time between two looks that still counts as uninterrupted."""


class Unchanged:
    """Remember since when the things of each execution have been what they are."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, tuple[str, float]]] = {}

    def see(self, execution_id: str, things: Mapping[str, str], now: float) -> dict[str, float]:
        """Take what all *things* are at *now*; since when each has been seen to be just that."""
        known = self._seen.get(execution_id, {})
        seen = {
            name: known[name] if name in known and known[name][0] == what else (what, now)
            for name, what in things.items()
        }
        self._seen[execution_id] = seen
        return {name: since for name, (_, since) in seen.items()}

    def forget(self, execution_id: str) -> None:
        """Forget what was seen of *execution_id*."""
        self._seen.pop(execution_id, None)

    def keep(self, execution_ids: Container[str]) -> None:
        """Forget all but *execution_ids*."""
        self._seen = {name: seen for name, seen in self._seen.items() if name in execution_ids}

    def __len__(self) -> int:
        return len(self._seen)


class Histories:
    """Remember since when the history of each execution has done nothing but grow.

    Whoever wrote before an engine was emptied, or put back to an older copy, may be unknown to it
    until they speak again; the same server may answer all the while.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int, float]] = {}

    def see(self, look: Look, now: float) -> float:
        """Take where it is at *now*; since when it has been seen to grow only."""
        epoch, seq, since = self._seen.get(look.id, (look.epoch, look.seq, now))
        if look.epoch != epoch or look.seq < seq:
            since = now
        self._seen[look.id] = (look.epoch, look.seq, since)
        return since

    def keep(self, execution_ids: Container[str]) -> None:
        """Forget all but *execution_ids*."""
        self._seen = {name: seen for name, seen in self._seen.items() if name in execution_ids}


class Leases:
    """What one process saw of executions and their publishers, and what it may say of them."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._seen = Unchanged()
        self._histories = Histories()
        self._regular = self._looked = float("-inf")  # looked without a gap since; looked last

    def look(self, looks: Sequence[Look], now: float, contact_seconds: float) -> list[Verdict]:
        """Take what was seen at *now* after so many seconds of contact; say what follows.

        Each execution may be looked at as seldom as the caller likes, but the calls must come at
        least every *gap_seconds*.
        """
        if now - self._looked > self._windows.gap_seconds:
            self._regular = now
        self._looked = now
        start = max(self._regular, now - contact_seconds)
        for look in looks:
            if look.ended:
                self._seen.forget(look.id)
        return [
            verdict
            for look in looks
            if not look.ended
            for verdict in self._verdicts(look, now, start, now - contact_seconds)
        ]

    def keep(self, execution_ids: Container[str]) -> None:
        """Forget all executions but these."""
        self._seen.keep(execution_ids)
        self._histories.keep(execution_ids)

    def __len__(self) -> int:
        return len(self._seen)

    def _verdicts(
        self, look: Look, now: float, start: float, contact_since: float
    ) -> list[Verdict]:
        alone = look.open == look.lost
        things = {p.id: p.entry for p in look.publishers if p.open}
        since = self._seen.see(look.id, things | {"": f"{look.seen} {alone}"}, now)
        quiet = {name: now - max(at, start) for name, at in since.items()}
        marks: list[Verdict] = [
            Mark(look.id, p.id, p.entry)
            for p in look.publishers
            if p.open and not p.lost and quiet[p.id] >= self._windows.lease_seconds
        ]
        running = look.status not in (*TERMINAL, "lost")
        if running and alone and quiet[""] >= self._windows.lease_seconds:
            marks.append(Mark(look.id, "", look.seen))
        settled = now - max(contact_since, self._histories.see(look, now))
        return marks + self._last_words(look, quiet, settled)

    def _last_words(
        self, look: Look, quiet: Mapping[str, float], settled_seconds: float
    ) -> list[Verdict]:
        """Say what follows when it has been so for long."""
        final = self._windows.finality_seconds
        gone = tuple(
            (p.id, p.entry) for p in look.publishers if p.open and p.lost and quiet[p.id] >= final
        )
        fails = look.status == "lost" and look.open == look.lost and quiet[""] >= final
        if gone or fails:
            return [GiveUp(look.id, look.seen if fails else "", gone)]
        forgotten = look.status in TERMINAL and not look.open and quiet[""] > 0
        settled = settled_seconds > self._windows.settle_seconds
        return [Finish(look.id)] if forgotten and settled else []
