"""Decide whose pages may act here: a browser says on whose behalf it comes."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from runtail_gateway.protocol.problem import Foreign


def origin_allowed(connection: HTTPConnection, allowed: tuple[str, ...]) -> bool:
    """Whether the page that makes *connection* may: no page, the gateway's own, or one named."""
    origin = connection.headers.get("origin")
    if origin is None or "*" in allowed or origin in allowed:
        return True
    return urlsplit(origin).netloc == connection.headers.get("host")


def require_allowed(connection: HTTPConnection, allowed: tuple[str, ...]) -> None:
    """Raise Foreign if the page that makes *connection* may not."""
    if not origin_allowed(connection, allowed):
        origin = connection.headers["origin"]
        raise Foreign(f"the page comes from {origin!r}, expected this gateway's own")
