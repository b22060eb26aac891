"""Read pages of an execution's history for viewers that are behind, each page proved.

The decisions lie in `runtail_broker.proof`; here a verdict becomes what the viewer is sent:
records, a `gap`, a `reset`. Pages are shared, and so is a read that several viewers wait for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from runtail_broker.cursor import START, Cursor, start_of
from runtail_broker.entry import Entry
from runtail_broker.errors import RuntailError
from runtail_broker.proof import Bounds, Continues, Diverged, Gap
from runtail_broker.stream import StreamReader
from runtail_gateway.message import Message, pack, plain, render
from runtail_gateway.metrics import Metrics
from runtail_gateway.pages import Page, PageCache
from runtail_gateway.settings import GatewaySettings

_MESSAGES_A_READ = 4  # fewer would cost more round trips than rendering does
Parts = list[tuple[Entry, bytes, int]]


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
        self._entry_bytes = 4096.0  # rendered bytes of a frame, moving average

    def known(self, cursor: Cursor) -> Page | None:
        """Look up the page that follows *cursor*, without a read."""
        return self._pages.get(self._execution_id, cursor)

    def keep(self, before: Cursor, parts: Parts) -> Message | None:
        """Make messages of records that follow *before*, keep them as pages; return the first."""
        messages = pack(before, parts, self._settings.message_bytes)
        for message in messages:
            assert message.before is not None
            self._pages.put(self._execution_id, message.before, Page(message))
        return messages[0] if messages else None

    def forget(self) -> None:
        """Drop all pages: a proof failed, or a subscription is fresh."""
        self._pages.forget(self._execution_id)

    async def read(self, cursors: list[Cursor]) -> Page:
        """Read what follows the first of *cursors* that can be proved.

        Viewers that ask for the same page meanwhile wait for this read. Raises what the reader
        raises.
        """
        waiting = self._reading.get(cursors[0])
        if waiting is not None:
            page = await asyncio.shield(waiting)
            if page is None:
                return await self.read(cursors)  # who read for all has left
            if page.reset is None:
                return page
            return await self._read(cursors)  # a reset depends on the other cursors, one's own
        return await self._read_for_all(cursors)

    async def _read_for_all(self, cursors: list[Cursor]) -> Page:
        future: asyncio.Future[Page | None] = asyncio.get_running_loop().create_future()
        self._reading[cursors[0]] = future
        page = None
        try:
            page = await self._read(cursors)
            return page
        except RuntailError as error:
            future.set_exception(error)
            future.exception()  # nobody may be waiting
            raise
        finally:
            del self._reading[cursors[0]]
            if not future.done():
                future.set_result(page)

    async def _read(self, cursors: list[Cursor]) -> Page:
        self._metrics.stream_reads.inc()
        verdict, bounds = await self._reader.resume(
            self._execution_id, cursors, self.page_entries()
        )
        match verdict:
            case Continues(cursor, entries, skip):
                message = self._remember(cursor, list(entries), skip)
                return self._page(cursors[0], cursor, message)
            case Gap():
                return self._gap(cursors[0], verdict, bounds)
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

    def _gap(self, asked: Cursor, gap: Gap, bounds: Bounds) -> Page:
        self._metrics.gaps.inc()
        behind = _before(gap.entries[0]) if gap.entries else bounds.last
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
        message = self._remember(behind, list(gap.entries), 0)
        if asked.is_start or asked.number <= gap.cursor.number:
            return Page(message, (notice,), behind)
        self.forget()
        reset = self._reset(gap.cursor, "another history")
        return Page(message, (*reset.notices, notice), behind, reset=gap.cursor)

    def _remember(self, cursor: Cursor, entries: list[Entry], skip: int) -> Message | None:
        """Render what was read and keep it as pages."""
        parts = [(entry, render(entry), 0 if i else skip) for i, entry in enumerate(entries)]
        if entries:
            rendered = sum(len(text) for _, text, _ in parts)
            self._entry_bytes += 0.5 * (rendered / len(entries) - self._entry_bytes)
        return self.keep(cursor, parts)

    def page_entries(self) -> int:
        """How many frames make a few messages: enough to save reads, few enough to hold."""
        wanted = _MESSAGES_A_READ * self._settings.message_bytes / max(self._entry_bytes, 1.0)
        return max(2, min(self._settings.page_entries, int(wanted)))


def _before(entry: Entry) -> Cursor:
    """Name the place just before *entry*, which its first frame's tag proves."""
    first = entry.first_id
    place = first._replace(n=first.n - 1) if first.n else first._replace(ms=first.ms - 1, n=0)
    return Cursor(place, entry.seq - 1, entry.before)
