"""Answer `GET /executions/{execution_id}/steps`: what each step did, at a bounded cost."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.cursor import START, Cursor
from runtail_broker.keys import checked
from runtail_gateway.access.access import Access
from runtail_gateway.logs.log_pages import LogPages
from runtail_gateway.logs.look_through import look_through
from runtail_gateway.logs.step_statistics import StepStatistics
from runtail_gateway.protocol.absent import absent
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub


class Steps:
    """The endpoint. Errors are problem+json (see protocol/problem.py)."""

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
        statistics = StepStatistics(self._settings.steps_limit)
        most = self._settings.search_records
        looked = await look_through(self._pages, state, after, statistics.add, most)
        body = orjson.dumps(statistics.json() | looked.json())
        return Response(body, media_type="application/json")
