"""Tail one execution for all viewers of this process: hear, prove, render once, deliver.

What is decided lies in `runtail_broker.tail` and `runtail_broker.proof`; here is when to read and
whom to tell. A viewer is either *behind* (it pulls pages, see `pull`) or *at the head*: it stands
exactly where the tail stands, and gets what arrives without a task of its own.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from runtail_broker.cursor import START, Cursor
from runtail_broker.errors import NewerFormat, RuntailError
from runtail_broker.proof import Bounds, Continues, Verdict
from runtail_broker.records.entry import Entry
from runtail_broker.records.rendering import render
from runtail_broker.script import end_of
from runtail_broker.stream import StreamReader
from runtail_broker.tail import Fed, Rendered, Tail
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.protocol.message import Message, Packed, plain, whole
from runtail_gateway.protocol.refused import refused_for
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.filtered_tail import Filters
from runtail_gateway.viewers.head import Follower, Head
from runtail_gateway.viewers.history import History
from runtail_gateway.viewers.pages import Page, PageCache

_PAGES_TO_CATCH_UP = 8  # farther behind than this, a tail begins anew at the end


class SharedTail:
    """One execution's tail in this process; made and dropped by the hub."""

    def __init__(
        self,
        execution_id: str,
        reader: StreamReader,
        pages: PageCache,
        settings: GatewaySettings,
        metrics: Metrics,
        subscribe: Callable[[], Awaitable[None]],
    ) -> None:
        self.execution_id = execution_id
        self.heard_at = time.monotonic()
        self.end = b""
        self.viewers = 0
        self._reader, self._settings = reader, settings
        self._metrics, self._subscribe = metrics, subscribe
        self._history = History(execution_id, reader, pages, settings, metrics, self.doubt)
        self._tail = Tail(render, max_bytes=settings.ring_bytes)
        self._head = Head(metrics)
        self.filters = Filters(self, settings.filters, metrics)
        self._pending: list[Rendered] = []  # appended in this turn, not yet delivered
        self._pending_from: Cursor | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._again = self._closed = self._is_subscribed = False
        self._unreadable: NewerFormat | None = None

    # --- what is heard -------------------------------------------------------------------------

    def hear(self, entry: Entry) -> None:
        """Take a frame from the live channel."""
        if self._refreshing is not None and self._tail.cursor is None:
            self._again = True
        elif not self._feed(entry):
            self.doubt()

    def doubt(self) -> None:
        """Prove the tail against the stream and re-read what it misses; soon, and once."""
        self._again = True
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(
                self._refresh(), name=f"prove {self.execution_id}"
            )

    def compare(self, bounds: Bounds) -> None:
        """Doubt the tail unless it stands where the state, as *bounds* has it, says the last is."""
        if self._tail.cursor != (None if bounds.epoch is None else bounds.last):
            self.doubt()

    def subscribed(self) -> None:
        """The subscription is fresh: what came before it was not heard, pages may be of before."""
        self._history.forget()
        self.doubt()

    def count(self, more: int) -> int:
        """Count *more* viewers that watch this, or fewer; return how many do now."""
        self.viewers += more
        self._history.is_shared = self.viewers > 1
        return self.viewers

    async def settled(self) -> None:
        """Wait until the tail is proved; returns at once when nothing is in doubt."""
        if self._refreshing is not None:
            await asyncio.wait([self._refreshing])

    def close(self) -> None:
        """Stop reading; the last viewer has gone."""
        self._closed = True
        self._history.close()
        if self._refreshing is not None:
            self._refreshing.cancel()

    @property
    def cursor(self) -> Cursor | None:
        """Where the tail stands; None while the execution does not exist."""
        return self._tail.cursor

    # --- viewers at the head -------------------------------------------------------------------

    def join(self, follower: Follower) -> bool:
        """Put *follower* at the head if it stands exactly where the tail stands."""
        self.flush()  # what is not yet delivered belongs to those who are at the head already
        here = self._tail.cursor
        if follower.cursor != (START if here is None else here):
            return False
        self._head.add(follower)
        return True

    def leave(self, follower: Follower) -> list[Cursor]:
        """Take *follower* from the head; list the cursors it passed there, newest first."""
        since = self._head.remove(follower)
        return [] if since is None else self.cursors_since(since)

    def cursors_since(self, seq: int) -> list[Cursor]:
        """List the tail's cursors from *seq* on, newest first."""
        return self._tail.cursors_since(seq)

    def tell(self, message: Message) -> None:
        """Deliver *message*, which moves no cursor, to everybody at the head."""
        self.flush()
        self._head.send([message])
        self.filters.tell(message)

    @property
    def followers(self) -> int:
        """How many viewers are at the head, filtered ones too."""
        return len(self._head) + self.filters.followers

    # --- viewers behind ------------------------------------------------------------------------

    async def pull(self, cursors: list[Cursor]) -> Page:
        """Read what follows the newest of *cursors*, at most one message's worth.

        If the stream does not hold it, the first of the older ones that can be proved counts, and
        the page says so. Raises what the stream reader raises, and Refused if it was deleted.
        """
        if self._unreadable is not None:
            raise refused_for(self._unreadable)
        page = self._at_hand(cursors[0])
        if page is None:
            return await self._history.read(cursors)
        self._metrics.ring_hits.inc()
        return page

    def _at_hand(self, cursor: Cursor) -> Page | None:
        """Find the page after *cursor* without a read: viewers at one cursor share its bytes."""
        if cursor == self._tail.cursor:
            return Page()
        page = self._history.known(cursor)
        if page is not None:
            return page
        held = self._tail.after(cursor)
        if not held:
            return None
        parts = [(item.entry, item.text, skip) for item, skip in held]
        return self._history.keep(cursor, parts)

    # --- what arrives --------------------------------------------------------------------------

    def _feed(self, entry: Entry) -> bool:
        """Append *entry* if it chains; False if it casts doubt."""
        before = self._tail.cursor
        fed = self._tail.feed(entry)
        if fed is Fed.APPENDED:
            newest = self._tail.newest()
            assert newest is not None
            self.heard_at = time.monotonic()
            self.end = newest.text if entry.is_end else b""
            if not self._pending:
                self._pending_from = before
                asyncio.get_running_loop().call_soon(self.flush)
            self._pending.append(newest)
        return fed is not Fed.DOUBTED

    def flush(self) -> None:
        """Make one message of all that arrived in this turn, and deliver it."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        self._metrics.took_in(pending)
        if (self._head or self.filters) and self._pending_from is not None:
            packed = self._packed(self._pending_from, pending)
            self._head.send(packed)
            self.filters.take(packed)
        if self.end:
            self._disperse()  # each takes the `end` message and closes

    def _packed(self, before: Cursor, pending: list[Rendered]) -> list[Message]:
        """Make as few messages as there can be of what follows *before*."""
        most = self._settings.message_bytes
        if len(pending) == 1 and len(pending[0].text) <= most:  # as in most turns: 5 µs sooner
            return [whole(before, pending[0].entry, pending[0].text)]
        return list(Packed(before, [(held.entry, held.text, 0) for held in pending], most))

    def _disperse(self) -> None:
        self._head.disperse()
        self.filters.disperse()

    def _clear(self) -> None:
        self._head.clear()
        self.filters.clear()

    # --- proving -------------------------------------------------------------------------------

    async def _refresh(self) -> None:
        try:
            pages = 0
            while self._again and not self._closed:
                self._again = False
                try:
                    pages = pages + 1 if await self._prove() else 0
                    if pages > _PAGES_TO_CATCH_UP:
                        self._jump(await self._reader.bounds(self.execution_id))
                        pages = 0
                except RuntailError as error:
                    self._again = True
                    if isinstance(error, NewerFormat):
                        self._unreadable = error
                        self._clear()  # everybody pulls, and is told
                    await asyncio.sleep(random.uniform(0.01, self._settings.retry_seconds))
        finally:
            self._refreshing = None

    async def _prove(self) -> bool:
        """Prove the tail's own cursors once; True if there may be more to read."""
        if not self._is_subscribed:
            await self._subscribe()  # first, then read: what comes between is heard
            self._is_subscribed = True
            return False  # it is read when that is confirmed, or as soon as a viewer is at the end
        if self._tail.cursor is None:
            self._jump(await self._reader.bounds(self.execution_id))
            return False
        cursors = self._tail.cursors()
        verdict, bounds = await self._reader.resume(
            self.execution_id, cursors, self._history.page_entries()
        )
        return self._judge(cursors[0], verdict, bounds)

    def _judge(self, asked: Cursor, verdict: Verdict, bounds: Bounds) -> bool:
        if not isinstance(verdict, Continues):
            self._jump(bounds)
            return False
        if verdict.cursor != asked:
            self._rewind(verdict.cursor)
        entries = list(verdict.entries)
        self._history.weigh(entries)
        if not all(self._feed(entry) for entry in entries):
            self._again = True  # the live channel went another way meanwhile
        self._again = self._again or bool(entries)
        if self._tail.cursor == bounds.last:
            self.end = bounds.end  # a rewind may have uncovered it
            if self.end:
                self.flush()
                self._disperse()
        return bool(entries)

    def _rewind(self, cursor: Cursor) -> None:
        """The stream holds something else beyond *cursor*: everybody proves their own place."""
        self.flush()
        self._history.forget()
        self._clear()
        self._tail.rewind(cursor)
        self.end = b""

    def _jump(self, bounds: Bounds) -> None:
        """Begin anew at the end of what the stream holds now."""
        if bounds.epoch is None and self._tail.cursor is None:
            return  # still waited for: viewers at the head stay there
        self.flush()
        self._history.forget()
        self._clear()
        if bounds.epoch is None:
            self._tail = Tail(render, max_bytes=self._settings.ring_bytes)
        else:
            self._tail.jump(bounds.last)
        self.end = bounds.end

    def end_message(self) -> Message | None:
        """The `end` message, if the record it comes from is the last one."""
        if not self.end:
            return None
        status, totals = end_of(self.end)
        return plain("end", {"status": status, "totals": totals})
