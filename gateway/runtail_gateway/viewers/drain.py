"""Send viewers elsewhere when this process is about to end, spread out over some seconds.

Whoever serves a viewer does so inside `stay`; a viewer that is sent away sees `Refused` come out of
that block, and is told as whoever is refused.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from runtail_gateway.protocol.problem import Draining
from runtail_gateway.protocol.refused import Refused

DRAINING: Final = "this gateway is about to end, expected to be asked elsewhere or again"


class Drain:
    """Whether this process is about to end, and the viewers that it still serves."""

    def __init__(self) -> None:
        self.begun = False
        self._stays: set[_Stay] = set()

    def __len__(self) -> int:
        return len(self._stays)

    def begin(self) -> None:
        """Take no new viewer, and be unready. Safe in a signal handler."""
        self.begun = True

    def spread(self, seconds: float) -> None:
        """Send each viewer away at a random moment within *seconds*: they all come back at once."""
        self.begin()
        loop = asyncio.get_running_loop()
        for stay in self._stays:
            loop.call_later(random.uniform(0, seconds), stay.leave)

    def require_ready(self) -> None:
        """Raise Draining if this process is about to end."""
        if self.begun:
            raise Draining(DRAINING)

    @contextmanager
    def stay(self) -> Iterator[None]:
        """Serve a viewer while the block lasts; raises Refused if it must go elsewhere."""
        if self.begun:
            raise _elsewhere()
        task = asyncio.current_task()
        assert task is not None
        stay = _Stay(task)
        self._stays.add(stay)
        try:
            yield
        except asyncio.CancelledError:
            if stay.left and not task.uncancel():
                raise _elsewhere() from None
            raise  # somebody else's cancellation
        finally:
            stay.over = True
            self._stays.discard(stay)


class _Stay:
    """One viewer being served by *task*."""

    __slots__ = ("left", "over", "task")

    def __init__(self, task: asyncio.Task[object]) -> None:
        self.task, self.left, self.over = task, False, False

    def leave(self) -> None:
        """End the block that serves it."""
        if not self.over and not self.left:
            self.left = True
            self.task.cancel()


def _elsewhere() -> Refused:
    return Refused(1012, "draining", DRAINING, 503)
