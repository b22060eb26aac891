"""The SDK's HTTP client: what it sends, which answers it reads, what it makes of the rest."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runtail.delivery.http_client import HttpAnswer, HttpClient, Place
from runtail_broker.errors import Unavailable


@asynccontextmanager
async def serving(
    *answers: Sequence[bytes], tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[HttpClient, list[bytes]]]:
    """Serve each connection its *answers*, one a request, then close it."""
    asked: list[bytes] = []
    waiting = list(answers)

    served: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            for answer in waiting.pop(0) if waiting else []:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                asked.append(head + await reader.readexactly(size))
                writer.write(answer)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    client = HttpClient(Place("localhost" if tls else "127.0.0.1", port, tls is not None, "/x"), 5)
    try:
        yield client, asked
    finally:
        await client.close()
        server.close()
        await server.wait_closed()
        await asyncio.gather(*served)


def ok(body: bytes, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


async def post(client: HttpClient, body: bytes = b"hello") -> HttpAnswer:
    return await client.post("/publish", body, {"Content-Type": "text/x"})


async def test_a_request_names_host_path_and_length() -> None:
    async with serving([ok(b"fine")]) as (client, asked):
        assert (await post(client)).body == b"fine"
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /x/publish HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Content-Length: 5\r\nContent-Type: text/x" in head
    assert body == b"hello"


async def test_a_connection_is_kept() -> None:
    async with serving([ok(b"1"), ok(b"2"), ok(b"3")]) as (client, _):
        assert [(await post(client)).body for _ in range(3)] == [b"1", b"2", b"3"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfi\r\n2;x=y\r\nne\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\nT: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"fine"),
        b"HTTP/1.1 200 OK\r\n\r\nfine",
        b"HTTP/1.0 200 OK\r\n\r\nfine",
    ],
)
async def test_every_usual_answer_is_read(answer: bytes) -> None:
    async with serving([answer]) as (client, _):
        assert (await post(client)).body == b"fine"


async def test_a_server_that_closes_is_not_asked_on_that_connection_again() -> None:
    closes = ok(b"1", b"Connection: close\r\n")
    async with serving([closes], [ok(b"2")]) as (client, asked):
        assert [(await post(client)).body for _ in range(2)] == [b"1", b"2"]
    assert len(asked) == 2


async def test_a_kept_connection_that_was_closed_is_made_anew() -> None:
    async with serving([ok(b"1")], [ok(b"2")]) as (client, _):
        assert [(await post(client)).body for _ in range(2)] == [b"1", b"2"]


async def test_a_fresh_connection_that_is_closed_is_unavailable() -> None:
    async with serving([]) as (client, asked):
        with pytest.raises(Unavailable):
            await post(client)
    assert asked == []


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200,
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"\r\n\r\n",
        b"\x00\xff\x00\r\n\r\n",
    ],
)
async def test_what_is_no_answer_is_unavailable_and_the_next_request_starts_afresh(
    answer: bytes,
) -> None:
    async with serving([answer], [ok(b"fine")]) as (client, _):
        with pytest.raises(Unavailable):
            await post(client)
        assert (await post(client)).body == b"fine"


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"x" * 11),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 11,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"6\r\nxxxxxx\r\n5\r\nxxxxx\r\n0\r\n\r\n",
    ],
)
async def test_an_answer_that_is_too_long_is_not_read(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtail.delivery.http_client.MAX_ANSWER_BYTES", 10)
    async with serving([answer]) as (client, _):
        with pytest.raises(Unavailable, match="11 bytes, expected at most 10"):
            await post(client)


async def test_a_request_that_is_cancelled_leaves_no_half_answer_behind() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
    async with serving([half, b"late"], [ok(b"fine")]) as (client, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await post(client)
        assert (await post(client)).body == b"fine"


async def test_a_silent_server_is_unavailable_after_its_time() -> None:
    async with serving([b"", b""]) as (client, _):
        client._timeout = 0.1
        with pytest.raises(Unavailable, match=r"did not answer within 0\.1 s"):
            await post(client)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://gate", Place("gate", 80, False, "")),
        ("https://gate/a/b/", Place("gate", 443, True, "/a/b")),
        ("https://[::1]:8000", Place("::1", 8000, True, "")),
    ],
)
def test_an_address_is_read(url: str, place: Place) -> None:
    assert Place.of(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "gate:8000",
        "ftp://gate",
        "http://",
        "http://a:b@gate",
        "http://gate/?q",
        "http://gate/\r\n",
        "http://gate:99999",
        "http://gäte",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - Link says which address
        Place.of(url)


@pytest.mark.parametrize(
    ("place", "host"),
    [
        (Place("gate", 443, True, ""), "gate"),
        (Place("gate", 80, False, ""), "gate"),
        (Place("gate", 443, False, ""), "gate:443"),
        (Place("::1", 8000, False, ""), "[::1]:8000"),
    ],
)
def test_a_host_is_named_with_its_port_unless_that_is_the_usual_one(
    place: Place, host: str
) -> None:
    assert place.authority == host


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost, beside its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on PATH")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *made, *named, *files], check=True, capture_output=True)
    return certificate


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.with_name("key.pem"))
    async with serving([], [ok(b"fine")], tls=tls) as (client, _):
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await post(client)
    async with serving([ok(b"fine")], tls=tls) as (client, _):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert (await post(client)).body == b"fine"
