"""A gateway that does what a test tells it: it serves the page and speaks the viewers' protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
from aiohttp import WSMsgType, web
from tests.gateway.fake_execution import FakeExecution, Json, Viewer

from runtail_gateway.web.page_files import FOLDER, HEADERS, page_html


class FakeGateway:
    """Serve the page under `prefix`, and whatever executions a test makes."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.executions: dict[str, FakeExecution] = {}
        self.sockets: list[web.WebSocketResponse] = []  # all that ever were opened
        self.app = web.Application()
        one = f"{prefix}/executions/{{id}}"
        self.app.add_routes([
            web.get(f"{prefix}/monitoring", self._index),
            web.get(f"{prefix}/monitoring/executions/{{id}}", self._index),
            web.get(f"{prefix}/monitoring/{{name}}", self._asset),
            web.get(f"{prefix}/executions", self._list),
            web.get(one, self._state),
            web.get(f"{one}/logs", self._logs),
            web.get(f"{one}/steps", self._steps),
            web.post(f"{one}/start-streaming", self._start),
            web.get(f"{prefix}/ws/executions", self._serve),
        ])  # fmt: skip
        self.address = ""
        self._watching: list[web.WebSocketResponse] = []
        self._mute: set[web.WebSocketResponse] = set()

    def execution(self, execution_id: str) -> FakeExecution:
        """Find the execution, or make an empty one that runs."""
        return self.executions.setdefault(execution_id, FakeExecution(execution_id))

    async def tell_list(self, *names: str) -> None:
        """Tell whoever watches the list that these executions changed."""
        states = [self.executions[name].state() for name in names]
        for socket in list(self._watching):
            await _say(socket, {"type": "executions", "executions": states, "removed": []})

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
            await self.cut()
            await runner.cleanup()

    async def cut(self) -> None:
        """Break every socket off without a word."""
        for socket in self.sockets:
            transport = socket._req.transport if socket._req else None
            if transport:
                transport.abort()

    def fall_silent(self) -> None:
        """Answer nothing more over the sockets that are open; new ones are served."""
        self._mute.update(self.sockets)

    async def _index(self, request: web.Request) -> web.Response:
        html = page_html("../" if "id" in request.match_info else "monitoring/")
        return web.Response(text=html, content_type="text/html", headers=HEADERS)

    async def _asset(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(FOLDER / Path(request.match_info["name"]).name, headers=HEADERS)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(self._states())

    def _states(self) -> Json:
        states = [execution.state() for execution in reversed(self.executions.values())]
        return {"executions": states, "next": None}

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self.executions[request.match_info["id"]].state())

    async def _logs(self, request: web.Request) -> web.Response:
        return web.json_response(self.executions[request.match_info["id"]].page(request.query))

    async def _steps(self, request: web.Request) -> web.Response:
        return web.json_response({
            "steps": [], "outside": 0, "looked": None, "cursor": None, "more": False, "notices": [],
        })  # fmt: skip

    async def _start(self, request: web.Request) -> web.Response:
        execution = self.execution(request.match_info["id"])
        if execution.ended:
            return web.json_response({"code": "finished", "detail": "finished"}, status=409)
        execution.make(kind="status", status="running")
        await self.tell_list(execution.id)
        return web.json_response({"execution_id": execution.id}, status=202)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, protocols=("runtail.v1",))
        await socket.prepare(request)
        self.sockets.append(socket)
        viewers: dict[str, Viewer] = {}
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
            if socket not in self._mute:
                await self._obey(socket, viewers, orjson.loads(message.data))
        for viewer in viewers.values():
            self.execution(viewer.execution_id).leave(viewer)
        if socket in self._watching:
            self._watching.remove(socket)
        return socket

    async def _obey(
        self, socket: web.WebSocketResponse, viewers: dict[str, Viewer], said: Json
    ) -> None:
        match said["type"]:
            case "watch":
                self._watching.append(socket)
                await _say(socket, {"type": "watching"} | self._states())
            case "unwatch":
                self._watching.remove(socket)
                await _say(socket, {"type": "unwatched"})
            case "subscribe":
                viewer = Viewer(said["execution_id"], said.get("after", []), socket)
                viewers[viewer.execution_id] = viewer
                await self._subscribe(viewer, said)
            case "unsubscribe":
                name = said["execution_id"]
                if name in viewers:
                    self.execution(name).leave(viewers.pop(name))
                await _say(socket, {"type": "unsubscribed", "execution_id": name})

    async def _subscribe(self, viewer: Viewer, said: Json) -> None:
        execution = self.execution(viewer.execution_id)
        execution.connections.append(viewer.after)
        if execution.refuse_with:
            code, words = execution.refuse_with
            await viewer.send({"type": "error", "code": code, "message": words})
            return
        await viewer.send({"type": "subscribed"})
        await execution.welcome(viewer, said.get("tail"))


async def _say(socket: web.WebSocketResponse, message: Json) -> None:
    await socket.send_str(orjson.dumps(message).decode())
