"""Read an execution's log wherever its records lie: the stream first, then the archive.

Whoever reads learns from neither where records came from: both give frames, and the same proofs
decide. The state says, in one step with what the stream gave, what lies in the archive.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from runtail_broker.archives.archive import Archive, Archived
from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import Cursor
from runtail_broker.errors import ArchiveMissing, ArchiveUnavailable
from runtail_broker.proof import Bounds, Continues, Gap, Verdict, prove, prove_id
from runtail_broker.records.entry import Entry
from runtail_broker.stream import DEFAULT_ENTRIES, StreamReader

T = TypeVar("T")


class LogReader(StreamReader):
    """Read what *nodes* hold of executions, and what lies in *archive*.

    Raises what both raise, and ArchiveUnavailable for what lies in an archive that was not given.
    """

    def __init__(self, nodes: Nodes, archive: Archive | None, *, replicas: bool = False) -> None:
        super().__init__(nodes, replicas=replicas)
        self._archive = archive

    async def after(
        self, execution_id: str, cursor: Cursor, entries: int = DEFAULT_ENTRIES
    ) -> tuple[Verdict, Bounds]:
        """Prove *cursor* and read at most *entries* frames after it."""
        verdict, bounds = await super().after(execution_id, cursor, entries)
        if isinstance(verdict, Continues) or _begins_here(verdict, bounds):
            return verdict, bounds
        bare = cursor.seq is None
        found, bounds = await self._archived(
            execution_id,
            bounds,
            lambda archive, held: archive.after(held, cursor.id, entries, inclusive=bare),
        )
        if found:
            verdict = (prove_id if bare else prove)(cursor, found, bounds)
        return verdict, bounds

    async def ending(self, execution_id: str, holder: Entry, entries: int) -> list[Entry]:
        """Read at most *entries* frames that end with *holder*, ascending."""
        found = await super().ending(execution_id, holder, entries)
        if found and found[-1].end == holder.end:
            return found
        bounds = await self.bounds(execution_id)
        earlier, _ = await self._archived(
            execution_id,
            bounds,
            lambda archive, held: archive.up_to(held, holder.last_seq, entries),
        )
        return earlier if earlier and earlier[-1].end == holder.end else []

    async def before(self, execution_id: str, follower: Entry, entries: int) -> list[Entry]:
        """Read at most *entries* frames that end just before *follower*, ascending.

        Empty when nothing before it is kept, or what lies there is of another history.
        """
        found = await super().before(execution_id, follower, entries)
        if found or follower.seq == 1:
            return found
        bounds = await self.bounds(execution_id)
        earlier, _ = await self._archived(
            execution_id,
            bounds,
            lambda archive, held: archive.up_to(held, follower.seq - 1, entries),
        )
        return earlier if earlier and earlier[-1].end.tag == follower.before else []

    async def find(self, execution_id: str, seq: int) -> Entry | None:
        """Find the frame that holds record *seq*, or the first one after it."""
        found = await super().find(execution_id, seq)
        if found is not None and found.seq <= seq:
            return found
        bounds = await self.bounds(execution_id)
        earlier, _ = await self._archived(
            execution_id, bounds, lambda archive, held: archive.find(held, seq)
        )
        return earlier or found

    async def _archived(
        self,
        execution_id: str,
        bounds: Bounds,
        read: Callable[[Archive, Archived], Awaitable[T]],
    ) -> tuple[T | None, Bounds]:
        """Read what *bounds* say lies in the archive; None if nothing does.

        Once more if it is not there because it was archived anew, or deleted, since then.
        """
        while held := _held(execution_id, bounds):
            if self._archive is None:
                raise ArchiveUnavailable(
                    f"records of execution {execution_id!r} lie in an archive, which this gateway "
                    "was not given: expected --archive"
                )
            try:
                return await read(self._archive, held), bounds
            except ArchiveMissing:
                now = await self.bounds(execution_id)
                if (now.epoch, now.archive) == (bounds.epoch, bounds.archive):
                    raise
                bounds = now
        return None, bounds


def _begins_here(verdict: Verdict, bounds: Bounds) -> bool:
    """Whether the stream holds all that is kept: what is missing is nowhere else."""
    return (
        isinstance(verdict, Gap)
        and bool(verdict.entries)
        and verdict.entries[0].seq == bounds.first_seq
    )


def _held(execution_id: str, bounds: Bounds) -> Archived | None:
    """What of it lies in the archive; None if nothing that is kept does."""
    if bounds.epoch is None or not bounds.archive:
        return None
    held = Archived.of(execution_id, bounds.epoch, bounds.archive)
    return held if held.parts[-1].last.number >= bounds.first_seq else None
