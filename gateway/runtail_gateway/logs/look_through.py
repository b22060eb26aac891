"""Look through an execution's records after a cursor, in order, at a bounded cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from runtail_broker.cursor import Cursor
from runtail_broker.state import ExecutionState
from runtail_gateway.logs.log_pages import LogPages
from runtail_gateway.logs.log_step import Step
from runtail_gateway.logs.portion import Portion

Taking = Callable[[Mapping[str, Any]], bool]
"""Takes a record; False, and nothing is changed, if there is no room for it."""


@dataclass(frozen=True, slots=True)
class Looked:
    """How far somebody looked: from *first_seq* (0: at nothing) up to *cursor*.

    *more* says that records are left behind it, *notices* what is gone or was replaced.
    """

    first_seq: int
    cursor: Cursor
    more: bool
    notices: list[dict[str, object]]

    def json(self) -> dict[str, object]:
        """Make the members of an answer that say so."""
        looked = {"first_seq": self.first_seq, "last_seq": self.cursor.number}
        return {
            "looked": looked if self.first_seq else None,
            "cursor": str(self.cursor),
            "more": self.more,
            "notices": self.notices,
        }


async def look_through(
    pages: LogPages, state: ExecutionState, cursor: Cursor, take: Taking, most: int
) -> Looked:
    """Give *take* at most *most* records after *cursor*, up to the first that has no room."""
    portion, notices = Portion(), list[dict[str, object]]()
    first_seq, looked, full = 0, 0, False
    while not full and looked < most:
        step = await pages.step(state.id, [cursor], most - looked, portion)
        notices += step.notices
        if not step.lines:
            cursor = step.cursor
            break
        count = _taken(take, step)
        looked, full = looked + count, count < len(step.lines)
        first_seq = first_seq or (step.first_seq if count else 0)
        if not full:
            cursor = step.cursor
        elif count:
            cursor = step.cursor_at(count)
        await asyncio.sleep(0)  # lets the viewers through
    return Looked(first_seq, cursor, cursor.number < state.last_seq, notices)


def _taken(take: Taking, step: Step) -> int:
    """Give the lines of *step* to *take* up to the first that has no room; return how many."""
    for count, line in enumerate(step.lines):
        if not take(orjson.loads(line)):
            return count
    return len(step.lines)
