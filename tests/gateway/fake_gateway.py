"""A gateway that does what a test tells it: it serves the page and speaks the viewers' protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import WSMsgType, web

from runtail_gateway.page_files import FOLDER, HEADERS, page_html

BEGAN: Final = datetime(2026, 11, 24, 3, 15, tzinfo=UTC)
MESSAGE_RECORDS: Final = 500

Json = dict[str, Any]


@dataclass(slots=True)
class Viewer:
    """One connection: what it asked to resume after, newest first, and its socket."""

    after: list[str]
    socket: web.WebSocketResponse

    async def send(self, message: Json) -> None:
        """Send *message* as it is."""
        await self.socket.send_str(orjson.dumps(message).decode())


@dataclass(slots=True)
class FakeExecution:
    """The log of one execution, and the viewers that are connected to it."""

    id: str
    status: str = "running"
    progress: int | None = None
    workflow_id: str | None = None
    records: list[Json] = field(default_factory=list)
    viewers: list[Viewer] = field(default_factory=list)
    connections: list[list[str]] = field(default_factory=list)
    refuse_with: tuple[int, str] | None = None
    ended: bool = False

    def cursor(self, seq: int | None = None) -> str:
        """Name the place after record *seq*, by default after the last."""
        seq = len(self.records) if seq is None else seq
        record_id = self.records[seq - 1]["id"] if seq else "0-0"
        return f"{record_id}:{seq}:{seq + 0xABC00000:08x}"

    def state(self) -> Json:
        """Describe the execution as `GET /executions` and `hello` do."""
        return {
            "id": self.id, "workflow_id": self.workflow_id, "status": self.status,
            "created_at": BEGAN.isoformat(), "started_at": BEGAN.isoformat(),
            "ended_at": (BEGAN + timedelta(seconds=83)).isoformat() if self.ended else None,
            "progress": self.progress, "reason": None, "epoch": "0badcafe",
            "first_seq": 1 if self.records else None, "last_seq": len(self.records) or None,
            "levels": self.levels(), "dropped": 0, "workers": {"open": 1},
        }  # fmt: skip

    def levels(self) -> dict[str, int]:
        """Count the logs by level."""
        found = [record.get("level") for record in self.records]
        return {level: found.count(level) for level in ("debug", "info", "warning", "error")}

    def make(self, message: str = "", **fields: Any) -> Json:
        """Append a record without sending it."""
        seq = len(self.records) + 1
        at = BEGAN + timedelta(milliseconds=seq)
        record: Json = {"execution_id": self.id, "timestamp": at.isoformat()}
        if fields.get("kind", "log") == "log":
            record |= {"message": message, "level": "info", "step_name": "load"}
        record |= fields | {"id": f"{1_795_490_100_000 + seq}-0", "seq": seq}
        self.records.append(record)
        if record.get("kind") == "status":
            self.status = record["status"]
        if record.get("kind") == "progress" and "name" not in record:
            self.progress = record["progress"]
        return record

    async def log(self, *messages: str, **fields: Any) -> None:
        """Append one record a message and send them together."""
        records = [self.make(message, **fields) for message in messages]
        await self.send({"type": "records", "records": records, "cursor": self.cursor()})

    async def send(self, message: Json) -> None:
        """Send *message* as it is to every viewer."""
        for viewer in list(self.viewers):
            await viewer.send(message)

    async def finish(self, status: str = "completed") -> None:
        """Append the final status and the end, tell everybody, and close."""
        self.ended = True
        await self.log("", kind="status", status=status)
        await self.log("", kind="end", status=status, totals=self.totals(1))
        for viewer in list(self.viewers):
            await self.say_end(viewer)

    async def say_end(self, viewer: Viewer) -> None:
        """Tell *viewer* the totals and send it home."""
        await viewer.send({"type": "end", "status": self.status, "totals": self.totals()})
        await viewer.socket.close(code=1000)

    def totals(self, more: int = 0) -> Json:
        """Sum up the log, and *more* records that follow."""
        last = len(self.records) + more
        return {"first": 1, "last": last, "records": last, "levels": self.levels(), "dropped": 0}

    async def cut(self) -> None:
        """Break every connection off without a word, as a dying network does."""
        for viewer in list(self.viewers):
            self.viewers.remove(viewer)
            transport = viewer.socket._req.transport if viewer.socket._req else None
            if transport:
                transport.abort()

    async def welcome(self, viewer: Viewer) -> None:
        """Say hello, and send everything after the newest cursor that *viewer* named."""
        seq = int(viewer.after[0].split(":")[1]) if viewer.after else 0
        await viewer.send({
            "type": "hello", "protocol": 1, "epoch": "0badcafe", "cursor": self.cursor(seq),
            "execution": self.state() if self.records else None,
            "first": 1 if self.records else None, "last": len(self.records) or None,
        })  # fmt: skip
        while page := self.records[seq : seq + MESSAGE_RECORDS]:
            seq = page[-1]["seq"]
            await viewer.send({"type": "records", "records": page, "cursor": self.cursor(seq)})
        if self.ended:
            await self.say_end(viewer)
        else:
            self.viewers.append(viewer)  # in the same turn as the empty page: nothing in between
            await viewer.send({"type": "caught_up", "cursor": self.cursor()})


class FakeGateway:
    """Serve the page under `prefix`, and whatever executions a test makes."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.executions: dict[str, FakeExecution] = {}
        self.app = web.Application()
        self.app.add_routes([
            web.get(f"{prefix}/monitoring", self._index),
            web.get(f"{prefix}/monitoring/executions/{{id}}", self._index),
            web.get(f"{prefix}/monitoring/{{name}}", self._asset),
            web.get(f"{prefix}/executions", self._list),
            web.get(f"{prefix}/executions/{{id}}", self._state),
            web.post(f"{prefix}/executions/{{id}}/start-streaming", self._start),
            web.get(f"{prefix}/ws/executions/{{id}}/logs", self._watch),
        ])  # fmt: skip
        self.address = ""

    def execution(self, execution_id: str) -> FakeExecution:
        """Find the execution, or make an empty one that runs."""
        return self.executions.setdefault(execution_id, FakeExecution(execution_id))

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[FakeGateway]:
        """Listen on loopback; `address` is where the page is."""
        runner = web.AppRunner(self.app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self.address = f"http://127.0.0.1:{runner.addresses[0][1]}{self.prefix}/monitoring"
            yield self
        finally:
            for execution in self.executions.values():
                await execution.cut()
            await runner.cleanup()

    async def _index(self, request: web.Request) -> web.Response:
        html = page_html("../" if "id" in request.match_info else "monitoring/")
        return web.Response(text=html, content_type="text/html", headers=HEADERS)

    async def _asset(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(FOLDER / Path(request.match_info["name"]).name, headers=HEADERS)

    async def _list(self, request: web.Request) -> web.Response:
        states = [execution.state() for execution in reversed(self.executions.values())]
        return web.json_response({"executions": states})

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self.executions[request.match_info["id"]].state())

    async def _start(self, request: web.Request) -> web.Response:
        execution = self.execution(request.match_info["id"])
        if execution.ended:
            return web.json_response({"message": "finished"}, status=409)
        execution.make(kind="status", status="running")
        return web.json_response({"execution_id": execution.id}, status=202)

    async def _watch(self, request: web.Request) -> web.WebSocketResponse:
        execution = self.execution(request.match_info["id"])
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        viewer = Viewer(request.query.getall("after", []), socket)
        execution.connections.append(viewer.after)
        if execution.refuse_with:
            code, words = execution.refuse_with
            await viewer.send({"type": "error", "code": str(code), "message": words})
            await socket.close(code=code)
            return socket
        await execution.welcome(viewer)
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        if viewer in execution.viewers:
            execution.viewers.remove(viewer)
        return socket
