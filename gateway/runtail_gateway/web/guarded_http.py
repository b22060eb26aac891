"""Cut the connections that bring no request, or thousands: too many, too slow, a head too large.

Nothing of this reaches the application, so it is done where bytes arrive: in a subclass of
uvicorn's HTTP protocol. That class is private, so what is needed of it is looked for and never
required; where something is missing, `guarded` returns None, and uvicorn's own is used unguarded.
"""

from __future__ import annotations

import asyncio
from typing import Any

from runtail_gateway.access.admission import Doorkeeper

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
_NEEDED = (
    "connection_made",
    "connection_lost",
    "data_received",
    "on_message_begin",
    "on_headers_complete",
    "handle_websocket_upgrade",
    "_start_asgi_task",
)


def guarded(door: Doorkeeper) -> type[asyncio.Protocol] | None:  # noqa: C901 - short overrides
    """Make a protocol class that lets in only what *door* lets in."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        return None
    if not all(hasattr(HttpToolsProtocol, name) for name in _NEEDED):
        return None
    settings = door.settings
    seconds, most_bytes, most_waiting = (
        settings.head_seconds,
        settings.head_bytes,
        settings.pipelined_requests,
    )

    class GuardedHttp(HttpToolsProtocol):
        """uvicorn's protocol, with a clock and a scale for the head of each request.

        Requests that wait for the answer to one before are bounded: uvicorn takes all that come in
        one read, and reads on after each answer. And it tells only the last of them that the
        client has gone, so that one under way before it would be served for ever.
        """

        _clock: asyncio.TimerHandle | None = None
        _in_head = _upgraded = _cut = False
        _head_bytes = 0
        _served: Any = None  # the request that is under way

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            address = self.client[0] if self.client else None
            if door.lets_in(address, len(self.connections)):
                self._start_clock()
            else:
                transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_clock()
            self.pipeline.clear()
            super().connection_lost(exc)
            if self._is_serving():
                self._served.disconnected = True
                self._served.message_event.set()

        def _start_asgi_task(self, cycle: Any, app: Any) -> None:
            self._served = cycle
            super()._start_asgi_task(cycle, app)

        def _is_serving(self) -> bool:
            return self._served is not None and not self._served.response_complete

        def _cut_pipeline(self) -> None:
            self._cut = True
            self.pipeline.clear()
            door.cut("pipelined_requests")
            self.transport.abort()

        def on_message_begin(self) -> None:
            self._in_head = True
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._in_head, self._head_bytes = False, 0
            self._stop_clock()
            if self._cut:  # the rest of what was read at once
                return
            super().on_headers_complete()
            if len(self.pipeline) > most_waiting:
                self._cut_pipeline()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._in_head:
                self._weigh(len(data))
            if self._clock is None and self._waits_for_a_head():
                self._start_clock()

        def _waits_for_a_head(self) -> bool:
            """Whether nothing but the client can go on, and uvicorn's own timer does not run."""
            if self._upgraded:
                return False
            answered = self.cycle is None or self.cycle.response_complete
            return self._in_head or (answered and self.timeout_keep_alive_task is None)

        def _weigh(self, more: int) -> None:
            self._head_bytes += more
            if self._head_bytes > most_bytes and not self.transport.is_closing():
                door.cut("head_bytes")
                self.transport.write(_TOO_LARGE)
                self.transport.close()

        def _start_clock(self) -> None:
            if not self.transport.is_closing():
                self._clock = self.loop.call_later(seconds, self._too_late)

        def _stop_clock(self) -> None:
            if self._clock is not None:
                self._clock.cancel()
                self._clock = None

        def _too_late(self) -> None:
            self._clock = None
            door.cut("head_seconds")
            self.transport.abort()

        def handle_websocket_upgrade(self) -> None:
            if self._is_serving():  # which would go on writing between the frames
                self._cut_pipeline()
                return
            self._upgraded = True
            super().handle_websocket_upgrade()
            self.parser: Any = None  # each of the two holds the other: 4 KB until somebody collects

    found: Any = GuardedHttp
    return found  # type: ignore[no-any-return]
