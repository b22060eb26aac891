"""Believe named proxies about who comes, by which scheme, to which host and under which path."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from runtail_gateway.access.addresses import Networks
from runtail_gateway.settings import GatewaySettings

_HOST: Final = re.compile(r"[A-Za-z0-9._\-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~\-]+)+")
_SECURE: Final = {"http": "https", "websocket": "wss"}


class Proxies:
    """Middleware: what comes through a named proxy looks as if it had come directly."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self._app, self._prefix = app, settings.prefix
        self._trusted = Networks(settings.trusted_proxies)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass the request on; a connection costs nothing more."""
        if scope["type"] != "lifespan":
            prefix = self._prefix
            if self._trusted and self._comes_from_a_proxy(scope):
                headers = Headers(scope=scope)
                self._believe(scope, headers)
                prefix = _last(headers, "x-forwarded-prefix", _PREFIX) or prefix
            if prefix:
                _put_under(scope, prefix)
        return self._app(scope, receive, send)

    def _comes_from_a_proxy(self, scope: Scope) -> bool:
        return scope.get("client") is not None and scope["client"][0] in self._trusted

    def _believe(self, scope: Scope, headers: Headers) -> None:
        scope["client"] = self._client(scope["client"], headers)
        if (headers.get("x-forwarded-proto") or "").rpartition(",")[2].strip() == "https":
            scope["scheme"] = _SECURE[scope["type"]]
        host = _last(headers, "x-forwarded-host", _HOST)
        if host is not None:
            others = [pair for pair in scope["headers"] if pair[0] != b"host"]
            scope["headers"] = [(b"host", host.encode("ascii")), *others]

    def _client(self, peer: tuple[str, int], headers: Headers) -> tuple[str, int]:
        """Find the first address, from the nearest hop on, that is no named proxy's.

        What stands before it was written by whoever is there, and may say anything.
        """
        for text in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            try:
                peer = (str(ipaddress.ip_address(text.strip())), 0)
            except ValueError:
                return peer
            if peer[0] not in self._trusted:
                return peer
        return peer


def _last(headers: Headers, name: str, form: re.Pattern[str]) -> str | None:
    """Read what the nearest proxy wrote; None if it is not of that *form*."""
    value = headers.get(name, "").rpartition(",")[2].strip().rstrip("/")
    return value if form.fullmatch(value) else None


def _put_under(scope: Scope, prefix: str) -> None:
    """Say that the application is mounted at *prefix*, whether or not the proxy cut that off."""
    if scope["path"] != prefix and not scope["path"].startswith(prefix + "/"):
        scope["path"] = prefix + scope["path"]
        if scope.get("raw_path") is not None:
            scope["raw_path"] = prefix.encode("ascii") + scope["raw_path"]
    scope["root_path"] = prefix + scope.get("root_path", "")
