"""Speak HTTP byte by byte, as no well-behaved client does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.gateway.running import Running


@asynccontextmanager
async def connected(
    gateway: Running, *, read_bytes: int = 2**16
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection that reads *read_bytes* ahead at most."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=read_bytes)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest_of(reader: asyncio.StreamReader, seconds: float = 5) -> bytes:
    """All that still comes, until the gateway ends the connection."""
    try:
        return await asyncio.wait_for(reader.read(), seconds)
    except ConnectionResetError:
        return b""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as it was on the wire."""

    status: int
    head: bytes
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}


async def ask(gateway: Running, target: bytes, method: bytes = b"GET", more: bytes = b"") -> Answer:
    """Send one request for *target*, as it is, with *more* header lines; read until the end."""
    async with connected(gateway) as (reader, writer):
        writer.write(
            b"%b %b HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n%b\r\n"
            % (method, target, more)
        )
        head, _, body = (await rest_of(reader)).partition(b"\r\n\r\n")
    return Answer(int(head.split(b" ")[1]), head, body)
