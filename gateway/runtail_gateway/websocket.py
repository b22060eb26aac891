"""Answer `WS /ws/executions/{execution_id}/logs`: refuse, or greet and serve a viewer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect

from runtail_broker.cursor import START, Cursor, start_of
from runtail_broker.errors import (
    ExecutionNotFound,
    InvalidCursor,
    InvalidExecutionId,
    RuntailError,
)
from runtail_broker.keys import checked
from runtail_broker.proof import Bounds
from runtail_broker.state import ExecutionState
from runtail_gateway.hub import Hub
from runtail_gateway.message import PROTOCOL, Message, plain
from runtail_gateway.metrics import Metrics
from runtail_gateway.push import Push, push_of
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.shared_tail import SharedTail
from runtail_gateway.viewer import Gone, Viewer


class Refused(Exception):
    """A viewer that is not served: *close_code* tells it whether to come again."""

    def __init__(self, close_code: int, code: str, message: str) -> None:
        self.close_code, self.code, self.message = close_code, code, message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a viewer asked for: its cursors newest first, or only what is new, or the last N."""

    after: tuple[Cursor, ...]
    new_only: bool
    tail: int | None
    wait: bool

    @classmethod
    def read(cls, query: Sequence[tuple[str, str]], after_limit: int) -> Wish:
        """Read the query parameters; raise Refused for those that say nothing."""
        after = [value for name, value in query if name == "after"]
        if len(after) > after_limit:
            raise Refused(
                4400, "bad_request", f"{len(after)} after, expected at most {after_limit}"
            )
        options = dict(query)
        new_only = after == ["$"]
        try:
            cursors = () if new_only else tuple(Cursor.parse(text) for text in after)
        except InvalidCursor as error:
            raise Refused(4400, "bad_cursor", str(error)) from error
        return cls(cursors, new_only, _count(options.get("tail")), _flag(options.get("wait")))


class SocketOutlet:
    """Send to a WebSocket: by its transport when there is one to write to, else by ASGI."""

    def __init__(self, socket: WebSocket, push: Push | None, metrics: Metrics) -> None:
        self._socket, self._push, self._metrics = socket, push, metrics
        self._closed = False
        self.write: Callable[[Message], bool] = _never if push is None else push.write

    async def send(self, message: Message) -> None:
        """Send, waiting while more than the write mark waits already."""
        if self._push is not None:
            await self._push.writable()
            if not self.write(message):
                raise Gone
        else:
            await self._send_by_asgi(message)
        self._metrics.sent_bytes.inc(len(message.json))
        self._metrics.deliveries.inc(message.count)

    async def _send_by_asgi(self, message: Message) -> None:
        try:
            await self._socket.send({"type": "websocket.send", "text": message.text})
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise Gone from error

    async def close(self, code: int, reason: str) -> None:
        """Close; twice is safe."""
        if self._closed:
            return
        self._closed = True
        if self._push is not None:
            self._push.stop()
        self._metrics.closed(code)
        try:
            await self._socket.close(code, reason)
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise Gone from error


def _never(message: Message) -> bool:
    """Write nothing: the server has no transport to hand out."""
    return False


