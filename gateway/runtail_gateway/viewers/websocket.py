"""Answer `WS /ws/executions/{execution_id}/logs`: refuse, or greet and serve a viewer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from runtail_broker.errors import RuntailError
from runtail_broker.records.frames_message import SUBPROTOCOL as FRAMES
from runtail_gateway.access.access import SUBPROTOCOL, Access, subprotocol_of, token_of
from runtail_gateway.access.admission import Viewers
from runtail_gateway.access.origin import origin_allowed
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.metrics.tracing import is_traced
from runtail_gateway.protocol.message import Message
from runtail_gateway.protocol.refused import Refused, refused_for
from runtail_gateway.protocol.wish import Wish, checked_id
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub
from runtail_gateway.viewers.push import Push, push_of
from runtail_gateway.viewers.refusing import refuse, tell
from runtail_gateway.viewers.session import Session
from runtail_gateway.viewers.viewer import Gone, never
from runtail_gateway.viewers.viewing import until_either, viewing
from runtail_gateway.web.access_log import is_logged


class SocketOutlet:
    """Send to a WebSocket: by its transport when there is one to write to, else by ASGI."""

    __slots__ = ("_closed", "_metrics", "_push", "_socket", "write")

    def __init__(self, socket: WebSocket, push: Push | None, metrics: Metrics) -> None:
        self._socket, self._push, self._metrics = socket, push, metrics
        self._closed = False
        self.write: Callable[[Message], bool] = never if push is None else push.write

    async def send(self, message: Message) -> None:
        """Send, waiting while more than the write mark waits already."""
        if self._push is not None:
            await self._push.writable()
            if not self.write(message):
                raise Gone
        else:
            await self._send_by_asgi(message)
        self._metrics.sent_bytes.inc(message.size)
        self._metrics.deliveries.inc(message.count)

    async def _send_by_asgi(self, message: Message) -> None:
        try:
            payload = {"bytes": message.json} if message.is_binary else {"text": message.text}
            await self._socket.send({"type": "websocket.send", **payload})
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


class FramesOutlet(SocketOutlet):
    """Send records to a program as the frames in which they are stored."""

    __slots__ = ()

    def __init__(self, socket: WebSocket, push: Push | None, metrics: Metrics) -> None:
        super().__init__(socket, push, metrics)
        if push is not None:
            self.write = lambda message: push.write(message.as_frames)

    async def send(self, message: Message) -> None:
        """Send, waiting while more than the write mark waits already."""
        await super().send(message.as_frames)


class SocketEndpoint(ABC):
    """What both WebSocket endpoints do: accept who may come, serve it, and say why it was not."""

    spoken: tuple[str, ...] = (SUBPROTOCOL,)
    """The subprotocols that it answers to, the one it likes best first."""

    def __init__(
        self,
        hub: Hub,
        settings: GatewaySettings,
        metrics: Metrics,
        viewers: Viewers,
        access: Access,
    ) -> None:
        self._hub, self._settings, self._metrics = hub, settings, metrics
        self._viewers, self._access = viewers, access

    async def serve(self, socket: WebSocket) -> None:
        """Serve one connection until it ends."""
        if not origin_allowed(socket, self._settings.allowed_origins):
            await socket.close(1008)  # before accept: an HTTP 403, and a page learns nothing
            return
        await socket.accept(subprotocol_of(socket, self.spoken))
        push = push_of(socket.scope)
        if push is None or _is_recorded():
            await self._attend(socket)
        else:
            push.rest = partial(self._go_on, socket.scope)

    def _go_on(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve a connection that was accepted, when the call that brought it has returned."""
        socket = WebSocket(scope, receive, send)
        socket.client_state = socket.application_state = WebSocketState.CONNECTED
        return self._attend(socket)

    async def _attend(self, socket: WebSocket) -> None:
        outlet = self._outlet(socket)
        try:
            with self._viewers.one(socket):
                session = await self._access.sign_in(socket, outlet.send)
                async with session.lasting(partial(tell, outlet)):
                    await self._serve(socket, outlet, session)
        except Refused as refused:
            self._metrics.refused(refused.code)
            await refuse(outlet, refused)
        except RuntailError as error:
            await refuse(outlet, refused_for(error))
        except (Gone, WebSocketDisconnect):
            pass  # nobody is left to tell

    @abstractmethod
    def _outlet(self, socket: WebSocket) -> SocketOutlet: ...
    @abstractmethod
    async def _serve(self, socket: WebSocket, outlet: SocketOutlet, session: Session) -> None: ...


def _is_recorded() -> bool:
    """Whether a line of the log or a span is made of the request when its call returns."""
    return is_logged() or is_traced()


def _forget_request(socket: WebSocket) -> None:
    """Let go of headers and query, several KB, unless they are to be told of at the end."""
    if not _is_recorded():
        socket.scope.clear()
        for name in ("_headers", "_query_params", "_url"):
            socket.__dict__.pop(name, None)


class LogSocket(SocketEndpoint):
    """The endpoint: one instance serves all viewers of a gateway."""

    spoken = (FRAMES, SUBPROTOCOL)

    def _outlet(self, socket: WebSocket) -> SocketOutlet:
        reads_frames = subprotocol_of(socket, self.spoken) == FRAMES
        outlet = FramesOutlet if reads_frames else SocketOutlet
        return outlet(socket, push_of(socket.scope), self._metrics)

    async def _serve(self, socket: WebSocket, outlet: SocketOutlet, session: Session) -> None:
        execution_id = checked_id(socket.path_params["execution_id"])
        await session.require("read", execution_id)
        wish = Wish.read(socket.query_params.multi_items(), self._settings.after_limit)
        if wish.sieve and isinstance(outlet, FramesOutlet):
            raise Refused(4400, "bad_request", f"level and step do not go with {FRAMES}")
        push = push_of(socket.scope)
        if push is not None:
            push.limit(self._settings.write_mark_bytes)
        async with viewing(self._hub, self._settings, outlet, execution_id, wish) as viewer:
            _forget_request(socket)
            await until_either(viewer, self._receive(socket, outlet, session, execution_id))

    async def _receive(
        self, socket: WebSocket, outlet: SocketOutlet, session: Session, execution_id: str
    ) -> None:
        """Receive, so that pings and the close are seen, until it leaves or has said too much.

        New tokens are taken; anything else is not listened to.
        """
        said = 0
        while said < self._settings.client_messages:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                self._metrics.closed(int(message.get("code") or 1005))
                return
            token = token_of(message)
            if token is None:
                said += 1
            else:
                await outlet.send(await session.renew(token, [execution_id]))
        raise Refused(4408, "too_many_messages", "a viewer has nothing to say here")
