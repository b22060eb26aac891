"""Write one JSON line for each request and connection, when it is over.

A line holds no query string, no header but the user agent, and nothing of what was sent: neither
tokens nor log contents. Records written to a transport directly are not counted one by one, but
from the viewer's cursor, and their bytes from what the kernel sent.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Awaitable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtail_gateway.viewers.push import push_of

LOGGER: Final = "runtail.access"
_MOST_CHARS: Final = 200  # of what a client writes
_LINE: ContextVar[_Line | None] = ContextVar("runtail.access.line", default=None)

log = logging.getLogger(LOGGER)


def write_access_log() -> None:
    """Write the lines to stderr, as they are."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def is_logged() -> bool:
    """Whether a line is written when this request or connection is over."""
    return _LINE.get() is not None


def note_records(count: int) -> None:
    """Add *count* records that were sent over this connection, if it is logged at all."""
    line = _LINE.get()
    if line is not None:
        line.records = (line.records or 0) + count


class AccessLog:
    """Middleware: it counts what passes through ASGI, which delivering live records does not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass the request on, and log it when it is over."""
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        return self._logged(_Line(scope, receive, send))

    async def _logged(self, line: _Line) -> None:
        _LINE.set(line)
        try:
            await self._app(line.scope, line.receive, line.send)
        except BaseException as error:
            line.fail(error)
            raise
        finally:
            log.info("%s", orjson.dumps(line.fields()).decode())


class _Line:
    """What is known of one request or connection."""

    __slots__ = (
        "_begun",
        "_receive",
        "_send",
        "bytes",
        "close",
        "reason",
        "records",
        "scope",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self._begun = time.monotonic()
        self.status: int | None = None
        self.close: int | None = None
        self.reason: str | None = None
        self.bytes = 0
        self.records: int | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and self.close is None:
            self.close, self.reason = int(message.get("code") or 1005), "gone"
        elif message["type"] == "http.disconnect" and self.reason is None:
            self.reason = "gone"
        return message

    async def send(self, message: Message) -> None:
        match message["type"]:
            case "http.response.start":
                self.status = message["status"]
            case "http.response.body":
                self.bytes += len(message.get("body", b""))
                if not message.get("more_body"):
                    self.reason = "answered"
            case "websocket.send":
                self.bytes += len((message.get("text") or "").encode())
                self.bytes += len(message.get("bytes") or b"")
            case "websocket.accept":
                self.status = 101
            case "websocket.close":
                self.status = self.status or 403
                self.close = self.close or message.get("code", 1000)
                self.reason = message.get("reason") or None
        await self._send(message)

    def fail(self, error: BaseException) -> None:
        """Note what ended it; its text may hold anything, so only its kind is told."""
        self.reason = type(error).__name__
        if self.status is None and self.scope["type"] == "http":
            self.status = 500

    def fields(self) -> dict[str, Any]:
        """Spell the line; what is not known is left out."""
        client = self.scope.get("client")
        agent = Headers(scope=self.scope).get("user-agent")
        fields = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": self.scope.get("method", "WS"),
            "path": self.scope["path"][:_MOST_CHARS],
            "status": self.status,
            "close": self.close,
            "reason": self.reason,
            "seconds": round(time.monotonic() - self._begun, 3),
            "bytes": self._sent_bytes(),
            "records": self.records,
            "client": client[0] if client else None,
            "agent": agent and agent[:_MOST_CHARS],
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _sent_bytes(self) -> int:
        push = push_of(self.scope)
        return max(self.bytes, (push and push.sent_bytes()) or 0)
