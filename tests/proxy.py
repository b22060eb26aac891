"""A TCP proxy in front of an engine that can lose answers, refuse, hold and cut."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import unquote, urlparse

_CHUNK = 1 << 16
_TICK_SECONDS = 0.05


class Proxy:
    """Forward to the engine at *url*; `url` is where to connect instead. Threads, no asyncio."""

    def __init__(self, url: str) -> None:
        self._target = urlparse(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_TICK_SECONDS)
        self._links: list[socket.socket] = []
        self._lock = threading.Lock()
        self._closing = False
        self._open = threading.Event()
        self._open.set()
        self.refusing = False
        self.answers_to_lose = 0
        self.lost = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}"

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
        self._target = urlparse(url)

    def hold(self) -> None:
        """Keep answers back until `forward`."""
        self._open.clear()

    def cut(self) -> None:
        """Cut the connections that there are."""
        with self._lock:
            links, self._links = self._links, []
        for link in links:
            _close(link)

    def close(self) -> None:
        self._closing = True
        self._open.set()
        self.cut()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
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
            for pump in (self._asks, self._answers):
                thread = threading.Thread(target=pump, args=(client, engine), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _connect(self) -> socket.socket:
        if self._target.scheme == "unix":
            link = socket.socket(socket.AF_UNIX)
            link.connect(unquote(self._target.path))
            return link
        return socket.create_connection((self._target.hostname, self._target.port))

    def _asks(self, client: socket.socket, engine: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(_CHUNK):
                engine.sendall(data)
        _close(client)
        _close(engine)

    def _answers(self, client: socket.socket, engine: socket.socket) -> None:
        with suppress(OSError):
            while data := engine.recv(_CHUNK):
                self._open.wait()
                if self.answers_to_lose > 0:
                    self.answers_to_lose -= 1
                    self.lost += 1
                    break
                client.sendall(data)
        _close(client)
        _close(engine)


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """Run a proxy in front of the engine at *url*."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()


def _close(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
    link.close()
