"""Answer `GET /executions/{execution_id}/events`: the viewer's messages as Server-Sent Events.

An event's `data` is the message in JSON, a record a line; its `id` is the cursor after it, which a
browser sends back as `Last-Event-ID`. A client that has everything is answered 204, which is how a
browser learns that it need not come again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.types import Message as AsgiMessage
from starlette.types import Receive, Scope, Send

from runtail_broker.cursor import Cursor
from runtail_broker.errors import RuntailError
from runtail_gateway.access.access import Access
from runtail_gateway.access.admission import Viewers
from runtail_gateway.access.origin import require_allowed
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.protocol.message import Message
from runtail_gateway.protocol.problem import answer, problem
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.protocol.wish import Wish, checked_id
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub
from runtail_gateway.viewers.refusing import refuse
from runtail_gateway.viewers.viewer import Gone, never
from runtail_gateway.viewers.viewing import until_either, viewing

_RETRY_MS: Final = 2000
_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)


class EventOutlet:
    """Send messages as events; the response begins with the first one."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]], metrics: Metrics) -> None:
        self._send, self._headers, self._metrics = send, headers, metrics
        self.begun = False
        self.write: Callable[[Message], bool] = never

    async def send(self, message: Message, place: str = "") -> None:
        """Send *message* as one event; waits while more than the server's mark waits already.

        *place* is the event's id, if that is more than the message's own cursor.
        """
        if not self.begun:
            self.begun = True
            start = {"type": "http.response.start", "status": 200, "headers": self._headers}
            await self._asgi(start)
            await self._asgi(_body(b"retry: %d\n\n" % _RETRY_MS))
        await self._asgi(_body(event_of(message, place)))
        self._metrics.sent_bytes.inc(message.size)
        self._metrics.deliveries.inc(message.count)

    async def close(self, code: int, reason: str) -> None:
        """End the response."""
        self._metrics.closed(code)
        await self._asgi({"type": "http.response.body", "body": b"", "more_body": False})

    async def _asgi(self, message: AsgiMessage) -> None:
        try:
            await self._send(message)
        except (RuntimeError, OSError) as error:
            raise Gone from error


def event_of(message: Message, place: str = "") -> bytes:
    """Spell *message* as an event, a beat as one that `onmessage` does not see."""
    place = place or str(message.cursor or "")
    head = b"id: %b\n" % place.encode() if message.cursor is not None else b""
    if is_beat(message):
        head = b": beat\nevent: beat\n"  # a viewer that is behind must not be moved by it
    return b"%bdata: %b\n\n" % (head, message.json.replace(b"\n", b"\ndata: "))


def is_beat(message: Message) -> bool:
    """Whether *message* has a cursor and leads nowhere."""
    return message.cursor is not None and message.before == message.cursor


class EventStream:
    """The endpoint: an ASGI application."""

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request until it ends."""
        request = Request(scope, receive)
        outlet = EventOutlet(send, self._headers(request), self._metrics)
        try:
            with self._viewers.one(request):
                await self._serve(request, outlet)
        except Refused as refused:
            if refused.close_code != 1000:  # who has everything already is not refused
                self._metrics.refused(refused.code)
            if outlet.begun:
                return await refuse(outlet, refused)
            response = problem(refused.status, refused.code, refused.message)
            await response(scope, receive, send)
        except RuntailError as error:
            if not outlet.begun:
                await (await answer(request, error))(scope, receive, send)
        except Gone:
            pass  # nobody is left to tell
        return None

    async def _serve(self, request: Request, outlet: EventOutlet) -> None:
        require_allowed(request, self._settings.allowed_origins)
        execution_id = checked_id(request.path_params["execution_id"])
        grant = await self._access.require(request, "read", execution_id)
        async with self._access.session(request, grant).lasting():
            await self._view(request, outlet, execution_id)

    async def _view(self, request: Request, outlet: EventOutlet, execution_id: str) -> None:
        query = request.query_params.multi_items()
        last = request.headers.get("last-event-id")
        if last:  # newer than what the page's address says, which is where it began
            query = [("after", last), *(pair for pair in query if pair != ("after", "$"))]
        wish = Wish.read(query, self._settings.after_limit + bool(last))
        if last and await self._has_all(execution_id, wish.after):
            raise Refused(1000, "ended", "everything was delivered", 204)
        async with viewing(self._hub, self._settings, outlet, execution_id, wish) as viewer:
            await until_either(viewer, disconnected(request))

    async def _has_all(self, execution_id: str, after: tuple[Cursor, ...]) -> bool:
        state, bounds = await self._hub.executions.look(execution_id)
        return state is not None and state.ended and after[0] == bounds.last

    def _headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        origin = request.headers.get("origin")
        if origin is None:
            return [*_HEADERS]
        # only reached by origins that are allowed
        return [
            *_HEADERS,
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"vary", b"origin"),
        ]


async def disconnected(request: Request) -> None:
    """Wait until the client has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _body(data: bytes) -> AsgiMessage:
    return {"type": "http.response.body", "body": data, "more_body": True}
