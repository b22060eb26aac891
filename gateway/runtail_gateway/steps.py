"""Answer `GET /executions/{execution_id}/steps`: what each step did, at a bounded cost."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.cursor import START, Cursor
from runtail_broker.keys import checked
from runtail_broker.state import ExecutionState
from runtail_gateway.absent import absent
from runtail_gateway.access import Access
from runtail_gateway.hub import Hub
from runtail_gateway.log_pages import LogPages
from runtail_gateway.log_step import Step
from runtail_gateway.portion import Portion
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.step_statistics import StepStatistics


class Steps:
    """The endpoint. Errors are problem+json (see problem.py)."""

    def __init__(self, hub: Hub, settings: GatewaySettings, access: Access) -> None:
        self._hub, self._settings, self._access = hub, settings, access
        self._pages = LogPages(hub.reader)

    async def steps(self, request: Request) -> Response:
        """`GET /executions/{execution_id}/steps?after=`: of the records after that cursor."""
        execution_id = checked(request.path_params["execution_id"])
        await self._access.require(request, "read", execution_id)
        after = Cursor.parse(request.query_params.get("after", str(START)))
        state = await self._hub.executions.state(execution_id)
        if state is None:
            raise await absent(self._hub.reader, execution_id)
        answer = orjson.dumps(await self._summed_up(state, after))
        return Response(answer, media_type="application/json")

    async def _summed_up(self, state: ExecutionState, cursor: Cursor) -> dict[str, Any]:
        """Look at no more records than a search does; `more` says if some are left."""
        statistics, portion = StepStatistics(self._settings.steps_limit), Portion()
        notices: list[dict[str, object]] = []
        first_seq, looked, full = 0, 0, False
        while not full and looked < self._settings.search_records:
            room = self._settings.search_records - looked
            step = await self._pages.step(state.id, [cursor], room, portion)
            notices += step.notices
            if not step.lines:
                cursor = step.cursor
                break
            first_seq = first_seq or step.first_seq
            count = _add(statistics, step)
            looked, full = looked + count, count < len(step.lines)
            cursor = step.cursor_at(count) if full and count else cursor if full else step.cursor
            await asyncio.sleep(0)  # lets the viewers through
        return statistics.json() | {
            "looked": {"first_seq": first_seq, "last_seq": cursor.number} if looked else None,
            "cursor": str(cursor),
            "more": cursor.number < state.last_seq,
            "notices": notices,
        }


def _add(statistics: StepStatistics, step: Step) -> int:
    """Add the lines of *step* up to the first that has no room; return how many."""
    for count, line in enumerate(step.lines):
        record = orjson.loads(line)
        if not statistics.add(record):
            return count
    return len(step.lines)
