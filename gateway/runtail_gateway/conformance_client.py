"""Ask a gateway by HTTP and WebSocket, with nothing between: what comes is what it says."""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

Message = dict[str, Any]
_SECONDS = 10.0
_END_SECONDS = 60.0  # a gateway that has just begun leaves a primary time to be replaced


class Broken(Exception):
    """A promise that was not kept; the text says what came and what was expected."""


class Unreachable(Exception):
    """The gateway does not answer, or lets nobody publish."""


def expect(found: object, wanted: object, what: str) -> None:
    """Raise Broken unless *found* is *wanted*."""
    if found != wanted:
        raise Broken(f"{what}: {found!r}, expected {wanted!r}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; *body* is what its JSON says."""

    status: int
    kind: str
    body: Any


@dataclass(slots=True)
class Run:
    """An execution of this suite's own, and what was published: lines from 0."""

    target: Target
    id: str
    publisher: str
    batch: int = 0
    said: int = 0
    cursors: list[str] = field(default_factory=list)

    def publish(self, count: int = 1, **other: object) -> Answer:
        """Publish a batch of *count* lines, which must be stored."""
        answer = self.send(self.batch + 1, self.said, count, **other)
        expect((answer.status, answer.body.get("word")), (200, "stored"), "a batch was answered")
        self.batch, self.said = self.batch + 1, self.said + count
        self.cursors.append(answer.body["cursor"])
        return answer

    def send(self, batch: int, before: int, count: int = 1, **other: object) -> Answer:
        """Send a batch with these numbers, whatever is answered."""
        lines = [{"message": f"line {before + at}"} | other for at in range(count)]
        query = f"publisher={self.publisher}&batch={batch}&before={before}"
        return self.target.ask(f"/executions/{self.id}/logs?{query}", lines)

    def finish(self) -> Answer:
        """Complete the execution."""
        told = {"publisher": self.publisher, "last_batch": self.batch, "status": "completed"}
        return self.target.ask(f"/executions/{self.id}/finish", told)

    def records(self, query: str = "") -> Message:
        """Read one page of the log."""
        answer = self.target.ask(f"/executions/{self.id}/logs?limit=1000&{query}")
        expect(answer.status, 200, "a page was answered")
        page: Message = answer.body
        return page

    def watch(self, query: str = "") -> Watching:
        """Open a WebSocket."""
        return Watching(self.target, self.id, query)


@dataclass(frozen=True, slots=True)
class Target:
    """The gateway at *url*, and the token to ask with."""

    url: str
    token: str | None = None

    def ask(self, path: str, body: object = None, **headers: str) -> Answer:
        """GET, or POST *body* as JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self.headers | headers)
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as reply:
                return _answer(reply.status, reply)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error)
        except (OSError, ValueError) as error:
            raise Unreachable(f"{self.url} does not answer: {error}") from error

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    def begin(self) -> Run:
        """Open an execution under an id that was never used."""
        run = Run(self, f"conformance-{secrets.token_hex(6)}", f"c-{secrets.token_hex(4)}")
        answer = self.ask(f"/executions/{run.id}/open", {"publisher": run.publisher})
        if answer.status in (401, 403, 404, 405):
            raise Unreachable(f"{self.url} lets nobody publish: {answer.status} {answer.body}")
        expect(
            (answer.status, answer.body.get("word")), (200, "created"), "an opening was answered"
        )
        return run


class Watching:
    """One WebSocket that watches an execution. Use as a context manager."""

    def __init__(self, target: Target, execution_id: str, query: str = "") -> None:
        self.messages: list[Message] = []
        self.close_code: int | None = None
        address = f"ws{target.url.removeprefix('http')}/ws/executions/{execution_id}/logs"
        self._opening = connect(
            f"{address}?{query}",
            additional_headers=target.headers,
            max_size=None,
            compression=None,
            proxy=None,
        )

    def __enter__(self) -> Watching:
        try:
            self._socket: ClientConnection = self._opening.__enter__()
        except (OSError, WebSocketException) as error:
            raise Unreachable(f"the gateway takes no WebSocket: {error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def records(self) -> list[Message]:
        """All records so far."""
        return [r for message in self.of("records") for r in message["records"]]

    @property
    def seqs(self) -> list[int]:
        """Their seqs."""
        return [record["seq"] for record in self.records]

    def of(self, kind: str) -> list[Message]:
        """All messages of *kind* so far."""
        return [message for message in self.messages if message["type"] == kind]

    def until(self, check: Callable[[], object], what: str, seconds: float = _SECONDS) -> None:
        """Read on until *check* holds."""
        deadline = time.monotonic() + seconds
        while not check():
            try:
                text = self._socket.recv(max(0.0, deadline - time.monotonic()))
                self.messages.append(json.loads(text))
            except ConnectionClosed as closed:
                self.close_code = closed.rcvd.code if closed.rcvd else None
                if not check():
                    raise Broken(f"closed ({self.close_code}) before {what}") from closed
            except TimeoutError as error:
                raise Broken(f"waited {seconds} s until {what}") from error

    def to_the_head(self) -> None:
        """Read until it is told `caught_up`."""
        self.until(lambda: self.of("caught_up"), "it is told caught_up")

    def to_the_close(self) -> None:
        """Read until it is closed."""
        self.until(lambda: self.close_code is not None, "it is closed", _END_SECONDS)


def _answer(status: int, reply: Any) -> Answer:
    text = reply.read()
    kind = reply.headers.get_content_type()
    try:
        return Answer(status, kind, json.loads(text) if text else None)
    except ValueError:
        return Answer(status, kind, text.decode(errors="replace"))
