"""Write each message once to every viewer that stands at the head of a tail.

A viewer at the head has no task: it is in a list, and what arrives is written to it in passing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from runtail_broker.cursor import Cursor
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.protocol.message import Message

_DELIVERIES_A_TURN = 256  # then the loop gets to others


class Follower(Protocol):
    """A viewer at the head, as the tail sees it. Nothing of it may wait."""

    cursor: Cursor
    write: Callable[[Message], bool]
    """Write a message; False if that is not possible now."""

    def miss(self, message: Message) -> None:
        """Fall behind, because *message* could not be written."""

    def fall_behind(self) -> None:
        """Go on by pulling: the tail does not serve it any more."""


class Head:
    """The viewers at the head of one tail, and what is on its way to them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._followers: dict[Follower, int] = {}  # → seq since which it is at the head
        self._outgoing: list[tuple[Message, list[Follower]]] = []

    def __len__(self) -> int:
        return len(self._followers)

    def add(self, follower: Follower) -> None:
        """Deliver to *follower* whatever is sent from now on."""
        self._followers[follower] = follower.cursor.number

    def remove(self, follower: Follower) -> int | None:
        """Deliver to *follower* no more; return the seq since which it was here, if it was."""
        return self._followers.pop(follower, None)

    def send(self, messages: Iterable[Message]) -> None:
        """Deliver *messages* to all who are here now."""
        followers = list(self._followers)
        self._outgoing += ((message, followers) for message in messages)
        self._deliver()

    def disperse(self) -> None:
        """Let all who are here fall behind."""
        for follower in list(self._followers):
            follower.fall_behind()

    def clear(self) -> None:
        """Drop what is on its way, and let all who are here fall behind."""
        self._outgoing.clear()
        self.disperse()

    def _deliver(self) -> None:
        """Write to a few hundred viewers, then let the loop turn."""
        budget = _DELIVERIES_A_TURN
        while self._outgoing:
            message, followers = self._outgoing[0]
            todo, rest = followers[:budget], followers[budget:]
            reached = self._deliver_to(todo, message)
            self._metrics.deliveries.inc(reached * message.count)
            self._metrics.sent_bytes.inc(reached * message.size)
            budget -= len(todo)
            if rest:
                self._outgoing[0] = (message, rest)
                asyncio.get_running_loop().call_soon(self._deliver)
                return
            self._outgoing.pop(0)
            if followers:
                self._metrics.delivered(message)

    def _deliver_to(self, todo: list[Follower], message: Message) -> int:
        """Write to those that still stand before *message*; return how many got it."""
        at_the_head, reached = self._followers, 0
        # seqs suffice: a rewind throws away what is still to be delivered of the history before it
        seq = None if message.before is None else message.before.seq
        for follower in todo:
            if follower not in at_the_head:
                continue  # it fell behind since, and pulls
            if seq is not None and follower.cursor.seq != seq:
                continue  # it fell behind and came back: it has these
            if follower.write(message):
                reached += 1
                if message.cursor is not None:
                    follower.cursor = message.cursor
            else:
                follower.miss(message)
        return reached
