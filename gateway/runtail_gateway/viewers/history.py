"""Read pages of an execution's history for viewers that are behind, each page proved.

The decisions lie in `runtail_broker.proof`; here a verdict becomes what the viewer is sent:
records, a `gap`, a `reset`. Pages are shared, and so is a read that several viewers wait for.
Frames are rendered a message at a time, and what follows them is read while they are: a viewer
begins to receive at once, and neither waits for the engine nor makes the loop wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from runtail_broker.cursor import START, Cursor, start_of
from runtail_broker.errors import (
    ArchiveDamaged,
    ArchiveUnavailable,
    NewerFormat,
    RuntailError,
)
from runtail_broker.proof import Bounds, Continues, Diverged, Gap
from runtail_broker.records.entry import Entry
from runtail_broker.records.rendering import render
from runtail_broker.stream import StreamReader
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.protocol.message import Message, Packed, plain
from runtail_gateway.protocol.refused import refused_for
from runtail_gateway.protocol.wish import deleted
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.pages import Page, PageCache, Unrendered

_MESSAGES_A_READ = 2  # their bytes in frames, which make several times as many when rendered
_FIRST_ENTRY_BYTES = 65_536.0  # supposed before anything is known of an execution


class History:
    """One execution's history. *doubted* is called when a viewer's cursor could not be proved."""

    def __init__(
        self,
        execution_id: str,
        reader: StreamReader,
        pages: PageCache,
        settings: GatewaySettings,
        metrics: Metrics,
        doubted: Callable[[], None],
    ) -> None:
        self._execution_id = execution_id
        self._reader, self._pages, self._settings = reader, pages, settings
        self._metrics, self._doubted = metrics, doubted
        self._reading: dict[Cursor, asyncio.Future[Page | None]] = {}
        self._ahead: asyncio.Task[None] | None = None
        self._forgotten = 0  # how many times
        self.is_shared = True
        """Whether pages are kept for others: to write to memory that one viewer's pages have left
        took 11 % less of the processor, and a viewer that only waits holds none."""
        self._entry_bytes = _FIRST_ENTRY_BYTES  # of a frame, lately

    def known(self, cursor: Cursor) -> Page | None:
        """Look up or render the page that follows *cursor*, without a read."""
        found = self._pages.get(self._execution_id, cursor)
        return self._render(cursor, found) if isinstance(found, Unrendered) else found

    def keep(self, before: Cursor, parts: list[tuple[Entry, bytes, int]]) -> Page:
        """Keep rendered records that follow *before* as pages; return the first."""
        messages = Packed(before, parts, self._settings.message_bytes)
        size = sum(len(text) for _, text, _ in parts)
        return self._render(before, Unrendered(messages, parts[-1][0].end, size))

    def forget(self) -> None:
        """Drop all pages: a proof failed, or a subscription is fresh."""
        self._forgotten += 1
        self._pages.forget(self._execution_id)

    def close(self) -> None:
        """Stop reading ahead."""
        if self._ahead is not None:
            self._ahead.cancel()

    async def read(self, cursors: list[Cursor]) -> Page:
        """Read what follows the first of *cursors* that can be proved.

        Viewers that ask for the same page meanwhile wait for this read. Raises what the reader
        raises, and Refused if the execution was deleted, or what is archived cannot be read.
        """
        waiting = self._reading.get(cursors[0])
        if waiting is None:
            return await self._read_for_all(cursors)
        page = await asyncio.shield(waiting)
        if page is None:  # it was read ahead, or who read for all has left
            return self.known(cursors[0]) or await self.read(cursors)
        if page.reset is None:
            return page
        return await self._read(cursors)  # a reset depends on the other cursors, one's own

    async def _read_for_all(self, cursors: list[Cursor]) -> Page:
        with self._sharing(cursors[0]) as future:
            try:
                page = await self._read(cursors)
            except RuntailError as error:
                future.set_exception(error)
                future.exception()  # nobody may be waiting
                raise
            future.set_result(page)
            return page

    @contextmanager
    def _sharing(self, cursor: Cursor) -> Iterator[asyncio.Future[Page | None]]:
        """Let whoever asks for what follows *cursor* wait until the block is left."""
        future: asyncio.Future[Page | None] = asyncio.get_running_loop().create_future()
        self._reading[cursor] = future
        try:
            yield future
        finally:
            del self._reading[cursor]
            if not future.done():
                future.set_result(None)

    def _look_ahead(self, cursor: Cursor) -> None:
        """Begin to read what follows *cursor*, one such read at a time."""
        if self._ahead is None or self._ahead.done():
            self._ahead = asyncio.create_task(
                self._read_ahead(cursor), name=f"read ahead {self._execution_id}"
            )

    async def _read_ahead(self, cursor: Cursor) -> None:
        """Read what follows *cursor*; anything but more records is left to who asks for it."""
        if cursor in self._reading or self._pages.get(self._execution_id, cursor) is not None:
            return
        forgotten, wanted = self._forgotten, self.page_entries()
        self._metrics.stream_reads.inc()
        with self._sharing(cursor), suppress(RuntailError):
            verdict, _ = await self._reader.after(self._execution_id, cursor, wanted)
            if isinstance(verdict, Continues) and verdict.entries and forgotten == self._forgotten:
                rest = self._unrendered(cursor, verdict.entries, verdict.skip, wanted)
                self._pages.put(self._execution_id, cursor, rest)

    async def _read(self, cursors: list[Cursor]) -> Page:
        self._metrics.stream_reads.inc()
        wanted = self.page_entries()
        try:
            verdict, bounds = await self._reader.resume(self._execution_id, cursors, wanted)
        except (ArchiveUnavailable, ArchiveDamaged, NewerFormat) as error:
            raise refused_for(error) from error  # to wait for it here would be no help
        if bounds.epoch is None and await self._reader.was_deleted(self._execution_id):
            raise deleted(self._execution_id)
        match verdict:
            case Continues(cursor, entries, skip):
                message = self._remember(cursor, entries, skip, wanted)
                return self._page(cursors[0], cursor, message)
            case Gap():
                return self._gap(cursors[0], verdict, bounds, wanted)
            case Diverged(reason):
                self.forget()
                self._doubted()
                start = START if bounds.epoch is None else start_of(bounds.epoch)
                return self._reset(start, reason)

    def _page(self, asked: Cursor, cursor: Cursor, message: Message | None) -> Page:
        if asked == cursor:
            return Page(message)
        if asked.is_start or asked.seq is None:
            return Page(message, start=cursor)  # the start, or a bare id, now known exactly
        self.forget()
        self._doubted()
        return self._reset(cursor, "another history", message)

    def _reset(self, cursor: Cursor, reason: str, message: Message | None = None) -> Page:
        self._metrics.resets.inc()
        notice = plain("reset", {"reason": reason, "cursor": str(cursor)})
        return Page(message, (notice,), cursor, reset=cursor)

    def _gap(self, asked: Cursor, gap: Gap, bounds: Bounds, wanted: int) -> Page:
        self._metrics.gap(gap.reason, gap.lost)
        behind = gap.entries[0].start if gap.entries else bounds.last
        notice = plain(
            "gap",
            {
                "cursor": str(behind),
                "after_seq": gap.after_seq,
                "before_seq": gap.before_seq,
                "lost": gap.lost,
                "proved": gap.proved,
                "reason": gap.reason,
            },
        )
        message = self._remember(behind, gap.entries, 0, wanted)
        if asked.is_start or asked.number <= gap.cursor.number:
            return Page(message, (notice,), behind)
        self.forget()
        reset = self._reset(gap.cursor, "another history")
        return Page(message, (*reset.notices, notice), behind, reset=gap.cursor)

    def _remember(
        self, cursor: Cursor, entries: Sequence[Entry], skip: int, wanted: int
    ) -> Message | None:
        """Keep what was read as pages; return the message of the first."""
        if not entries:
            return None
        return self._render(cursor, self._unrendered(cursor, entries, skip, wanted)).message

    def _unrendered(
        self, cursor: Cursor, entries: Sequence[Entry], skip: int, wanted: int
    ) -> Unrendered:
        """Prepare to render *entries*; there may be more when as many as *wanted* were found."""
        self.weigh(entries)
        parts = ((entry, render(entry), 0 if i else skip) for i, entry in enumerate(entries))
        return Unrendered(
            Packed(cursor, parts, self._settings.message_bytes),
            entries[-1].end,
            sum(len(entry.frame) for entry in entries),
            more=len(entries) >= wanted,
        )

    def _render(self, cursor: Cursor, rest: Unrendered) -> Page:
        """Make the next message of *rest* the page after *cursor*; the others stay for later."""
        try:
            message = next(rest.messages)
        except NewerFormat as error:
            self.forget()
            raise refused_for(error) from error
        assert message.cursor is not None
        page = Page(message)
        if self.is_shared:
            self._pages.put(self._execution_id, cursor, page)
        else:
            self._pages.drop(self._execution_id, cursor)
        if message.cursor != rest.end:
            waiting = rest.messages.waiting_bytes
            rest_of_it = replace(rest, waiting_bytes=waiting, more=False)
            self._pages.put(self._execution_id, message.cursor, rest_of_it)
        if rest.more:
            self._look_ahead(rest.end)
        return page

    def weigh(self, entries: Sequence[Entry]) -> None:
        """Learn from *entries* how large the frames of this execution are."""
        if entries:
            mean = sum(len(entry.frame) for entry in entries) / len(entries)
            self._entry_bytes = mean

    def page_entries(self) -> int:
        """How many frames make a few messages: enough to save reads, few enough to hold."""
        wanted = _MESSAGES_A_READ * self._settings.message_bytes / max(self._entry_bytes, 1.0)
        return max(2, min(self._settings.page_entries, int(wanted)))
