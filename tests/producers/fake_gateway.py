"""A gateway that says what a script tells it to: one list of steps a connection."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

EPOCH = "0000e90c"


@dataclass(frozen=True)
class Close:
    """Close the connection with *code*."""

    code: int
    reason: str = ""


class Cut:
    """Break the connection without a close."""


class Hold:
    """Say nothing until the client goes."""


Step = dict[str, Any] | str | Close | Cut | Hold | threading.Event


def cursor(seq: int, tag: int = 7) -> str:
    """Spell the cursor after line *seq*."""
    return f"1700000000000-{seq}:{seq}:{tag:08x}" if seq else f"0-0:0:{EPOCH}"


def hello(seq: int = 0, **more: Any) -> dict[str, Any]:
    """Greet a viewer that begins after line *seq*."""
    state = {"id": "run-1", "status": "running"}
    greeting = {"type": "hello", "protocol": 1, "epoch": EPOCH, "execution": state}
    return greeting | {"cursor": cursor(seq), "first": 1, "last": None} | more


def log(seq: int, message: str = "", **more: Any) -> dict[str, Any]:
    """Make a log record."""
    record: dict[str, Any] = {"execution_id": "run-1", "level": "info", "step_name": "extract"}
    record |= {"message": message or f"line {seq}", "timestamp": "2026-11-24T12:00:00.250Z"}
    return record | {"id": f"1700000000000-{seq}", "seq": seq} | more


def records(*items: dict[str, Any], tag: int = 7) -> dict[str, Any]:
    """Make a message of *items*, with the cursor after the last one."""
    return {"type": "records", "records": list(items), "cursor": cursor(items[-1]["seq"], tag)}


def end(last: int, status: str = "completed") -> dict[str, Any]:
    """End the execution after line *last*."""
    totals = {"first": 1, "last": last, "records": last, "levels": {}, "dropped": 0, "bytes": 1}
    return {"type": "end", "status": status, "totals": totals}


def beat(seq: int, **workers: int) -> dict[str, Any]:
    """Say that all up to line *seq* was sent."""
    return {"type": "beat", "cursor": cursor(seq), "quiet_ms": 0, "workers": workers}


def reset(seq: int) -> dict[str, Any]:
    """Take back what was sent after line *seq*."""
    return {"type": "reset", "cursor": cursor(seq, tag=9), "reason": "failover"}


def gap(after: int | None, before: int, lost: int | None) -> dict[str, Any]:
    """Say that the lines between *after* and *before* are gone."""
    between = {"after_seq": after, "before_seq": before, "lost": lost, "proved": True}
    return {"type": "gap", "cursor": cursor(before - 1), "reason": "trimmed", **between}


class FakeGateway:
    """Serve *script* on a free port; past its last connection every viewer is refused.

    `queries` holds what each connection asked for, `tokens` what each request signed in with. GET
    /executions answers *listing*.
    """

    def __init__(self, *script: list[Step], listing: object = None, port: int = 0) -> None:
        self._script = list(script)
        self._listing = listing if isinstance(listing, bytes) else json.dumps(listing).encode()
        self._port = port
        self._server: Server | None = None
        self.queries: list[dict[str, list[str]]] = []
        self.tokens: list[str | None] = []
        self.url = ""

    def __enter__(self) -> FakeGateway:
        self._server = serve(
            self._converse, "127.0.0.1", self._port, process_request=self._answer, close_timeout=1
        )
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._thread.join()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        self.tokens.append(request.headers.get("Authorization"))
        if path == "/moved/executions":
            answer = connection.respond(HTTPStatus.FOUND, "")
            answer.headers["Location"] = f"{self.url}/executions"
            return answer
        if path == "/executions":
            return connection.respond(HTTPStatus.OK, self._listing.decode())
        if path != "/ws/executions/run-1/logs":
            return connection.respond(HTTPStatus.NOT_FOUND, "nothing here")
        return None

    def _converse(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.queries.append(parse_qs(urlsplit(connection.request.path).query))
        steps = self._script.pop(0) if self._script else [Close(4400, "the script is over")]
        with suppress(ConnectionClosed):
            for step in steps:
                _perform(connection, step)


def _perform(connection: ServerConnection, step: Step) -> None:
    match step:
        case str():
            connection.send(step)
        case dict():
            connection.send(json.dumps(step))
        case Close(code, reason):
            connection.close(code, reason)
        case Cut():
            connection.socket.shutdown(socket.SHUT_RDWR)
        case threading.Event():
            step.wait(10)
        case Hold():
            connection.recv()
