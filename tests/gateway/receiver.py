"""A receiver of webhooks for tests: it keeps what came, and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

SECRET = "a secret of the receiver's"


@dataclass(frozen=True)
class Received:
    """One message, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = orjson.loads(self.body)
        return told

    @property
    def id(self) -> str:
        return self.headers["idempotency-key"]


@dataclass
class Receiver:
    """What came so far. *answers* are the next statuses; then 200. While *hung* it answers none."""

    port: int = 0
    came: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hung: threading.Event = field(default_factory=threading.Event)
    free: threading.Event = field(default_factory=threading.Event)
    body: bytes = b"ok"
    more: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=1"

    @property
    def told(self) -> list[dict[str, Any]]:
        return [each.json for each in self.came]

    @property
    def whens(self) -> list[tuple[str, str, str]]:
        """What each message is about."""
        return [(m["when"], m["turn"], m["execution_id"] or m["workflow_id"]) for m in self.told]


@contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    """Listen on loopback while the block lasts."""
    here = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            here.came.append(Received(self.path, headers, body))
            if here.hung.is_set():
                here.free.wait(30)
                return
            self.send_response(here.answers.pop(0) if here.answers else 200)
            for name, value in here.more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(here.body)))
            self.end_headers()
            self.wfile.write(here.body)

        def log_message(self, *_: object) -> None: ...

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None: ...  # a client that was killed

    with Quiet(("127.0.0.1", port), Handler) as server:
        here.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield here
        finally:
            here.free.set()
            server.shutdown()
            thread.join()
