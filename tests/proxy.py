"""A TCP proxy in front of an engine or of gateways that can lose answers, refuse, hold and cut."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import ParseResult, unquote, urlparse

_CHUNK = 1 << 16
_TICK_SECONDS = 0.05
_UPGRADE = re.compile(rb"\r\nupgrade: *websocket\r\n", re.IGNORECASE)
_NO_UPGRADE = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Forward to the first of *urls* that answers; `url` is where to connect instead.

    Threads, no asyncio.
    """

    def __init__(self, *urls: str) -> None:
        self._targets = [urlparse(url) for url in urls]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_TICK_SECONDS)
        self._links: list[socket.socket] = []
        self._deaf: list[socket.socket] = []
        self._heard: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._open = threading.Event()
        self._open.set()
        self.refusing = False
        self.refusing_upgrades = False
        self.idle_seconds: float | None = None  # a link that carries nothing for so long is cut
        self.answers_to_lose = 0
        self.lost = 0
        self.led = 0  # connections, and how many of them were cut as idle
        self.idle = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def lose_answers(self, count: int) -> None:
        """Cut the link in place of the next *count* answers; the engine did what was asked."""
        self.answers_to_lose = count

    def refuse(self) -> None:
        """Cut everything, and cut whoever connects."""
        self.refusing = True
        self.cut()

    def forward(self) -> None:
        """Forward again."""
        self.refusing = False
        self._open.set()

    def lead_to(self, url: str) -> None:
        """Lead new connections to another engine."""
        self._targets = [urlparse(url)]

    def swallow(self) -> None:
        """Swallow all that the connections that there are still carry, without closing them."""
        with self._lock:
            self._deaf += self._links

    def hold(self) -> None:
        """Keep answers back until `forward`."""
        self._open.clear()

    def cut(self) -> None:
        """Cut the connections that there are."""
        with self._lock:
            links, self._links, self._deaf, self._heard = self._links, [], [], {}
        for link in links:
            _close(link)

    def close(self) -> None:
        self._closing = True
        self._open.set()
        accepting, *pumps = self._threads
        accepting.join(5)  # who came just now is cut, too
        self.cut()
        for thread in pumps:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                self._cut_idle()
                continue
            if self.refusing:
                _close(client)
                continue
            try:
                engine = self._connect()
            except OSError:
                _close(client)
                continue
            client.settimeout(None)
            with self._lock:
                self._links += [client, engine]
                self._heard[client] = time.monotonic()
                self.led += 1
            for pump in (self._asks, self._answers):
                thread = threading.Thread(target=pump, args=(client, engine), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _connect(self) -> socket.socket:
        *others, last = self._targets
        for target in others:
            with suppress(OSError):
                return _connected(target)
        return _connected(last)

    def _cut_idle(self) -> None:
        """Cut, as load balancers do, what carried nothing for too long."""
        if self.idle_seconds is None:
            return
        before = time.monotonic() - self.idle_seconds
        with self._lock:
            idle = [client for client, heard in self._heard.items() if heard < before]
            for client in idle:
                del self._heard[client]
        self.idle += len(idle)
        for client in idle:
            _shut(client)  # its pump sees it, and closes both

    def _asks(self, client: socket.socket, engine: socket.socket) -> None:
        first = True
        with suppress(OSError):
            while data := client.recv(_CHUNK):
                if first and self.refusing_upgrades and _UPGRADE.search(data):
                    client.sendall(_NO_UPGRADE)
                    break
                first = False
                self._carry(client, engine, data)
        self._end(client, engine)

    def _answers(self, client: socket.socket, engine: socket.socket) -> None:
        with suppress(OSError):
            while data := engine.recv(_CHUNK):
                self._open.wait()
                if self.answers_to_lose > 0:
                    self.answers_to_lose -= 1
                    self.lost += 1
                    break
                self._carry(client, client, data)
        self._end(client, engine)

    def _carry(self, client: socket.socket, to: socket.socket, data: bytes) -> None:
        if client in self._deaf:
            return
        if client in self._heard:
            self._heard[client] = time.monotonic()
        to.sendall(data)

    def _end(self, client: socket.socket, engine: socket.socket) -> None:
        """Close both ends, but of a link that swallows: there each end is left to itself."""
        if client in self._deaf:
            return
        with self._lock:
            self._heard.pop(client, None)
        _close(client)
        _close(engine)


@contextmanager
def proxy_to(*urls: str) -> Iterator[Proxy]:
    """Run a proxy in front of the first of *urls* that answers."""
    proxy = Proxy(*urls)
    try:
        yield proxy
    finally:
        proxy.close()


def _connected(target: ParseResult) -> socket.socket:
    if target.scheme == "unix":
        link = socket.socket(socket.AF_UNIX)
        link.connect(unquote(target.path))
        return link
    return socket.create_connection((target.hostname, target.port))


def _close(link: socket.socket) -> None:
    _shut(link)
    link.close()


def _shut(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
