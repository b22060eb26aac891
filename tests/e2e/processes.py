"""Run gateways and workers as the processes that users run; every wait here has a deadline."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from tests.engines import free_port
from tests.polling import until

START_SECONDS = 20.0
POLL_SECONDS = 0.02
_HERE = Path(__file__).parent


class Gateway:
    """One gateway process, which can be killed and started again on the same port.

    *settings* are other than the defaults: then it is not the command but `quick_gateway.py`.
    """

    def __init__(self, redis_url: str, place: Path, *options: str, **settings: float) -> None:
        self.port = free_port()
        self._log = place / f"gateway-{self.port}.log"
        self._command = [sys.executable, "-m", "runtail", "gateway"]
        if settings:
            quick = str(_HERE / "quick_gateway.py")
            self._command = [sys.executable, quick, orjson.dumps(settings).decode()]
        self._command += ["--redis-url", redis_url, "--port", str(self.port), *options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def words(self) -> str:
        """All that it wrote, in all its lives."""
        return self._log.read_text()

    def start(self) -> None:
        """Start it, and return when it is ready for viewers."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start it, without waiting."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def await_ready(self) -> None:
        """Wait until it is ready for viewers."""
        until(self._ready, f"{self.http} is ready, in {self._log}")

    def kill(self) -> None:
        """End it with SIGKILL, and reap it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, without waiting."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Wait until it has ended; return its exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def end(self) -> int:
        """End it with SIGTERM; return its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(20)

    def close(self) -> None:
        """End it if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.words
        return status_of(f"{self.http}/readyz") == 200


@contextmanager
def gateways(redis_url: str, place: Path, count: int, **settings: float) -> Iterator[list[Gateway]]:
    """Start *count* gateways on one engine; fail if one of them ever wrote a traceback."""
    started: list[Gateway] = []
    try:
        for _ in range(count):
            started.append(Gateway(redis_url, place, **settings))
            started[-1].launch()
        for gateway in started:
            gateway.await_ready()
        yield started
    finally:
        for gateway in started:
            gateway.close()
    for gateway in started:
        assert "Traceback" not in gateway.words, gateway.words


@contextmanager
def gateway_with(redis_url: str, place: Path, *options: str) -> Iterator[Gateway]:
    """Start one gateway with *options*; fail if it ever wrote a traceback."""
    gateway = Gateway(redis_url, place, *options)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.close()
    assert "Traceback" not in gateway.words, gateway.words


@contextmanager
def worker(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run `workers.py` with *arguments* in a process of its own; it is killed in the end."""
    command = [sys.executable, str(_HERE / "workers.py"), *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str]) -> str:
    """Read the next line of a worker."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the worker ended with code {process.wait(10)}"
    return line.strip()


def say(process: subprocess.Popen[str], line: str = "") -> None:
    """Write a line to a worker."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def status_of(url: str) -> int | None:
    """Say with which status *url* answers; None if nobody does."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return int(refused.code)
    except OSError:
        return None


def fetch(url: str) -> dict[str, object]:
    """Get a JSON object."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        value: dict[str, object] = orjson.loads(answer.read())
        return value
