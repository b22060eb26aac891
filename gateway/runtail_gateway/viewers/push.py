"""Write to a viewer's transport directly, under a uvicorn that has one to write to.

uvicorn's WebSocket protocol class is private, so what is needed of it is looked for and never
required: where something is missing, `pushing` returns None, no scope carries an extension, and
every viewer pulls through ASGI's `send` instead, slower and just as correct.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from runtail_gateway.protocol.message import Message
from runtail_gateway.viewers.mailbox import Mailbox
from runtail_gateway.viewers.pings import Pings

EXTENSION = "runtail.push"
_SENT_OFFSET = 200  # of tcpi_bytes_sent in linux/tcp.h

Rest = Callable[[Receive, Send], Awaitable[None]]


class Push:
    """The right to write whole WebSocket frames to one connection, beside its protocol object.

    Between two records its memory has left the processor's caches, so a delivery costs what it
    looks at: it has slots, and is told when to stop instead of asking its protocol each time.
    """

    __slots__ = (
        "_paused",
        "_sent_bytes",
        "_stopped",
        "_transport",
        "_writable",
        "_write",
        "rest",
    )

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._write = transport.write
        self._writable: asyncio.Future[None] | None = None
        self._paused = self._stopped = False
        self._sent_bytes: int | None = None
        self.rest: Rest | None = None
        """What goes on when the application's call has returned, in the same task: what serves a
        viewer needs neither the frames of that call nor its request (8 KB)."""

    def limit(self, write_mark_bytes: int) -> None:
        """Let the transport say *pause* when more than *write_mark_bytes* wait in it."""
        self._transport.set_write_buffer_limits(write_mark_bytes, write_mark_bytes // 4)

    @property
    def closing(self) -> bool:
        """Whether a close was begun or sent, or the connection is gone."""
        return self._stopped

    def write(self, message: Message) -> bool:
        """Write one whole frame now; False if the transport is full, or was told to stop.

        Every delivery goes through here, so it calls nothing that it can do without.
        """
        if self._paused or self._stopped:
            return False
        if message.frame is not None:
            self._write(message.frame)
        else:
            self._transport.writelines((message.head, *message.parts))
        return True

    def sent_bytes(self) -> int | None:
        """How many bytes the kernel has sent so far, or had when the connection ended.

        None where it does not say. Counting them here would cost something with every delivery.
        """
        if self._sent_bytes is None:
            return _sent_bytes(self._transport)
        return self._sent_bytes

    def lost(self) -> None:
        """The connection is gone."""
        self._sent_bytes = _sent_bytes(self._transport)
        self.stop()

    def stop(self) -> None:
        """Write nothing any more: a close begins, or was sent, or the connection is gone."""
        self._stopped = True
        self.resume()

    async def writable(self) -> None:
        """Wait until the transport takes more, or is gone."""
        if self._paused and not self.closing:
            if self._writable is None or self._writable.done():  # who waited was cancelled
                self._writable = asyncio.get_running_loop().create_future()
            await self._writable

    def pause(self) -> None:
        """The transport holds more than its mark."""
        self._paused = True

    def resume(self) -> None:
        """The transport takes more again, or never will."""
        self._paused = False
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None


def _sent_bytes(transport: asyncio.Transport) -> int | None:
    """Ask Linux (4.19 or later); None for any other, and for a socket that is closed."""
    connection = transport.get_extra_info("socket")
    if connection is None or not hasattr(socket, "TCP_INFO"):
        return None
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SENT_OFFSET + 8)
    except OSError:
        return None
    return struct.unpack_from("=Q", info, _SENT_OFFSET)[0] if len(info) > _SENT_OFFSET else None


def pushing() -> type[asyncio.Protocol] | None:  # noqa: C901 - short overrides
    """Make a protocol class for the connections of one server."""
    try:
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
    except ImportError:
        return None
    needed = (
        *("handle_connect", "pause_writing", "resume_writing", "connection_lost"),
        *("schedule_ping", "send_keepalive_ping", "stop_keepalive", "shutdown"),
    )
    if not all(hasattr(WebSocketsSansIOProtocol, name) for name in needed):
        return None

    is_writable: Final = asyncio.Event()  # of all connections that are, as most are
    is_writable.set()
    pings = Pings()

    class PushProtocol(WebSocketsSansIOProtocol):
        """uvicorn's protocol, which hands its transport to the application in the scope."""

        # with more than 30 attributes in it, the dict of each instance has keys of its own: 1.2 KB
        __slots__ = (
            *("server", "client", "default_headers", "initial_response", "close_timeout"),
            *("close_timer", "ping_timer", "pong_timer", "pending_ping_payload", "ping_sent_at"),
            *("last_ping_rtt", "frames", "curr_msg_data_type"),
        )
        push: Push | None = None
        _close_sent = False

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.queue: Any = Mailbox()
            self.writable = is_writable

        async def send(self, message: Any) -> None:
            await super().send(message)
            if self.handshake_complete and self.request is not None:  # nobody asks for them again
                self.request.headers.clear()  # websockets keeps the request
                self.request = self.response = self.scope = None  # type: ignore[assignment]
                self.server = self.client = None

        @property
        def close_sent(self) -> bool:
            """What uvicorn sets when it sends a close, whoever began it."""
            return self._close_sent

        @close_sent.setter
        def close_sent(self, sent: bool) -> None:
            self._close_sent = sent
            if sent and self.push is not None:
                self.push.stop()

        def handle_connect(self, event: Any) -> None:
            super().handle_connect(event)
            if getattr(self, "scope", None) is not None:
                self.push = Push(self.transport)
                self.app = _with_rest(self.app, self.push)
                extensions: dict[str, Any] = self.scope["extensions"]
                extensions[EXTENSION] = self.push

        def pause_writing(self) -> None:
            self.writable = asyncio.Event()
            if self.push is not None:
                self.push.pause()

        def resume_writing(self) -> None:
            super().resume_writing()
            if self.push is not None:
                self.push.resume()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.push is not None:
                self.push.lost()
                self.push = None

        def schedule_ping(self) -> None:
            assert self.ping_interval is not None
            pings.add(self, self.ping_interval)

        def stop_keepalive(self) -> None:
            super().stop_keepalive()
            pings.remove(self)

        def keepalive_timeout(self) -> None:
            super().keepalive_timeout()
            # closing waits for ever until what the peer does not read has been sent
            self.transport.abort()

        def shutdown(self) -> None:
            if self.push is not None:
                self.push.stop()
            super().shutdown()

        def handle_close(self, event: Any) -> None:
            super().handle_close(event)
            if self.push is not None:
                self.push.stop()

    return PushProtocol


def _with_rest(app: ASGIApp, push: Push) -> ASGIApp:
    """Make *app* the application that goes on with what is left to do when its call returns."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        del scope
        rest, push.rest = push.rest, None
        if rest is not None:
            await rest(receive, send)

    return served


def push_of(scope: Any) -> Push | None:
    """Find what the server gave for this connection; None under any other server."""
    found = scope.get("extensions", {}).get(EXTENSION)
    return found if isinstance(found, Push) else None
