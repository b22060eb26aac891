"""Serve one viewer: behind, it pulls; at the head, the tail writes to it.

The viewer is only a cursor and a few older ones to prove it with. Everything it is sent goes
through an `Outlet`, so that the same loop serves a transport that can be written to directly, any
other ASGI server, and whatever protocol comes next.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from runtail_broker.connections.ending import end
from runtail_broker.cursor import START, Cursor, CursorMemory
from runtail_broker.errors import RuntailError
from runtail_gateway.protocol.message import Message, plain
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.filtered_tail import Tail
from runtail_gateway.viewers.pages import Page

_QUICK_BYTES = 4096  # so little leaves in one write with what follows it: 27 µs of a connect


class Outlet(Protocol):
    """Where a viewer's messages go."""

    write: Callable[[Message], bool]
    """Write a message now if that is possible without waiting; False if it is not."""

    async def send(self, message: Message) -> None:
        """Send *message*; returns once no more than the write mark waits. Raises Gone."""

    async def close(self, code: int, reason: str) -> None:
        """Begin to close; nothing is written afterwards."""


def never(message: Message) -> bool:
    """Write nothing: for an outlet that has no transport to write to, so that its viewer pulls."""
    return False


class Gone(Exception):
    """The viewer's connection is no more."""


class Viewer:
    """One viewer of one execution, from its cursor to the `end`. One task at most at a time."""

    __slots__ = (  # as `Push` has them
        "_caught_up",
        "_memory",
        "_outlet",
        "_owed",
        "_resumed",
        "_settings",
        "_tail",
        "_task",
        "cursor",
        "done",
        "write",
    )

    def __init__(
        self,
        outlet: Outlet,
        tail: Tail,
        cursors: list[Cursor],
        settings: GatewaySettings,
        resumed: Callable[[Page], None] | None = None,
    ) -> None:
        self._resumed = resumed  # called once, with the first page
        self.cursor = cursors[0]
        self.done = asyncio.get_running_loop().create_future()
        self._outlet, self._tail, self._settings = outlet, tail, settings
        self.write = outlet.write
        self._memory = CursorMemory()
        for cursor in reversed(cursors):
            self._memory.add(cursor)
        self._caught_up = False
        self._owed: list[Message] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to pull."""
        if self._task is None and not self.done.done():
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Leave the tail and end the task."""
        self._finish(None)  # nothing starts it again
        if self._task is not None:
            await end(self._task)
        self._tail.leave(self)

    # --- at the head: called by the tail, never waits --------------------------------------------

    def miss(self, message: Message) -> None:
        """Pull, because the outlet could not take *message* at once."""
        if message.before == message.cursor:
            self._owed.append(message)
        self.fall_behind()

    def fall_behind(self) -> None:
        """Leave the head and pull, as soon as the outlet takes more."""
        passed = self._tail.leave(self)
        self._memory.extend([c for c in passed if c.number <= self.cursor.number])
        self._stand_at(self.cursor)
        self.start()

    # --- behind: one task ------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while not await self._at_the_head():
                pass
        except Gone:
            self._finish(None)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, the connection must end
            self._finish(error)
        finally:
            self._task = None

    async def _at_the_head(self) -> bool:
        """Go one step; True once nothing is left to do but to wait for what comes."""
        while self._owed:
            await self._outlet.send(self._owed.pop(0))
        page = await self._pull()
        if self._resumed is not None:
            self._resumed(page)
            self._resumed = None
        if not page.is_empty or page.notices:
            await self._take(page)
            return False
        if self.cursor != (self._tail.cursor or START):
            self._tail.doubt()
            await self._tail.settled()
            return False
        return await self._arrive()

    async def _arrive(self) -> bool:
        if not self._caught_up:
            self._caught_up = True
            await self._outlet.send(plain("caught_up", {"cursor": str(self.cursor)}))
            return False  # the send may have waited: look again
        end = self._tail.end_message()
        if end is not None and self.cursor == self._tail.cursor:
            await self._outlet.send(end)
            await self._outlet.close(1000, "ended")
            self._finish(None)
            return True
        # nothing awaits between here and the next turn: no record can come before its predecessor
        return not self._owed and self._tail.join(self)

    async def _pull(self) -> Page:
        """Ask until the engine answers; a viewer waits out an engine that is away."""
        while True:
            try:
                return await self._tail.pull(self._memory.newest_first())
            except RuntailError:
                await asyncio.sleep(random.uniform(0.05, self._settings.retry_seconds))

    async def _take(self, page: Page) -> None:
        for notice in page.notices:
            await self._outlet.send(notice)
        if page.reset is not None:
            self._memory.rewind(page.reset)
        if page.start is not None:
            self._stand_at(page.start)
        if page.message is not None:
            await self._outlet.send(page.message)
            assert page.message.cursor is not None
            self._stand_at(page.message.cursor)
            if page.message.size > _QUICK_BYTES:
                await asyncio.sleep(0)  # rendering took its time: others get their turn

    def _stand_at(self, cursor: Cursor) -> None:
        self._memory.add(cursor)
        self.cursor = cursor

    def _finish(self, error: BaseException | None) -> None:
        self._tail.leave(self)
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)
