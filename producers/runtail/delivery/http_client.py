"""Post to one server over one connection that is kept: as much of HTTP/1.1 as that takes."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from runtail_broker.errors import Unavailable

MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
_MAX_HEAD_LINES: Final = 100
_LINE_BYTES: Final = 16 * 1024  # a longer line of the head is no answer
_CHUNK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gateway listens."""

    host: str
    port: int
    secure: bool
    prefix: str

    @classmethod
    def of(cls, url: str) -> Place:
        """Read `http[s]://host[:port][/prefix]`; raise ValueError, without the URL, for others."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("expected http://host:port/prefix or https://…")
        if (
            parts.query
            or parts.fragment
            or not url.isascii()
            or not url.isprintable()
            or " " in url
        ):
            raise ValueError("expected no query, and nothing that an address cannot hold")
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        return cls(parts.hostname, port, secure, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """What a request names as its host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered; the names of *headers* are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """One connection to *place*, made when it is needed; one request at a time.

    Everything raises Unavailable when the server does not answer: whether it did what was asked is
    then unknown. Use within one event loop.
    """

    def __init__(self, place: Place, timeout_seconds: float) -> None:
        self._place, self._timeout = place, timeout_seconds
        self._link: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._tls: ssl.SSLContext | None = None
        self._turn = asyncio.Lock()

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        """Post *body*; once more if a connection that was kept turns out to be closed.

        Only for what may arrive twice.
        """
        head = self._head(path, len(body), headers)
        async with self._turn:
            kept = self._link is not None
            try:
                return await self._asked(head, body)
            except _Closed as error:
                if not kept:
                    raise Unavailable(f"{self._place.authority}: {error}") from error
            try:
                return await self._asked(head, body)
            except _Closed as error:
                raise Unavailable(f"{self._place.authority}: {error}") from error

    async def close(self) -> None:
        """Close the connection, without waiting for the other side."""
        link, self._link = self._link, None
        if link is not None:
            link[1].transport.abort()
            with contextlib.suppress(OSError):
                await link[1].wait_closed()

    def _head(self, path: str, length: int, headers: Mapping[str, str]) -> bytes:
        lines = [
            f"POST {self._place.prefix}{path} HTTP/1.1",
            f"Host: {self._place.authority}",
            f"Content-Length: {length}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

    async def _asked(self, head: bytes, body: bytes) -> HttpAnswer:
        done = False
        try:
            async with self._translated():
                reader, writer = await self._connected()
                await self._send(writer, head + body)
                async with asyncio.timeout(self._timeout):
                    answer, keep = await _read_answer(reader)
            done = keep
            return answer
        finally:
            if not done:
                await self.close()  # also when this was cancelled: half an answer may lie there

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._link is None:
            place = self._place
            if place.secure and self._tls is None:
                self._tls = ssl.create_default_context()
            async with asyncio.timeout(self._timeout):
                self._link = await asyncio.open_connection(
                    place.host, place.port, ssl=self._tls, limit=_LINE_BYTES
                )
        return self._link

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Send in pieces, each in its time: a slow link is no dead one."""
        for start in range(0, len(data), _CHUNK):
            writer.write(data[start : start + _CHUNK])
            async with asyncio.timeout(self._timeout):
                await writer.drain()

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        where = self._place.authority
        try:
            yield
        except TimeoutError as error:
            raise Unavailable(f"{where} did not answer within {self._timeout} s") from error
        except ssl.SSLError as error:
            raise Unavailable(f"{where}: {error}") from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise _Closed(str(error) or type(error).__name__) from error
        except (ValueError, asyncio.LimitOverrunError) as error:
            raise Unavailable(f"{where} does not speak HTTP: {error}") from error


class _Closed(Exception):
    """The connection ended before an answer."""


async def _read_answer(reader: asyncio.StreamReader) -> tuple[HttpAnswer, bool]:
    """Read one answer; also say whether the connection may be kept."""
    while True:
        version, status, headers = await _read_head(reader)
        if status >= 200:
            break
    body = b""
    if status not in (204, 304):
        body = await _read_body(reader, headers)
    closes = headers.get("connection", "").lower() == "close" or version == "HTTP/1.0"
    has_length = "content-length" in headers or "transfer-encoding" in headers
    return HttpAnswer(status, headers, body), has_length and not closes


async def _read_head(reader: asyncio.StreamReader) -> tuple[str, int, dict[str, str]]:
    first = (await reader.readuntil(b"\r\n")).decode("latin-1")
    version, status, *_ = [*first.split(), "", ""]
    if not version.startswith("HTTP/1.") or not (status.isascii() and status.isdigit()):
        raise ValueError(f"it begins with {first[:40]!r}")
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEAD_LINES):
        line = (await reader.readuntil(b"\r\n")).decode("latin-1").strip()
        if not line:
            return version, int(status), headers
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    raise ValueError(f"its head has more than {_MAX_HEAD_LINES} lines")


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    if "content-length" in headers:
        return await reader.readexactly(_within(int(headers["content-length"])))
    body = b""
    while part := await reader.read(_CHUNK):
        body += part
        _within(len(body))
    return body


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        _within(len(body) + size)
        if size == 0:
            break
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while (await reader.readuntil(b"\r\n")).strip():
        pass  # trailers say nothing to us
    return body


def _within(size: int) -> int:
    if not 0 <= size <= MAX_ANSWER_BYTES:
        raise ValueError(f"its answer has {size} bytes, expected at most {MAX_ANSWER_BYTES}")
    return size
