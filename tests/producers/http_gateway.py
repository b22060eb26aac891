"""Run a gateway, or something that answers like one, in a thread beside a worker's code."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import uvicorn
from tests.engines import free_port
from tests.gateway.running import as_collector_was
from tests.polling import until

from runtail_gateway.app import create_app
from runtail_gateway.serving.serve import server
from runtail_gateway.settings import GatewaySettings


class HttpGateway:
    """A gateway over the engine at *redis_url*, which can be stopped and started on its port."""

    def __init__(self, redis_url: str, settings: GatewaySettings) -> None:
        self.port = free_port()
        self._redis_url, self._settings = redis_url, settings
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **bounds: int) -> None:
        """Start it, with other *bounds* if any; return when it answers."""
        listener = socket.create_server(("127.0.0.1", self.port))
        settings = bounded(**bounds) if bounds else self._settings
        serving = self._server = server(create_app(settings, self._redis_url))
        self._thread = threading.Thread(target=serving.run, args=([listener],), daemon=True)
        self._thread.start()
        until(lambda: serving.started, "the gateway answers")
        self._listener = listener

    def stop(self) -> None:
        """Cut all connections, and whoever comes."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(15)
        assert not self._thread.is_alive()
        self._listener.close()
        self._server = None


def bounded(**bounds: int) -> GatewaySettings:
    """Make settings with other *bounds*."""
    return replace(GatewaySettings(), **bounds)  # type: ignore[arg-type]


@contextmanager
def http_gateway(redis_url: str, **bounds: int) -> Iterator[HttpGateway]:
    """Run a gateway with other *bounds* than the default ones."""
    gateway = HttpGateway(redis_url, bounded(**bounds))
    with as_collector_was():
        gateway.start()
        try:
            yield gateway
        finally:
            gateway.stop()


class Canned(HTTPServer):
    """A server that answers with *answers* in turn, the last one for ever; keeps what was asked."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Canned

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers.items())))
        answers = self.server.answers
        self.wfile.write(answers.pop(0) if len(answers) > 1 else answers[0])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def canned(*answers: bytes) -> Iterator[Canned]:
    """Run a server that gives these whole answers, head and body."""
    serving = Canned(answers)
    thread = threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        serving.shutdown()
        thread.join(5)
        serving.server_close()
