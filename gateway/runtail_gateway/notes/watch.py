"""Tell viewers of changes of an execution's notes: one look for all viewers of this process.

A change is told on a channel; then the notes are read, all of them, as there are few, and compared
with what was read before. A fresh subscription reads them too, so nothing is missed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from runtail_broker.errors import RuntailError
from runtail_broker.notes import Board, Notes
from runtail_gateway.notes.text import removed

log = logging.getLogger("runtail.gateway")
_PAUSE_SECONDS: Final = 0.05  # between two looks: what changes meanwhile is read together
_MOST_PENDING: Final = 1000  # untold changes of one reader; beyond, it is told all there is
Subscribe = Callable[[str, bool], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class NotesNews:
    """What a reader is told: *notes* that changed, or *all* of them, and the *place* after it."""

    notes: list[dict[str, Any]]
    all: bool
    place: str


class NotesReader:
    """What one client has not been told yet of an execution's notes."""

    def __init__(self, place: str | None) -> None:
        self._place = place  # where the client stands; None while it knows nothing
        self._pending: dict[str, dict[str, Any]] = {}
        self._board: Board | None = None
        self._begun = False
        self._news = asyncio.Event()

    def see(self, board: Board, changed: dict[str, dict[str, Any]]) -> None:
        """Keep that the notes are as *board* has them, by *changed* since the look before."""
        if self._board is not None and not changed and board.place == self._board.place:
            return
        self._board = board
        self._pending |= changed
        if len(self._pending) > _MOST_PENDING:
            self._begun, self._place = False, None
        self._news.set()

    async def news(self) -> NotesNews | None:
        """Wait for changes; None when the execution is not there any more."""
        await self._news.wait()
        self._news.clear()
        board, pending, self._pending = self._board, self._pending, {}
        assert board is not None
        if self._begun:
            return NotesNews(list(pending.values()), False, board.place) if board.exists else None
        self._begun, known = True, self._place == board.place
        notes = [] if known else [note.fields for note in board.notes.values()]
        return NotesNews(notes, not known, board.place)


class _Watched:
    """One execution's notes as they were read last, and who reads them."""

    def __init__(self) -> None:
        self.readers: set[NotesReader] = set()
        self.board: Board | None = None


class NotesWatch:
    """The notes of all executions whose notes somebody reads here. `run` is its one task.

    *subscribe* asks for the changes of one, or no more for them.
    """

    def __init__(self, notes: Notes, subscribe: Subscribe) -> None:
        self._notes, self._subscribe = notes, subscribe
        self._watched: dict[str, _Watched] = {}
        self._subscribed: set[str] = set()
        self._due: set[str] = set()
        self._woken = asyncio.Event()

    def noted(self, execution_id: str) -> None:
        """Hear that the notes changed, or may have."""
        if execution_id in self._watched:
            self._look_at(execution_id)

    @asynccontextmanager
    async def reading(self, execution_id: str, place: str | None) -> AsyncIterator[NotesReader]:
        """Collect changes for a client that knows the notes as they were at *place*."""
        watched = self._watched.setdefault(execution_id, _Watched())
        reader = NotesReader(place)
        watched.readers.add(reader)
        if watched.board is None:
            self._look_at(execution_id)
        else:
            reader.see(watched.board, {})
        try:
            yield reader
        finally:
            watched.readers.discard(reader)
            if not watched.readers:
                self._watched.pop(execution_id, None)
                self._look_at(execution_id)

    async def run(self) -> None:
        """Look whenever something is told."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            due, self._due = self._due, set()
            for execution_id in due:
                try:
                    await self._look(execution_id)
                except RuntailError as error:
                    log.info("the notes of %s were not looked at: %s", execution_id, error)
                    self._look_at(execution_id)
                except Exception:  # what one execution holds must not stop the notes of others
                    log.exception("the notes of %s were not looked at", execution_id)
            await asyncio.sleep(_PAUSE_SECONDS * random.uniform(0.5, 1.5))

    async def _look(self, execution_id: str) -> None:
        watched = self._watched.get(execution_id)
        if watched is None:  # its last reader has gone
            if execution_id in self._subscribed:
                await self._subscribe(execution_id, False)
                self._subscribed.discard(execution_id)
            return
        if execution_id not in self._subscribed:
            await self._subscribe(execution_id, True)  # first, then read: `noted` comes behind it
            self._subscribed.add(execution_id)
        board = await self._notes.board(execution_id)
        changed = _changed(watched.board, board)
        watched.board = board
        for reader in watched.readers:
            reader.see(board, changed)

    def _look_at(self, execution_id: str) -> None:
        self._due.add(execution_id)
        self._woken.set()


def _changed(before: Board | None, board: Board) -> dict[str, dict[str, Any]]:
    """Find what is new, other, or not there any more."""
    if before is None:
        return {}
    entries = {name: note.entry for name, note in before.notes.items()}
    news = {n: note.fields for n, note in board.notes.items() if entries.get(n) != note.entry}
    gone = {n: removed(note) for n, note in before.notes.items() if n not in board.notes}
    return gone | news
