"""Take a publishing request in: its body within bounds, its numbers from headers or parameters."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect, Request

from runtail_broker.acks import MEMORY, Acks
from runtail_broker.cursor import new_random
from runtail_broker.records.spoken import Bounds, Publish
from runtail_gateway.access.access import Access
from runtail_gateway.access.origin import require_allowed
from runtail_gateway.protocol.problem import BadRequest, TooLarge, TooMany
from runtail_gateway.publishing.body import expanded
from runtail_gateway.publishing.caller import PublishCaller
from runtail_gateway.publishing.publisher_name import checked_name
from runtail_gateway.settings import GatewaySettings

_MOST_DIGITS: Final = 16
_LEAST_RECORD_BYTES: Final = 1024  # a cut record needs room to say so
_TOGETHER: Final = ("publisher", "batch", "before")


def bounds_of(settings: GatewaySettings) -> Bounds:
    """Say what this gateway takes; raise ValueError for bounds that contradict each other."""
    if settings.batch_bytes * 2 > settings.publish_bytes:
        raise ValueError(
            f"batch_bytes is {settings.batch_bytes}, expected at most half of publish_bytes"
        )
    if not _LEAST_RECORD_BYTES <= settings.record_bytes <= settings.batch_bytes:
        raise ValueError(
            f"record_bytes is {settings.record_bytes}, "
            f"expected {_LEAST_RECORD_BYTES} to batch_bytes"
        )
    return Bounds(
        settings.record_bytes,
        settings.batch_records,
        settings.batch_bytes,
        settings.publish_calls,
        settings.publish_bytes,
    )


class Admission:
    """Let a bounded number of publishing requests in at once, from allowed pages."""

    def __init__(self, settings: GatewaySettings, access: Access) -> None:
        self._settings, self._access = settings, access
        self.bounds = bounds_of(settings)
        self.under_way = 0

    @asynccontextmanager
    async def admitted(self, request: Request) -> AsyncIterator[PublishCaller]:
        """Count *request* in, and find out who makes it; raise Foreign, Refused or TooMany."""
        require_allowed(request, self._settings.allowed_origins)
        grant = await self._access.require(request, "publish")
        most = self._settings.publish_requests
        if self.under_way >= most:
            raise TooMany(f"{most} publishing requests are under way, the most allowed")
        self.under_way += 1
        try:
            yield PublishCaller(grant, self._access, self._acks(request))
        finally:
            self.under_way -= 1

    def _acks(self, request: Request) -> Acks:
        text = _told(request, "acks")
        if text is None:
            return MEMORY
        try:
            return Acks.read(text[:40], self._settings.acks_seconds)
        except ValueError as error:
            raise BadRequest(str(error)) from error


def _told(request: Request, name: str) -> str | None:
    """Read a `Runtail-…` header, or the parameter of that name."""
    header = request.headers.get(f"runtail-{name}")
    return request.query_params.get(name.replace("-", "_")) if header is None else header


async def body_of(request: Request, settings: GatewaySettings) -> bytes:
    """Read and expand the body; raise TooLarge, or what `expanded` raises."""
    most = settings.publish_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:_MOST_DIGITS]) > most:
        raise TooLarge(f"body has {declared[:_MOST_DIGITS]} bytes, expected at most {most}")
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > most:
                raise TooLarge(f"body has more than {most} bytes")
    except ClientDisconnect as error:
        raise BadRequest(f"the client went away after {len(body)} bytes of the body") from error
    return expanded(bytes(body), request.headers.get("content-encoding", ""), most)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which publisher sends which batch: from `Runtail-…` headers, or parameters of that name."""

    request: Request

    def publish(self, execution_id: str) -> Publish:
        """Say what is published, without its content; no publisher if there are no numbers.

        Without a number nobody can tell a retry from a new batch.
        """
        given = [name for name in _TOGETHER if self._text(name) is not None]
        if not given:
            return Publish.unnumbered(execution_id, "", 1)
        if len(given) < len(_TOGETHER):
            raise BadRequest(f"{', '.join(given)} alone, expected publisher, batch and before")
        hole_after = None if self._text("hole-after") is None else self._number("hole-after", 0)
        return Publish(
            execution_id,
            checked_name(self._text("publisher") or ""),
            self._number("batch", 1),
            self._number("before", 0),
            self._number("random", new_random()),
            self._number("count", 0),
            hole_after,
            self._text("hole-reason") or "lost by its publisher",
            b"",
        )

    def _text(self, name: str) -> str | None:
        return _told(self.request, name)

    def _number(self, name: str, default: int) -> int:
        text = self._text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise BadRequest(f"{name} is {text[:40]!r}, expected a whole number")
        return int(text)


def own_name() -> str:
    """Make the id of the publisher that a gateway is for those who name none."""
    return f"gateway-{secrets.token_hex(6)}"
