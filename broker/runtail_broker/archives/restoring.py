"""Find what an archive holds, and make it known again to an engine that lost it.

Each history is found by the names of its objects, and its last part's index says how it stood. What
an engine knows of an id stays as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import orjson

from runtail_broker.archives.archive import Archive, Archived
from runtail_broker.archives.archived import Part, listed, named
from runtail_broker.archives.archived_notes import ArchivedNotes
from runtail_broker.archives.archiving import to_be_erased
from runtail_broker.archives.hashes import Hashes, of_records
from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import ZERO
from runtail_broker.errors import ArchiveDamaged, ArchiveMissing, RuntailError
from runtail_broker.executions import Publisher
from runtail_broker.inventory import Inventory
from runtail_broker.keys import is_id
from runtail_broker.script import restore_call
from runtail_broker.state import ExecutionState

_AT_ONCE: Final = 8
_KEPT: Final = dict.fromkeys(("records", "bytes", "open", "lost", "listening"), "0")


@dataclass(frozen=True, slots=True)
class History:
    """One execution as the archive holds it: the parts of its newest history, and how it stood."""

    held: Archived
    hashes: Hashes
    notes: ArchivedNotes | None = None

    @property
    def id(self) -> str:
        """The execution's id."""
        return self.held.execution_id

    @property
    def state(self) -> ExecutionState:
        """How it stands, as `GET /executions/{id}` shows it."""
        fields = {**self.hashes.state, **_KEPT, "archived": str(self.held.parts[-1].last.number)}
        fields["notes"] = str(len(self.notes.notes) if self.notes else 0)
        stored = {name.encode(): value.encode() for name, value in fields.items()}
        state = ExecutionState.read(self.id, stored)
        if state is None:
            raise ValueError("the state has no epoch")
        return state


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder of the archive of which nothing can be restored, and why."""

    folder: str
    error: RuntailError


Found = History | Unreadable


async def histories(archive: Archive) -> AsyncIterator[Found]:
    """List the executions in *archive*, a few read at a time; raises ArchiveUnavailable.

    Of an id with several histories (it was deleted, or lost, and used again) the newest counts.
    """
    reading: list[asyncio.Task[Found]] = []
    try:
        async for folder, names in _folders(archive):
            reading.append(asyncio.create_task(_found(archive, folder, names)))
            if len(reading) == _AT_ONCE:
                yield await reading.pop(0)
        while reading:
            yield await reading.pop(0)
    finally:
        for task in reading:
            task.cancel()


async def restore(nodes: Nodes, history: History) -> str:
    """Make *history* known to the engine; say what became of it, as restore.lua does.

    Raises what `Nodes` raises. The list names it first: a place that leads nowhere is harmless.
    """
    held, hashes = history.held, history.hashes
    if await to_be_erased(nodes, held.execution_id, held.epoch):
        return "deleted"
    call = restore_call(
        held.execution_id,
        held.epoch,
        listed(held.parts),
        [_state_of(history), _left(hashes), hashes.steps],
        [
            (note.entry, orjson.dumps(note.fields), note.mark)
            for note in (history.notes.notes if history.notes else ())
        ],
    )
    await Inventory(nodes).relist({held.execution_id: float(hashes.created_ms)})
    (answer,) = await nodes.run_all([call], replicated=True)
    if isinstance(answer, RuntailError):
        raise answer
    return answer.word


def _state_of(history: History) -> dict[str, str]:
    """The state, with what the archive has of its notes: those that were archived are there."""
    noted = str(history.notes.noted) if history.notes else "0"
    return {**history.hashes.state, "noted": noted, "filed": noted}


def _left(hashes: Hashes) -> dict[str, str]:
    """The publishers, none of whom has it open any more."""
    left: dict[str, str] = {}
    for name, packed in hashes.publishers.items():
        last, count, is_open, *rest = packed.split(" ")
        left[name] = " ".join([last, count, "0" if is_open in "01" else "3", *rest])
    return left


async def _folders(archive: Archive) -> AsyncIterator[tuple[str, list[str]]]:
    """Group the names of all objects by their execution's folder."""
    folder, names = "", list[str]()
    async for name in archive.names():
        beginning = name.partition("/")[0]
        if beginning != folder and names:
            yield folder, names
            names = []
        folder = beginning
        names.append(name)
    if names:
        yield folder, names


async def _found(archive: Archive, folder: str, names: Sequence[str]) -> Found:
    parts = [found for name in names if (found := named(name)) is not None]
    if not parts:
        return Unreadable(folder, ArchiveMissing(f"{folder}: no log"))
    epoch, last = max(parts, key=lambda each: (each[1].last.id, -each[1].first_seq))
    try:
        return await _history(archive, folder, epoch, last, [p for e, p in parts if e == epoch])
    except RuntailError as error:
        return Unreadable(folder, error)


async def _history(
    archive: Archive, folder: str, epoch: int, last: Part, parts: Sequence[Part]
) -> History:
    """Read how it stood, and which parts chain up to *last*; others were written in vain."""
    held = Archived(folder, epoch, (last,))
    index = await archive.index(held.name(last))
    if index.execution_id.casefold() != folder.casefold() or not is_id(index.execution_id):
        raise ArchiveDamaged(held.name(last), f"it is of {index.execution_id!r}")
    chain, before = [last], index.blocks[0].before
    while previous := _before(chain[0], before, parts):
        chain.insert(0, previous)
        before = (await archive.index(held.name(previous))).blocks[0].before
    held = Archived(index.execution_id, epoch, tuple(chain))
    hashes = index.hashes
    if not hashes.tell_of(epoch, last.last):
        hashes = await _by_records(archive, held)
    notes = None
    with suppress(ArchiveMissing):
        notes = await archive.notes(held.execution_id, epoch)
    return _checked(History(held, hashes, notes))


def _checked(history: History) -> History:
    """Raise ArchiveDamaged for a state that nobody can read, before an engine gets it."""
    try:
        _ = (
            history.state,
            [Publisher.read(b"", p.encode()) for p in history.hashes.publishers.values()],
        )
    except RuntailError:
        raise
    except ValueError as error:
        name = history.held.name(history.held.parts[-1])
        raise ArchiveDamaged(name, f"its state cannot be read: {error!r}") from error
    return history


def _before(part: Part, tag: int, parts: Sequence[Part]) -> Part | None:
    """Find the longest part that ends right before *part*, with *tag*."""
    ends = (part.first_seq - 1, tag)
    fitting = [p for p in parts if (p.last.number, p.last.tag) == ends]
    return min(fitting, key=lambda p: p.first_seq, default=None)


async def _by_records(archive: Archive, held: Archived) -> Hashes:
    last = held.parts[-1].last.number
    first = await archive.after(held, ZERO, 1)
    end = await archive.up_to(held, last, 1)
    try:
        return of_records(held.epoch, first[0], end[-1])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ArchiveDamaged(held.name(held.parts[-1]), f"how it ended: {error!r}") from error
