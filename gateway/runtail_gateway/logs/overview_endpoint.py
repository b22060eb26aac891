"""Answer `GET /executions/{execution_id}/overview`: what a page shows first, without the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.cursor import START, Cursor
from runtail_broker.keys import checked
from runtail_broker.records.rendering import render
from runtail_broker.records.splice import records_of
from runtail_broker.state import ExecutionState
from runtail_gateway.access.access import Access
from runtail_gateway.logs.log_pages import LogPages
from runtail_gateway.logs.look_through import look_through
from runtail_gateway.logs.overview import Overview, OverviewBounds
from runtail_gateway.protocol.absent import absent
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub


class OverviewEndpoint:
    """The endpoint. Errors are problem+json (see protocol/problem.py)."""

    def __init__(self, hub: Hub, settings: GatewaySettings, access: Access) -> None:
        self._hub, self._settings, self._access = hub, settings, access
        self._pages = LogPages(hub.reader)
        self._bounds = OverviewBounds(
            settings.steps_limit,
            settings.overview_runs,
            settings.overview_items,
            settings.overview_samples,
        )

    async def overview(self, request: Request) -> Response:
        """`GET /executions/{execution_id}/overview?after=`: of the records after that cursor."""
        execution_id = checked(request.path_params["execution_id"])
        await self._access.require(request, "read", execution_id)
        after = Cursor.parse(request.query_params.get("after", str(START)))
        state = await self._hub.executions.state(execution_id)
        if state is None:
            raise await absent(self._hub.reader, execution_id)
        overview, most = Overview(self._bounds), self._settings.search_records
        looked = await look_through(self._pages, state, after, overview.add, most)
        if looked.more or overview.last_error is None:  # it may lie beyond what was looked at
            overview.last_error = await self._last_error(state) or overview.last_error
        return Response(
            orjson.dumps(overview.json() | looked.json()), media_type="application/json"
        )

    async def _last_error(self, state: ExecutionState) -> Mapping[str, Any] | None:
        """Read the record that the state names; None if it names none, or it is gone."""
        if state.last_error is None:
            return None
        seq = state.last_error.seq
        holder = await self._hub.reader.find(state.id, seq)
        if holder is None or holder.seq > seq:
            return None
        record: dict[str, Any] = orjson.loads(records_of(render(holder))[seq - holder.seq])
        return record
