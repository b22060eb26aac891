"""Answer plain HTTP: lists, states, pages of logs, downloads, probes and metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from runtail_broker.cursor import START, Cursor
from runtail_broker.errors import ExecutionNotFound
from runtail_broker.executions import NEWEST
from runtail_broker.keys import checked
from runtail_broker.state import ExecutionState
from runtail_gateway.access.access import Access
from runtail_gateway.access.origin import require_allowed
from runtail_gateway.executions.execution_list import ExecutionFilter, listed, place_of
from runtail_gateway.logs.download import TextOf, ndjson_of, packed, pieces
from runtail_gateway.logs.log_filter import LogFilter
from runtail_gateway.logs.log_pages import LogPages
from runtail_gateway.logs.log_step import Step
from runtail_gateway.logs.page_lines import Wanted
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.protocol.absent import absent
from runtail_gateway.protocol.number import is_number
from runtail_gateway.protocol.problem import BadRequest, Conflict, Unready
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub

NDJSON = "application/x-ndjson"


class Rest:
    """The HTTP endpoints of a gateway. Errors are problem+json (see protocol/problem.py)."""

    def __init__(
        self,
        hub: Hub,
        settings: GatewaySettings,
        metrics: Metrics,
        access: Access,
        look: Callable[[], None],
    ) -> None:
        self._access, self._look = access, look
        self._hub, self._settings, self._metrics = hub, settings, metrics
        self._pages = LogPages(hub.reader)

    async def executions(self, request: Request) -> Response:
        """`GET /executions?limit=`: the newest first, those of a status, a workflow, a time."""
        grant = await self._access.require(request, "read")
        limit = _number(request, "limit", default=100, most=self._settings.list_limit)
        query = request.query_params
        chosen = ExecutionFilter.parse(
            query.getlist("status"),
            query.getlist("workflow"),
            query.get("from"),
            query.get("until"),
        )
        place = place_of(query["cursor"]) if "cursor" in query else NEWEST
        return _json(
            await listed(
                self._hub.executions,
                chosen,
                place,
                limit,
                most_looked=self._settings.list_looked,
                grant=grant,
            )
        )

    async def execution(self, request: Request) -> Response:
        """`GET /executions/{execution_id}`: its state."""
        return _json((await self._state(request)).json())

    async def logs(self, request: Request) -> Response:
        """`GET /executions/{execution_id}/logs`: one page of it.

        `after` is a cursor (or several, newest first, or `$`: what is new), `before` and `around` a
        seq; `tail` asks for the last records. Without any of them the page is the first. `level`,
        `step` and `q` choose; `context` records on both sides of each come along. A page that would
        be larger than `page_bytes` is cut, and says so.
        """
        most = self._settings.logs_limit
        before = _number(request, "before", default=0, most=2**53)
        around = _number(request, "around", default=0, most=2**53)
        tail = _number(request, "tail", default=0, most=most)
        wanted = self._wanted(request, tail or _number(request, "limit", default=1000, most=most))
        after = self._after(request)
        if around and wanted.chosen:
            raise BadRequest("around goes with no filter, expected one of them only")
        state = await self._state(request)
        if around:
            return _page(await self._pages.around(state, around, wanted))
        if before or tail:
            return _page(await self._pages.before(state, before or state.last_seq + 1, wanted))
        after = after or [(await self._hub.reader.bounds(state.id)).last]
        return _page(await self._pages.after(state.id, after, wanted))

    def _after(self, request: Request) -> list[Cursor]:
        """Read after which cursors a page begins, newest first; none for `$`, the end."""
        after = request.query_params.getlist("after") or [str(START)]
        most = self._settings.after_limit
        if len(after) > most:
            raise BadRequest(f"{len(after)} after, expected at most {most}")
        return [] if after == ["$"] else [Cursor.parse(text) for text in after]

    def _wanted(self, request: Request, limit: int) -> Wanted:
        query = request.query_params
        chosen = LogFilter.parse(query.getlist("level"), query.getlist("step"), query.get("q", ""))
        context = _number(request, "context", default=0, most=self._settings.context_limit)
        if context and not chosen:
            raise BadRequest("context goes with a filter, expected level, step or q beside it")
        most = self._settings.search_records if chosen else limit
        return Wanted(limit, most, self._settings.page_bytes, chosen, context)

    async def ndjson(self, request: Request) -> Response:
        """`GET /executions/{execution_id}/logs.ndjson`: every record that is kept, one a line."""
        return await self._download(request, "ndjson", NDJSON, ndjson_of)

    async def text(self, request: Request) -> Response:
        """`GET /executions/{execution_id}/logs.txt`: the same as people read it."""
        return await self._download(request, "txt", "text/plain; charset=utf-8", TextOf())

    async def _download(
        self, request: Request, suffix: str, media_type: str, spell: Callable[[Step], bytes]
    ) -> Response:
        state = await self._state(request)
        after = Cursor.parse(request.query_params.get("after", str(START)))
        end = (await self._hub.reader.bounds(state.id)).last
        steps = self._pages.lines(state.id, after, end.number)
        encoding, parts = packed(
            (piece async for step in steps for piece in pieces(spell(step))),
            request.headers.get("accept-encoding", ""),
        )
        shown = "inline" if "inline" in request.query_params else "attachment"
        headers = {
            "Content-Disposition": f'{shown}; filename="{state.id}.{suffix}"',
            "X-Accel-Buffering": "no",
            "Runtail-Cursor": str(end),  # known before: a download ends where the log ended
            "Vary": "Accept-Encoding",
        }
        if encoding:
            headers["Content-Encoding"] = encoding
        return StreamingResponse(parts, media_type=media_type, headers=headers)

    async def cancel(self, request: Request) -> Response:
        """`POST /executions/{execution_id}/cancel?reason=`: ask its workers to stop."""
        require_allowed(request, self._settings.allowed_origins)
        execution_id = checked(request.path_params["execution_id"])
        await self._access.require(request, "publish", execution_id)
        reason = request.query_params.get("reason", "")
        answer = await self._hub.cancel(execution_id, reason)
        match answer.word:
            case "unknown":
                raise ExecutionNotFound(execution_id)
            case "over":
                raise Conflict(f"execution {execution_id!r} is over, expected one that runs")
        again = answer.word == "already"
        return _json({"execution_id": execution_id, "cancel_requested": True, "again": again}, 202)

    async def healthz(self, _: Request) -> Response:
        """`GET /healthz`: this process answers."""
        return _json({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        """`GET /readyz`: a live link hears its own probe. Without one shard the others serve."""
        silent = self._hub.deaf_seconds()
        if silent > self._settings.probe_timeout_seconds:
            raise Unready("the engine has not answered this gateway's probe")
        return _json({"status": "ready", "probe_age_seconds": round(silent, 3)})

    async def metrics(self, request: Request) -> Response:
        """`GET /metrics`: Prometheus' text format."""
        # not by the peer's address: behind a proxy on this machine everybody comes from loopback
        await self._access.require(request, "admin")
        self._look()
        text, media_type = self._metrics.text(request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": media_type})

    async def _state(self, request: Request) -> ExecutionState:
        execution_id = checked(request.path_params["execution_id"])
        await self._access.require(request, "read", execution_id)
        state = await self._hub.executions.state(execution_id)
        if state is None:
            raise await absent(self._hub.reader, execution_id)
        return state


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _page(page: dict[str, Any]) -> Response:
    return _json(page | {"records": [orjson.Fragment(line) for line in page["records"]]})


def _number(request: Request, name: str, *, default: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not is_number(text, most):
        raise BadRequest(f"{name} is {text[:40]!r}, expected a whole number from 1 to {most}")
    return int(text)
