"""Answer `GET /alerts`: what people were alerted of, as far as the caller may read it."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import checked
from runtail_broker.state import rfc3339
from runtail_gateway.access.access import Access
from runtail_gateway.access.auth import Grant
from runtail_gateway.alerts.store import AlertStore, Row
from runtail_gateway.settings import GatewaySettings


class AlertsEndpoint:
    """The endpoint. Errors are problem+json (see protocol/problem.py)."""

    def __init__(self, nodes: Nodes, settings: GatewaySettings, access: Access) -> None:
        self._store, self._access = AlertStore(nodes), access
        self._rules = settings.alerts

    async def alerts(self, request: Request) -> Response:
        """`GET /alerts?execution_id=`: the newest first."""
        asked = request.query_params.get("execution_id")
        name = None if asked is None else checked(asked)
        grant = await self._access.require(request, "read", name)
        rows = [row for row in (await self._store.rows()).values() if _may_read(grant, row)]
        if name is not None:
            rows = [row for row in rows if row.execution_id == name]
        told = _told(sorted(rows, key=lambda row: (-row.at_ms, row.id, row.to)))
        body = {"configured": self._rules is not None, "alerts": told}
        return Response(orjson.dumps(body), media_type="application/json")


def _may_read(grant: Grant, row: Row) -> bool:
    if row.execution_id is not None:
        return grant.covers(row.execution_id, row.workflow_id)
    # of a whole workflow: who may read only some of its executions may not know
    return grant.executions is None and grant.covers("all", row.workflow_id)


def _told(rows: list[Row]) -> list[dict[str, Any]]:
    """Gather the messages of each alert: to whom it goes, and how that went."""
    by_id: dict[str, dict[str, Any]] = {}
    for row in rows:
        fresh: dict[str, Any] = {
            "id": row.id,
            "rule": row.rule,
            "when": row.when,
            "turn": row.turn,
            "at": rfc3339(row.at_ms),
            "execution_id": row.execution_id,
            "workflow_id": row.workflow_id,
            "text": row.text,
            "silenced": row.state in ("silenced", "resolved"),
            "messages": [],
        }
        alert = by_id.setdefault(row.id, fresh)
        if row.to:
            told = {"to": row.to, "state": row.state, "attempts": row.attempts}
            alert["messages"].append(told | {"trouble": row.trouble or None})
    return list(by_id.values())