class LogSocket:
    """The endpoint: one instance serves all viewers of a gateway."""

    def __init__(self, hub: Hub, settings: GatewaySettings, metrics: Metrics) -> None:
        self._hub, self._settings, self._metrics = hub, settings, metrics
        self._viewers = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve one connection until it ends."""
        if not origin_allowed(socket, self._settings.allowed_origins):
            await socket.close(1008)  # before accept: an HTTP 403, and a page learns nothing
            return
        await socket.accept()
        outlet = SocketOutlet(socket, push_of(socket.scope), self._metrics)
        self._viewers += 1
        self._metrics.viewers.set(self._viewers)
        try:
            await self._serve(socket, outlet)
        except Refused as refused:
            await _refuse(outlet, refused)
        except RuntailError as error:
            await _refuse(outlet, Refused(4330, "unavailable", str(error)))
        except (Gone, WebSocketDisconnect):
            pass  # nobody is left to tell
        finally:
            self._viewers -= 1
            self._metrics.viewers.set(self._viewers)

    async def _serve(self, socket: WebSocket, outlet: SocketOutlet) -> None:
        if self._viewers > self._settings.viewers:
            raise Refused(4329, "too_many", f"{self._settings.viewers} viewers, the most allowed")
        try:
            execution_id = checked(socket.path_params["execution_id"])
        except InvalidExecutionId as error:
            raise Refused(4400, "bad_execution_id", str(error)) from error
        wish = Wish.read(socket.query_params.multi_items(), self._settings.after_limit)
        push = push_of(socket.scope)
        if push is not None:
            push.limit(self._settings.write_mark_bytes)
        async with self._hub.watch(execution_id) as tail:
            await self._view(socket, outlet, tail, wish)

    async def _view(
        self, socket: WebSocket, outlet: SocketOutlet, tail: SharedTail, wish: Wish
    ) -> None:
        execution_id = tail.execution_id
        state, bounds = await self._hub.executions.look(execution_id)
        if state is None and not wish.wait:
            raise Refused(4404, "not_found", str(ExecutionNotFound(execution_id)))
        cursors = await self._start(execution_id, wish, bounds)
        await outlet.send(_hello(state, bounds, cursors[0]))
        viewer = Viewer(outlet, tail, cursors, self._settings)
        viewer.start()
        try:
            await self._listen(socket, outlet, viewer)
        finally:
            await viewer.stop()

    async def _start(self, execution_id: str, wish: Wish, bounds: Bounds) -> list[Cursor]:
        if wish.after:
            return list(wish.after)
        if wish.new_only:
            return [START if bounds.epoch is None else bounds.last]
        if bounds.epoch is None:
            return [START]
        if wish.tail is not None:
            seq = max(0, bounds.last.number - wish.tail)
            return [await self._hub.reader.cursor_at(execution_id, seq)]
        return [start_of(bounds.epoch)]

    async def _listen(self, socket: WebSocket, outlet: SocketOutlet, viewer: Viewer) -> None:
        """Receive, so that pings and the close are seen, until either side has had enough."""
        receiving = asyncio.create_task(self._receive(socket, outlet))
        try:
            await asyncio.wait([receiving, viewer.done], return_when=asyncio.FIRST_COMPLETED)
        finally:
            receiving.cancel()
        if viewer.done.done():
            viewer.done.result()
        elif not receiving.cancelled():
            receiving.result()

    async def _receive(self, socket: WebSocket, outlet: SocketOutlet) -> None:
        for _ in range(self._settings.client_messages):
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                self._metrics.closed(int(message.get("code") or 1005))
                return
        raise Refused(4408, "too_many_messages", "a viewer has nothing to say here")


def origin_allowed(socket: WebSocket, allowed: tuple[str, ...]) -> bool:
    """Whether the page that opens *socket* may: no page, the gateway's own, or one named."""
    origin = socket.headers.get("origin")
    if origin is None or "*" in allowed or origin in allowed:
        return True
    return urlsplit(origin).netloc == socket.headers.get("host")


async def _refuse(outlet: SocketOutlet, refused: Refused) -> None:
    try:
        await outlet.send(plain("error", {"code": refused.code, "message": refused.message}))
        await outlet.close(refused.close_code, refused.code)
    except Gone:
        return  # it left before it could be told


def _hello(state: ExecutionState | None, bounds: Bounds, cursor: Cursor) -> Message:
    known = state is not None
    return plain(
        "hello",
        {
            "protocol": PROTOCOL,
            "epoch": state.epoch if state else None,
            "execution": state.json() if state else None,
            "cursor": str(cursor),
            "first": bounds.first_seq if known else None,
            "last": bounds.last.number if known else None,
        },
    )


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refused(4400, "bad_request", f"tail is {text[:40]!r}, expected a whole number")
    return int(text)


def _flag(text: str | None) -> bool:
    if text in (None, "false", "0"):
        return False
    if text in ("true", "1"):
        return True
    raise Refused(4400, "bad_request", f"wait is {text[:40]!r}, expected true or false")
