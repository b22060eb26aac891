"""What tests of archives share: an archive in a folder, and ended executions to put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from tests.broker.executions import Execution

from runtail_broker.archives.archive import Archive, Archived
from runtail_broker.archives.archiving import Archiving
from runtail_broker.archives.store import FolderStore, Store, store_at
from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START
from runtail_broker.log_reader import LogReader
from runtail_broker.proof import Continues
from runtail_broker.records.entry import Entry
from runtail_broker.records.rendering import render
from runtail_broker.records.splice import records_of

BLOCK_BYTES = 1000  # a few frames


class Shelf:
    """An archive, and who reads and writes it."""

    def __init__(self, nodes: Nodes, store: Store) -> None:
        self.nodes, self.store = nodes, store
        self.archive = Archive(store, cache_bytes=1_000_000, block_bytes=BLOCK_BYTES)
        self.archiving = Archiving(nodes, self.archive)
        self.reader = LogReader(nodes, self.archive)

    async def held(self, execution: Execution) -> Archived:
        state = await execution.state()
        return Archived.of(execution.id, int(state["epoch"]), state["archive"])

    async def put_away(self, execution: Execution) -> None:
        """Archive it, and remove its stream."""
        await self.archiving.archive(execution.id)
        await self.archiving.release(execution.id, 0)
        assert await execution.entries() == []


def shelf_in(nodes: Nodes, folder: Path) -> Shelf:
    return Shelf(nodes, FolderStore(folder))


def shelf_at(nodes: Nodes, place: str) -> Shelf:
    return Shelf(nodes, store_at(place))


async def ended(nodes: Nodes, name: str, frames: int = 30) -> Execution:
    """An execution of so many frames of 1, 2, 3 records, ended."""
    execution = Execution(nodes, name)
    await execution.open()
    for number in range(frames):
        await execution.publish(*(f"{number}.{i} %s ü" for i in range(number % 3 + 1)))
    await end(execution)
    return execution


async def end(execution: Execution) -> None:
    assert (await execution.close("completed")).word == "closed"
    assert (await execution.finish()).word in ("ended", "already")


async def each(entries: Sequence[Entry]) -> AsyncIterator[Entry]:
    for entry in entries:
        yield entry


def texts(entries: Sequence[Entry]) -> list[tuple[object, ...]]:
    """All that a proof or a reader sees of *entries*."""
    return [(e.id, e.seq, e.count, e.before, e.tag, e.flags, render(e)) for e in entries]


async def messages(shelf: Shelf, name: str) -> list[object]:
    """Read the messages of all logs, from wherever they lie; every page must be proved."""
    found: list[dict[str, Any]] = []
    cursor = START
    while True:
        verdict, _ = await shelf.reader.after(name, cursor, 7)
        assert isinstance(verdict, Continues), verdict
        if not verdict.entries:
            break
        found += [
            orjson.loads(line) for entry in verdict.entries for line in records_of(render(entry))
        ]
        cursor = verdict.entries[-1].end
    assert [record["seq"] for record in found] == list(range(1, len(found) + 1))
    return [record["message"] for record in found if "message" in record]
