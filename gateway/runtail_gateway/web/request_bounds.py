"""Refuse requests that are too long, too large or too slow, whatever endpoint they are for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from runtail_broker.errors import RuntailError
from runtail_gateway.protocol.message import plain
from runtail_gateway.protocol.problem import HeadTooLarge, TooLarge, TooSlow, UrlTooLong, answer
from runtail_gateway.settings import GatewaySettings


class RequestBounds:
    """Middleware: what is refused by its head never reaches an endpoint."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self._app, self._settings = app, settings

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass the request on, its body under watch; a connection costs nothing more."""
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        try:
            self._check_head(scope)
            if scope["type"] == "http" and self._has_body(scope):
                receive = _Body(receive, self._settings).receive
        except RuntailError as error:
            return _refuse(error, scope, receive, send)
        return self._app(scope, receive, send)

    def _check_head(self, scope: Scope) -> None:
        settings = self._settings
        url = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
        if url > settings.url_bytes:
            raise UrlTooLong(f"an address of {url} bytes, expected at most {settings.url_bytes}")
        head = url + sum(len(name) + len(value) for name, value in scope["headers"])
        if head > settings.head_bytes:
            raise HeadTooLarge(f"a head of {head} bytes, expected at most {settings.head_bytes}")

    def _has_body(self, scope: Scope) -> bool:
        """Whether a body follows; raise TooLarge if it is said to be one that is too large."""
        for name, value in scope["headers"]:
            if name == b"transfer-encoding":
                return True
            if name == b"content-length" and value.isdigit():
                length = int(value.lstrip(b"0")[:20] or 0)
                _require(length, self._settings.body_bytes)
                return bool(length)
        return False


class _Body:
    """The body of one request, which must come whole in time."""

    def __init__(self, receive: Receive, settings: GatewaySettings) -> None:
        self._receive, self._settings = receive, settings
        self._until = time.monotonic() + settings.body_seconds
        self._bytes, self._whole = 0, False

    async def receive(self) -> Message:
        """Receive; raise TooSlow or TooLarge in the endpoint that waits for it."""
        if self._whole:
            return await self._receive()
        try:
            left = self._until - time.monotonic()
            message = await asyncio.wait_for(self._receive(), max(0.0, left))
        except TimeoutError:
            seconds = self._settings.body_seconds
            raise TooSlow(f"no whole body in {seconds} s, expected it sooner") from None
        self._bytes += len(message.get("body", b""))
        _require(self._bytes, self._settings.body_bytes)
        self._whole = not message.get("more_body", False)
        return message


def _require(count: int, most: int) -> None:
    if count > most:
        raise TooLarge(f"a body of {count} bytes or more, expected at most {most}")


async def _refuse(error: RuntailError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the problem; a WebSocket is accepted first, as its client can read no other."""
    if scope["type"] == "http":
        response = await answer(Request(scope), error)
        response.headers["Connection"] = "close"
        return await response(scope, receive, send)
    socket = WebSocket(scope, receive, send)
    await socket.accept()
    refused = plain("error", {"code": "bad_request", "message": str(error)})
    await socket.send_text(refused.text)
    return await socket.close(4400, "bad_request")
