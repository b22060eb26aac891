"""Serve the viewers of one tail that want only some of its records: one render for each filter.

To its viewers it is the tail. Behind, they pull the same pages as all others, sifted. At the head
they stand in a list of their own: what arrives is sifted once, and where nothing passes nothing is
sent, until the count of what was left out is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from runtail_broker.cursor import START, Cursor
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.protocol.message import Message
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.viewers.head import Follower, Head
from runtail_gateway.viewers.pages import Page
from runtail_gateway.viewers.sieve import Loose, Sieve, Sifted

_SIFTED_PAGES: Final = 2  # kept by one filter, as long as somebody keeps the whole ones
_MOST_HELD_SECONDS: Final = 1.0  # then the viewers are told how much was left out


class Tail(Protocol):
    """What a viewer needs of the tail that it reads."""

    @property
    def cursor(self) -> Cursor | None:
        """Where the tail stands; None while the execution does not exist."""

    def doubt(self) -> None:
        """Prove the tail against the stream, soon."""

    async def settled(self) -> None:
        """Wait until the tail is proved."""

    async def pull(self, cursors: list[Cursor]) -> Page:
        """Read what follows the newest of *cursors*, at most one message's worth."""

    def join(self, follower: Follower) -> bool:
        """Put *follower* at the head if it stands exactly where the tail stands."""

    def leave(self, follower: Follower) -> list[Cursor]:
        """Take *follower* from the head; list the cursors it passed there, newest first."""

    def end_message(self) -> Message | None:
        """The `end` message, if the record it comes from is the last one."""


class Whole(Tail, Protocol):
    """What a filter needs of the tail behind it."""

    def flush(self) -> None:
        """Deliver what has arrived in this turn."""

    def cursors_since(self, seq: int) -> list[Cursor]:
        """List the tail's cursors from *seq* on, newest first."""


class FilteredTail:
    """One tail as the viewers with one *sieve* see it.

    Guarantee: every record of the tail either passes and is sent, or is counted in the `omitted` of
    exactly one message that a viewer gets; the cursor of that message lies behind it.
    """

    def __init__(self, whole: Whole, sieve: Sieve, metrics: Metrics) -> None:
        self._whole, self._sieve = whole, sieve
        self._head = Head(metrics)
        self._sifted: WeakKeyDictionary[Message, Sifted] = WeakKeyDictionary()
        self._held: Sifted | None = None  # in which nothing passed
        self._timer: asyncio.TimerHandle | None = None

    # --- what its viewers call -----------------------------------------------------------------

    @property
    def cursor(self) -> Cursor | None:
        """Where the tail stands."""
        return self._whole.cursor

    @property
    def followers(self) -> int:
        """How many viewers are at this filter's head."""
        return len(self._head)

    def doubt(self) -> None:
        """Prove the tail, soon."""
        self._whole.doubt()

    async def settled(self) -> None:
        """Wait until the tail is proved."""
        await self._whole.settled()

    def end_message(self) -> Message | None:
        """The `end` message, which no filter leaves out."""
        return self._whole.end_message()

    async def pull(self, cursors: list[Cursor]) -> Page:
        """Read what all read, and sift it: once for those who read it at about the same time."""
        page = await self._whole.pull(cursors)
        if page.message is None:
            return page
        sifted = self._sifted.get(page.message)
        if sifted is None:
            if len(self._sifted) >= _SIFTED_PAGES:
                self._sifted.clear()
            sifted = self._sifted[page.message] = Sifted.of(Loose(page.message), self._sieve)
        return replace(page, message=sifted)

    def join(self, follower: Follower) -> bool:
        """Put *follower* at this filter's head if it stands exactly where the tail stands."""
        self._whole.flush()
        if follower.cursor != (self.cursor or START):
            return False
        self.release()  # what was left out before concerns only those who are here already
        self._head.add(follower)
        return True

    def leave(self, follower: Follower) -> list[Cursor]:
        """Take *follower* from the head; list the cursors it passed there, newest first."""
        since = self._head.remove(follower)
        return [] if since is None else self._whole.cursors_since(since)

    # --- what the tail calls -------------------------------------------------------------------

    def take(self, messages: list[Loose]) -> None:
        """Deliver what passes of *messages*, which all viewers without a filter get."""
        if not self._head:
            return
        for loose in messages:
            message = Sifted.of(loose, self._sieve)
            if self._held is not None:
                message = message.behind(self._held)
            if message.count:
                self._drop_held()
                self._head.send([message])
            else:
                self._hold(message)

    def release(self) -> None:
        """Tell those at the head how much was left out since their last message."""
        held = self._held
        self._drop_held()
        if held is not None:
            self._head.send([held])

    def tell(self, message: Message) -> None:
        """Deliver *message*, which moves no cursor."""
        self.release()
        self._head.send([message])

    def disperse(self) -> None:
        """Let all who are at the head fall behind, to where their last message led."""
        self._drop_held()
        self._head.disperse()

    def clear(self) -> None:
        """Drop what is on its way, and let all who are at the head fall behind."""
        self._drop_held()
        self._head.clear()

    def _hold(self, message: Sifted) -> None:
        self._held = message
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_MOST_HELD_SECONDS, self.release)

    def _drop_held(self) -> None:
        self._held = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Filters:
    """The filters of one tail, at most *most* distinct ones at a time."""

    def __init__(self, whole: Whole, most: int, metrics: Metrics) -> None:
        self._whole, self._most, self._metrics = whole, most, metrics
        self._tails: dict[Sieve, FilteredTail] = {}
        self._viewers: dict[Sieve, int] = {}

    def __bool__(self) -> bool:
        return bool(self._tails)

    @property
    def followers(self) -> int:
        """How many of their viewers are at the head."""
        return sum([tail.followers for tail in self._tails.values()]) if self._tails else 0

    def of(self, sieve: Sieve) -> AbstractContextManager[Tail]:
        """Share the tail as those with *sieve* see it; raise Refused for one filter too many."""
        return self._shared(sieve) if sieve else nullcontext(self._whole)

    @contextmanager
    def _shared(self, sieve: Sieve) -> Iterator[Tail]:
        if sieve not in self._tails and len(self._tails) >= self._most:
            too_many = f"{self._most} different filters on one execution, the most allowed"
            raise Refused(4329, "too_many", too_many, 503)
        self._viewers[sieve] = self._viewers.get(sieve, 0) + 1
        try:
            yield self._tails.setdefault(sieve, FilteredTail(self._whole, sieve, self._metrics))
        finally:
            self._viewers[sieve] -= 1
            if not self._viewers[sieve]:
                del self._viewers[sieve]
                self._tails.pop(sieve).disperse()

    def take(self, messages: list[Message]) -> None:
        """Sift *messages*, each taken apart once for all filters, and deliver what passes."""
        loose = [Loose(message) for message in messages] if self._tails else []
        for tail in self._tails.values():
            tail.take(loose)

    def tell(self, message: Message) -> None:
        """Deliver *message*, which moves no cursor, to everybody at a head."""
        for tail in self._tails.values():
            tail.tell(message)

    def disperse(self) -> None:
        """Let all who are at a head fall behind."""
        for tail in self._tails.values():
            tail.disperse()

    def clear(self) -> None:
        """Drop what is on its way, and let all who are at a head fall behind."""
        for tail in self._tails.values():
            tail.clear()
