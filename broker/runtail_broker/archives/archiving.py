"""Put executions that have ended into the archive, and remove their streams once they are safe.

Each step is safe to do twice, by several gateways at once, and after any sleep: a part is named by
what it holds and appears whole; what the state says of it, and the removal, are compare-and-set.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis

from runtail_broker.archives.archive import Archive
from runtail_broker.archives.archived import Part, listed, parts_of
from runtail_broker.archives.archived_notes import ArchivedNotes
from runtail_broker.archives.hashes import NAMES, Hashes
from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import Cursor, start_of
from runtail_broker.errors import RuntailError
from runtail_broker.inventory import Inventory
from runtail_broker.keys import ERASURES, ExecutionKeys
from runtail_broker.log_reader import LogReader
from runtail_broker.notes import Notes
from runtail_broker.proof import Continues, Diverged, Gap
from runtail_broker.records.entry import Entry
from runtail_broker.script import file_call, release_call, seal_call
from runtail_broker.standing import Standing

_MOST_PARTS: Final = 16  # then all of it is written anew as one
_ENTRIES: Final = 64  # frames read at a time


class Changed(RuntailError):
    """What was to be archived or removed is not what it was seen to be any more."""

    def __init__(self, execution_id: str, what: str) -> None:
        super().__init__(f"execution {execution_id!r} is not as it was seen any more: {what}")


class Archiving:
    """Move executions between the engine and *archive*.

    Raises what both raise, and Changed when something was added, or others were faster.
    """

    def __init__(self, nodes: Nodes, archive: Archive) -> None:
        self._nodes, self._archive = nodes, archive
        self._reader, self._inventory = LogReader(nodes, archive), Inventory(nodes)
        self._notes = Notes(nodes)

    async def archive(self, execution_id: str) -> int:
        """Archive what of an execution that has ended is not yet; return how many bytes it took.

        Upload, read back, and only then say so in the state, if nothing was added meanwhile.
        """
        seen = await self._seen(execution_id)
        if not seen.ended or seen.archived == seen.seq:
            raise Changed(execution_id, "it has nothing more to archive")
        kept, part = _plan(seen)
        parts, size = kept, 0
        if not await self._all_gone(execution_id, _before(seen, kept)):
            parts, size = (*kept, part), await self._write(execution_id, seen, kept, part)
        text = listed(parts)
        answer = await self._nodes.run(seal_call(execution_id, seen.seen, seen.tag, text))
        if answer.epoch != seen.epoch:  # it was deleted meanwhile, and what was archived of it
            await self._archive.erase(execution_id, seen.epoch)
        if answer.word != "sealed":
            raise Changed(execution_id, answer.word)
        for old in parts_of(seen.archive):
            if old not in parts:
                with suppress(RuntailError):  # it harms nobody, and goes with the rest
                    await self._archive.remove(execution_id, seen.epoch, old)
        return size

    async def archive_notes(self, execution_id: str) -> None:
        """Archive the notes as they are now, and say in the state up to which change that is.

        What changes meanwhile is archived the next time. Raises Changed if it was deleted.
        """
        board = await self._notes.board(execution_id)
        if not board.exists:
            raise Changed(execution_id, "it is not there")
        notes = tuple(board.notes.values())
        await self._archive.write_notes(
            ArchivedNotes(execution_id, board.epoch, board.noted, notes)
        )
        answer = await self._nodes.run(file_call(execution_id, board.epoch, board.noted))
        if answer.word != "filed":  # it was deleted meanwhile, and what was archived of it
            await self._archive.erase(execution_id, board.epoch)
            raise Changed(execution_id, answer.word)

    async def release(self, execution_id: str, grace_seconds: float) -> None:
        """Remove the stream of one that was sealed so long ago, once its archive was read again."""
        seen = await self._seen(execution_id)
        if seen.archived != seen.seq:
            raise Changed(execution_id, "something was added since it was archived")
        for part in parts_of(seen.archive):
            await self._archive.verify(execution_id, seen.epoch, part)
        call = release_call(execution_id, seen.seen, seen.tag, seen.archive, grace_seconds)
        (answer,) = await self._nodes.run_all([call], replicated=True)
        if isinstance(answer, RuntailError):
            raise answer
        if answer.word != "released":
            raise Changed(execution_id, answer.word)

    async def erasing(self, histories: Mapping[str, int]) -> None:
        """Note that these executions (and their epochs) are about to be deleted, archive and all.

        Whoever dies between the two leaves no archive behind: see `erase_left`.
        """
        if histories:
            now = await self._inventory.now_ms()
            due = {_erasure(name, epoch): now for name, epoch in histories.items()}
            await self._nodes.at(ERASURES, lambda node: node.zadd(ERASURES, due))

    async def erase(self, execution_id: str, epoch: int) -> None:
        """Remove what is archived of a history that no state names any more."""
        await self._archive.erase(execution_id, epoch)
        done = _erasure(execution_id, epoch)
        await self._nodes.at(ERASURES, lambda node: node.zrem(ERASURES, done))

    async def erase_left(self, seconds: float, most: int) -> None:
        """Erase what was noted so long ago and is there still, at most so many histories.

        One that a state still names was not deleted after all: then the note goes.
        """
        until = await self._inventory.now_ms() - int(seconds * 1000)
        noted = await self._nodes.at(
            ERASURES, lambda node: node.zrange(ERASURES, 0, until, byscore=True, offset=0, num=most)
        )
        for text in noted:
            execution_id, _, epoch = text.decode().partition(" ")
            if (await self._reader.bounds(execution_id)).epoch == int(epoch):
                await self._nodes.at(ERASURES, partial(_forget, text))
            else:
                await self.erase(execution_id, int(epoch))

    async def _seen(self, execution_id: str) -> Standing:
        for kept in await self._inventory.kept([execution_id]):
            if kept.standing is not None:
                return kept.standing
        raise Changed(execution_id, "it is not there")

    async def _all_gone(self, execution_id: str, cursor: Cursor) -> bool:
        """Whether nothing is left to archive: the engine evicted the stream, say."""
        verdict, _ = await self._reader.after(execution_id, cursor, 1)
        return isinstance(verdict, Gap) and not verdict.entries

    async def _write(
        self, execution_id: str, seen: Standing, kept: tuple[Part, ...], part: Part
    ) -> int:
        entries = self._entries(execution_id, seen, kept, part)
        hashes = await self._hashes(execution_id)
        try:
            return await self._archive.write(execution_id, seen.epoch, part, entries, hashes)
        except ValueError as error:
            raise Changed(execution_id, str(error)) from error

    async def _hashes(self, execution_id: str) -> Hashes:
        keys = ExecutionKeys.of(execution_id)

        async def act(node: Redis) -> Any:
            pipe = node.pipeline(transaction=True)
            for key in (keys.state, keys.publishers, keys.steps):
                pipe.hgetall(key)
            return await pipe.execute()

        return Hashes.read(dict(zip(NAMES, await self._nodes.at(keys.state, act), strict=True)))

    async def _entries(
        self, execution_id: str, seen: Standing, kept: tuple[Part, ...], part: Part
    ) -> AsyncIterator[Entry]:
        """Read the frames of *part*, each proved to follow the one before."""
        cursor = _before(seen, kept)
        while cursor != part.last:
            verdict, _ = await self._reader.after(execution_id, cursor, _ENTRIES)
            if isinstance(verdict, Diverged) or not _follows(verdict, cursor):
                raise Changed(execution_id, f"{cursor} cannot be proved")
            for entry in verdict.entries:
                if entry.seq <= part.last.number:
                    yield entry
                    cursor = entry.end
            if not verdict.entries or verdict.entries[-1].seq > part.last.number:
                return  # what is missing, the writer notices


def _before(seen: Standing, kept: tuple[Part, ...]) -> Cursor:
    """Name the place after *kept*."""
    return kept[-1].last if kept else start_of(seen.epoch)


def _follows(verdict: Continues | Gap, cursor: Cursor) -> bool:
    """Whether whole frames follow *cursor*; before the first one kept records may be gone."""
    return cursor.is_start if isinstance(verdict, Gap) else verdict.skip == 0


def _plan(seen: Standing) -> tuple[tuple[Part, ...], Part]:
    """Say which parts stay, and what the next one is: all that follows them."""
    parts = parts_of(seen.archive)
    follows = bool(parts) and parts[-1].last.number >= seen.first_seq
    kept = parts if follows and len(parts) < _MOST_PARTS else ()
    first = kept[-1].last.number + 1 if kept else seen.first_seq
    return kept, Part(first, seen.last)


async def to_be_erased(nodes: Nodes, execution_id: str, epoch: int) -> bool:
    """Whether it was noted that this history is to be erased (see `Archiving.erasing`)."""
    due = _erasure(execution_id, epoch)
    return await nodes.at(ERASURES, lambda node: node.zscore(ERASURES, due)) is not None


def _erasure(execution_id: str, epoch: int) -> str:
    return f"{execution_id} {epoch}"


async def _forget(noted: bytes, node: Redis) -> None:
    await node.zrem(ERASURES, noted)
