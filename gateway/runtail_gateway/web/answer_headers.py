"""Say with every answer what a browser may do with it: nothing that it was not meant for."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtail_gateway.settings import GatewaySettings

_POLICY: Final = "content-security-policy"
_EMBED: Final = b"embed=1"  # the page that asks to be embedded


class AnswerHeaders:
    """Middleware: an endpoint that says otherwise is left alone, but for who may frame it."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self._app = app
        self._framed_by = " ".join(["frame-ancestors 'self'", *settings.allowed_origins])
        self._embedded_by = " ".join([self._framed_by, *settings.frame_origins])

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass the request on; a WebSocket's connection costs nothing more."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope)
            await send(message)

        return self._app(scope, receive, sending)

    def _add(self, headers: MutableHeaders, scope: Scope) -> None:
        headers.setdefault("x-content-type-options", "nosniff")
        headers.setdefault("referrer-policy", "no-referrer")
        headers.setdefault("cross-origin-opener-policy", "same-origin")
        policy = headers.get(_POLICY, "default-src 'none'")
        if "frame-ancestors" not in policy:
            embeds = _EMBED in scope.get("query_string", b"").split(b"&")
            headers[_POLICY] = f"{policy}; {self._embedded_by if embeds else self._framed_by}"
