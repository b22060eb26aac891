"""Answer `POST /executions/{execution_id}/share`: a link that lets people read one execution."""

from __future__ import annotations

import math
import time
from typing import Final
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.errors import ExecutionNotFound
from runtail_broker.executions import Executions
from runtail_broker.keys import checked
from runtail_gateway.access.access import Access
from runtail_gateway.access.auth import Scope
from runtail_gateway.access.origin import require_allowed
from runtail_gateway.access.share import PARAMETER
from runtail_gateway.protocol.number import is_number
from runtail_gateway.protocol.problem import BadRequest, Conflict
from runtail_gateway.settings import GatewaySettings

_USUAL_SECONDS: Final = 86400


class ShareEndpoint:
    """The endpoint: one instance serves all requests of a gateway."""

    def __init__(self, executions: Executions, settings: GatewaySettings, access: Access) -> None:
        self._executions, self._settings, self._access = executions, settings, access

    async def share(self, request: Request) -> Response:
        """Make a link that lives for `expires_in_seconds` (a day, unless told otherwise).

        Who may read may have one for a moment, which does not outlive their own right: a download
        is asked for by an address alone.
        """
        require_allowed(request, self._settings.allowed_origins)
        execution_id = checked(request.path_params["execution_id"])
        auth, links = self._settings.auth, self._access.links
        seconds = _seconds(
            request.query_params.get("expires_in_seconds"), auth.share_seconds if auth else math.inf
        )
        for_a_moment = auth is not None and seconds <= auth.ticket_seconds
        scope: Scope = "read" if for_a_moment else "admin"
        grant = await self._access.require(request, scope, execution_id)
        if auth is None or links is None:
            raise Conflict("nobody signs in here, so that everybody reads it without a link")
        if not links.can_sign:
            raise Conflict("no secret signs share links here, expected share_secret to be set")
        if await self._executions.state(execution_id) is None:
            raise ExecutionNotFound(execution_id)
        expires_at = int(time.time()) + seconds
        if for_a_moment:
            expires_at = int(min(expires_at, grant.expires_at))
        link = links.make(execution_id, grant.subject, expires_at)
        body = {
            "execution_id": execution_id,
            PARAMETER: link,
            "query": urlencode({PARAMETER: link}),
            "expires_at": expires_at,
        }
        return Response(orjson.dumps(body), 201, media_type="application/json")


def _seconds(text: str | None, most: float) -> int:
    if text is None:
        return int(min(_USUAL_SECONDS, most))
    if not is_number(text, most):
        raise BadRequest(
            f"expires_in_seconds is {text[:40]!r}, expected a whole number from 1 to {most:.0f}"
        )
    return int(text)
