"""Answer plain HTTP: lists, states, pages of logs, downloads, probes and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from runtail_broker.cursor import START, Cursor, start_of
from runtail_broker.entry import Entry
from runtail_broker.errors import ExecutionNotFound
from runtail_broker.keys import checked
from runtail_broker.proof import Continues, Diverged, Gap
from runtail_broker.splice import records_of
from runtail_broker.state import ExecutionState
from runtail_gateway.demo import DemoRuns
from runtail_gateway.hub import Hub
from runtail_gateway.message import render
from runtail_gateway.metrics import Metrics
from runtail_gateway.problem import BadRequest, Conflict, TooMany, Unready
from runtail_gateway.settings import GatewaySettings

NDJSON = "application/x-ndjson"


class Rest:
    """The HTTP endpoints of a gateway. Errors are problem+json (see problem.py)."""

    def __init__(
        self, hub: Hub, settings: GatewaySettings, metrics: Metrics, demo: DemoRuns
    ) -> None:
        self._hub, self._settings, self._metrics, self._demo = hub, settings, metrics, demo

    async def executions(self, request: Request) -> Response:
        """`GET /executions?limit=`: the newest first."""
        limit = _number(request, "limit", default=100, most=self._settings.list_limit)
        found = await self._hub.executions.newest(limit)
        return _json({"executions": [state.json() for state in found]})

    async def execution(self, request: Request) -> Response:
        """`GET /executions/{execution_id}`: its state."""
        return _json((await self._state(request)).json())

    async def logs(self, request: Request) -> Response:
        """`GET /executions/{execution_id}/logs?after=|before=|tail=&limit=`: one page.

        `after` is a cursor, `before` a seq; `tail` asks for the last records. Without any of them
        the page is the first.
        """
        state = await self._state(request)
        limit = _number(request, "limit", default=1000, most=self._settings.logs_limit)
        before = _number(request, "before", default=0, most=2**53)
        tail = _number(request, "tail", default=0, most=self._settings.logs_limit)
        if before or tail:
            return _json(await self._backwards(state, before or state.last_seq + 1, tail or limit))
        after = Cursor.parse(request.query_params.get("after", str(START)))
        return _json(await self._forwards(state.id, after, limit))

    async def ndjson(self, request: Request) -> Response:
        """`GET /executions/{execution_id}/logs.ndjson`: every record that is kept, one a line."""
        state = await self._state(request)
        after = Cursor.parse(request.query_params.get("after", str(START)))
        name = f'attachment; filename="{state.id}.ndjson"'
        return StreamingResponse(
            self._lines(state, after),
            media_type=NDJSON,
            headers={"Content-Disposition": name, "X-Accel-Buffering": "no"},
        )

    async def start_streaming(self, request: Request) -> Response:
        """`POST /executions/{execution_id}/start-streaming`: a demo run under that id."""
        execution_id = checked(request.path_params["execution_id"])
        state = await self._hub.executions.state(execution_id)
        if state is not None:
            raise Conflict(f"execution {execution_id!r} is {state.status}, expected a new id")
        if not self._demo.start(execution_id):
            raise TooMany(f"{self._settings.demo_runs} demo runs, the most allowed at once")
        return _json({"execution_id": execution_id, "status": "pending"}, status=202)

    async def healthz(self, _: Request) -> Response:
        """`GET /healthz`: this process answers."""
        return _json({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        """`GET /readyz`: the live links hear their own probes."""
        silent = self._hub.silent_seconds()
        if silent > self._settings.probe_timeout_seconds:
            raise Unready("the engine has not answered this gateway's probe")
        return _json({"status": "ready", "probe_age_seconds": round(silent, 3)})

    async def metrics(self, _: Request) -> Response:
        """`GET /metrics`: Prometheus' text format."""
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _state(self, request: Request) -> ExecutionState:
        execution_id = checked(request.path_params["execution_id"])
        state = await self._hub.executions.state(execution_id)
        if state is None:
            raise ExecutionNotFound(execution_id)
        return state

    async def _forwards(self, execution_id: str, after: Cursor, limit: int) -> dict[str, Any]:
        cursor, lines, notices = after, list[bytes](), list[dict[str, object]]()
        more = True
        while len(lines) < limit and more:
            step = await self._step(execution_id, cursor, limit - len(lines))
            notices += step.notices
            lines += step.lines
            more = step.cursor != cursor and bool(step.lines)
            cursor = step.cursor
        return {
            "records": [orjson.Fragment(line) for line in lines],
            "cursor": str(cursor),
            "notices": notices,
        }

    async def _step(self, execution_id: str, cursor: Cursor, limit: int) -> _Step:
        """Read a few frames after *cursor*, proved, and say what was found wanting."""
        verdict, bounds = await self._hub.reader.after(execution_id, cursor, entries=16)
        match verdict:
            case Continues(place, entries, skip):
                return _Step.of(place, list(entries), skip, limit, [])
            case Gap(entries=entries):
                notice: dict[str, object] = {
                    "type": "gap",
                    "after_seq": verdict.after_seq,
                    "before_seq": verdict.before_seq,
                    "lost": verdict.lost,
                    "proved": verdict.proved,
                }
                return _Step.of(bounds.last, list(entries), 0, limit, [notice])
            case Diverged(reason):
                start = start_of(bounds.epoch or 0)
                reset: dict[str, object] = {"type": "reset", "reason": reason, "cursor": str(start)}
                step = await self._step(execution_id, start, limit)
                step.notices.insert(0, reset)
                return step

    async def _backwards(self, state: ExecutionState, before: int, limit: int) -> dict[str, Any]:
        lines: list[bytes] = []
        before = first = min(before, state.last_seq + 1)
        while len(lines) < limit:
            entries = await self._hub.reader.before(state.id, first, entries=16)
            if not entries or entries[0].seq >= first:
                break  # nothing before it is kept
            found = [line for entry in entries for line in records_of(render(entry))]
            lines = found[: first - entries[0].seq] + lines
            first = entries[0].seq
        lines = lines[-limit:]
        first_seq = before - len(lines)
        return {
            "records": [orjson.Fragment(line) for line in lines],
            "before": first_seq if lines and first_seq > state.first_seq else None,
            "notices": [],
        }

    async def _lines(self, state: ExecutionState, after: Cursor) -> AsyncIterator[bytes]:
        """Stream what is kept now, up to the seq that was the last when it was asked for."""
        cursor, last = after, state.last_seq
        while cursor.number < last:
            step = await self._step(state.id, cursor, limit=1_000_000)
            for notice in step.notices:
                yield orjson.dumps({"kind": notice["type"], **notice}) + b"\n"
            if not step.lines:
                return
            yield b"\n".join(step.lines) + b"\n"
            cursor = step.cursor


class _Step:
    """Some records after a cursor, and the cursor after them."""

    def __init__(
        self, cursor: Cursor, lines: list[bytes], notices: list[dict[str, object]]
    ) -> None:
        self.cursor, self.lines, self.notices = cursor, lines, notices

    @classmethod
    def of(
        cls,
        cursor: Cursor,
        entries: list[Entry],
        skip: int,
        limit: int,
        notices: list[dict[str, object]],
    ) -> _Step:
        lines: list[bytes] = []
        for entry in entries:
            found = records_of(render(entry))[skip:][: limit - len(lines)]
            lines += found
            cursor = entry.cursor_at(entry.seq + skip + len(found) - 1) if found else cursor
            skip = 0
        return cls(cursor, lines, notices)


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def _number(request: Request, name: str, *, default: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:20]) <= most):
        raise BadRequest(f"{name} is {text[:40]!r}, expected a whole number from 1 to {most}")
    return int(text)
