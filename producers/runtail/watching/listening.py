"""Listen to a gateway over one WebSocket: its messages, and then why there are no more."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Generator, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.frames import Close
from websockets.sync.client import connect

from runtail.delivery.bearer import bearer
from runtail.watching.viewer import FINAL_CODES
from runtail_broker.records.frames_message import SUBPROTOCOL as FRAMES

SILENCE_SECONDS: Final = 45.0  # three beats: a link that is silent for so long is dead
_OPTIONS: Final[dict[str, Any]] = {
    "compression": None,
    "subprotocols": [FRAMES],  # a gateway that does not speak it sends JSON
    "max_size": 16 * 1024 * 1024,
    "close_timeout": 1.0,
}
_TRANSIENT: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_RAISED: Final = (WebSocketException, OSError)  # by a connection, and by the way to one


def logs_address(url: str, execution_id: str) -> str:
    """Spell the WebSocket address of an execution's log at the gateway *url* (http or https)."""
    return f"ws{url.removeprefix('http')}/ws/executions/{quote(execution_id, safe='')}/logs"


@dataclass(frozen=True, slots=True)
class Cut:
    """Why a connection is gone; *code* None: not by a close of the gateway's."""

    code: int | None
    reason: str


Message = str | bytes


def executions_address(url: str) -> str:
    """Spell the address of the socket for many executions at the gateway *url*."""
    return f"ws{url.removeprefix('http')}/ws/executions"


def listen(
    url: str,
    token: str | None = None,
    *,
    silence_seconds: float = SILENCE_SECONDS,
    say: Iterable[str] = (),
    frames: bool = True,
) -> Generator[Message | Cut]:
    """Yield the messages of one connection, then the one Cut that says why there are no more.

    *say* is sent first. Without *frames* all messages are JSON.

    What the network raises becomes a Cut; what the consumer raises does not pass through here.
    """
    try:
        options = _OPTIONS if frames else {**_OPTIONS, "subprotocols": None}
        with connect(url, additional_headers=bearer(token), **options) as link:
            for text in say:
                link.send(text)
            while True:
                yield link.recv(timeout=silence_seconds)
    except TimeoutError:
        yield _deaf(silence_seconds)
    except _RAISED as error:
        yield _cut_by(error)


async def listen_async(
    url: str, token: str | None = None, *, silence_seconds: float = SILENCE_SECONDS
) -> AsyncGenerator[Message | Cut]:
    """Do what `listen` does, for an event loop."""
    try:
        async with connect_async(url, additional_headers=bearer(token), **_OPTIONS) as link:
            while True:
                async with asyncio.timeout(silence_seconds):
                    message = await link.recv()
                yield message
    except TimeoutError:
        yield _deaf(silence_seconds)
    except _RAISED as error:
        yield _cut_by(error)


def _deaf(seconds: float) -> Cut:
    return Cut(None, f"nothing was heard for {seconds:g} s")


def _cut_by(error: Exception) -> Cut:
    match error:
        case ConnectionClosed():
            return _closed(error.rcvd)
        case InvalidStatus():
            return _refusal(error.response.status_code)
        case InvalidURI():
            return Cut(FINAL_CODES.start, str(error))
        case ssl.SSLCertVerificationError():
            told = f"its certificate is not trusted: {error.verify_message}"
            return Cut(FINAL_CODES.start, told)
    return Cut(None, (error.strerror if isinstance(error, OSError) else None) or _said(error))


def _closed(close: Close | None) -> Cut:
    if close is None:
        return Cut(None, "the connection was lost")
    return Cut(close.code, close.reason or f"closed with code {close.code}")


def _refusal(status: int) -> Cut:
    """Judge an HTTP answer: a gateway refuses after the upgrade, so a 4xx is someone else's."""
    final = 400 <= status < 500 and status not in _TRANSIENT
    return Cut(FINAL_CODES.start if final else None, f"HTTP {status} instead of a WebSocket")


def _said(error: Exception) -> str:
    return str(error) or repr(error)
