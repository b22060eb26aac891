"""Tell whoever watches the list of executions that this worker's changed.

A courtesy beside publishing: it waits for little, and what fails is not tried again, because
gateways look at the list by themselves too.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from runtail import debugging
from runtail.delivery.ask import Ask
from runtail.delivery.journal import Journal
from runtail.delivery.link import Link
from runtail_broker.errors import RuntailError
from runtail_broker.script import Answer

_SHOWN_SECONDS: Final = 1.0  # progress and errors of one execution, at most so often
_TIMEOUT_SECONDS: Final = 1.0
_MUTE_SECONDS: Final = 30.0  # after a failure


@dataclass(slots=True)
class _Told:
    """What was told of one execution: its status, how it was opened or left, when more may be."""

    status: str = ""
    word: str = ""
    next_at: float = 0.0
    is_due: bool = False


class Announcer:
    """Collect what answers show to have changed, and tell it over *link*."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._told: WeakKeyDictionary[Journal, _Told] = WeakKeyDictionary()
        self._changed: dict[str, None] = {}
        self._mute_until = 0.0

    def note(self, journal: Journal, ask: Ask, answer: Answer, now: float) -> None:
        """Take an answer to *ask*."""
        told = self._told.setdefault(journal, _Told())
        told.is_due |= ask.shown and answer.word in ("stored", "alive")
        word = answer.word if ask.replicated else told.word
        due = told.is_due and now >= told.next_at
        if due:
            told.is_due, told.next_at = False, now + _SHOWN_SECONDS
        if due or (told.status, told.word) != (answer.status, word):
            told.status, told.word = answer.status, word
            self._changed[ask.call.execution_id] = None

    async def tell(self) -> None:
        """Tell what was noted; never raises, and waits a second at most."""
        changed, self._changed = self._changed, {}
        if not changed or time.monotonic() < self._mute_until:
            return
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await self._link.tell(changed)
        except (RuntailError, TimeoutError) as error:
            self._mute_until = time.monotonic() + _MUTE_SECONDS
            debugging.say("watchers of the list were not told", error=error)
