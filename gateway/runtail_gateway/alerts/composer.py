"""Compose an alert's message from what the engine holds of what it is about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from runtail_broker.executions import Executions
from runtail_broker.state import ExecutionState
from runtail_broker.stream import StreamReader
from runtail_gateway.alerts.message import MOST_LINES, Found, body, message, text_of
from runtail_gateway.alerts.rules import AlertRules, Webhook
from runtail_gateway.alerts.store import Row
from runtail_gateway.alerts.text import Masks
from runtail_gateway.alerts.usual import Usual
from runtail_gateway.alerts.watch import Firing, failing
from runtail_gateway.logs.log_pages import LogPages
from runtail_gateway.logs.page_lines import Wanted

_WANTED = Wanted(MOST_LINES, MOST_LINES, 1024 * 1024)


class Composer:
    """Make messages. Raises what reading raises."""

    def __init__(
        self, executions: Executions, reader: StreamReader, usual: Usual, rules: AlertRules
    ) -> None:
        self._executions, self._pages, self._usual = executions, LogPages(reader), usual
        self._page, self._mask = rules.page, Masks(rules.mask_names, rules.mask_texts)

    async def message(self, firing: Firing, seq: int | None = None) -> dict[str, Any]:
        """Make what is sent; *seq* is the line that it is about, if it is about one."""
        found = await self._found(firing, seq)
        return message(firing, found, self._page, self._mask)

    def body(self, told: dict[str, Any], webhook: Webhook) -> bytes:
        """Spell it as *webhook* wants it."""
        return body(told, webhook.format)

    async def row(self, firing: Firing) -> Row:
        """Make what is only shown."""
        told = message(firing, Found(), self._page, self._mask)
        return row_of(firing, "", text_of(told))

    async def _found(self, firing: Firing, seq: int | None) -> Found:
        now_ms = firing.memory.told_ms
        if not firing.is_of_execution:
            counted = failing(firing.rule, await self._usual.tallies(now_ms), now_ms)
            each = counted.get(firing.workflow_id, {"ended": 0, "failed": 0})
            return Found(ended=each["ended"], failed=each["failed"])
        state = await self._executions.state(firing.subject)
        if state is None:
            return Found()
        medians = await self._usual.medians(now_ms)
        median = medians.get(state.workflow_id, (None, 0))[0]
        before = state.last_seq + 1 if seq is None else seq + 1
        page = await self._pages.before(state, before, _WANTED)
        lines = [orjson.loads(line) for line in page["records"]]
        about = seq or (state.last_error.seq if state.last_error else None)
        return Found(state, lines, _duration_ms(state, now_ms), median, about)


def row_of(firing: Firing, to: str, text: str) -> Row:
    """Make the row of *firing* for the webhook *to*."""
    mine = firing.is_of_execution
    return Row(
        id=firing.id,
        to=to,
        rule=firing.rule.name,
        when=firing.rule.when,
        turn=firing.turn,
        execution_id=firing.subject if mine else None,
        workflow_id=firing.workflow_id,
        text=text[:500],
        at_ms=firing.memory.told_ms,
    )


def _duration_ms(state: ExecutionState, now_ms: int) -> float | None:
    started, ended = state.started_at, state.ended_at
    if started is None:
        return None
    until = now_ms if ended is None else _ms(ended)
    return max(0.0, until - _ms(started))


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000
