"""Private engines for tests: an embedded Valkey, Debian's redis-server, a cluster of one, a fake.

Each runs in a folder of its own under /tmp, listens on loopback or a socket, and ends with the test
session.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from fakeredis import FakeAsyncRedis, FakeServer
from redis.exceptions import RedisError

from runtail_broker.connections.client import Nodes
from runtail_broker.engines.engine import start_engine

START_SECONDS = 20.0
REDIS_SERVER = "redis-server"


@dataclass(frozen=True, slots=True)
class TestEngine:
    """An engine to test against: *url* of a real one, None for the fake."""

    __test__ = False

    name: str
    url: str | None

    def nodes(self) -> Nodes:
        """Make a client of its own; the fake begins empty each time."""
        if self.url is None:
            return Nodes(FakeAsyncRedis(server=FakeServer(), protocol=3, legacy_responses=False))
        return Nodes.connect(self.url)


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder with a short path: a socket must fit in it."""
    place = Path(tempfile.mkdtemp(prefix="rt-", dir="/tmp"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def embedded_engine() -> Iterator[str]:
    """Run the embedded Valkey; yield its URL. No worker on this machine finds it by itself."""
    with folder() as place, pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_STATE_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(place / "home"))
        patch.delenv("RUNTAIL_DATA", raising=False)
        with start_engine(place / "data", appendonly="no") as engine:
            patch.undo()
            yield engine.url


@contextmanager
def redis_server(*arguments: str) -> Iterator[str]:
    """Run redis-server on a socket; yield its URL."""
    with folder() as place:
        path = place / "redis.sock"
        listening = ["--port", "0", "--unixsocket", str(path)]
        with _process(place, [*listening, *arguments], f"unix://{path}") as url:
            yield url


@contextmanager
def redis_cluster(count: int = 1) -> Iterator[str]:
    """Run *count* redis-servers as a cluster without replicas; yield the URL of the first."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(_cluster_node()) for _ in range(count)]
        clients = [stack.enter_context(redis.Redis.from_url(node.url)) for node in nodes]
        for number, client in enumerate(clients):
            first, behind = (16_384 * each // count for each in (number, number + 1))
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, behind - 1)
            node = nodes[number]
            if number:
                clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
        _until(lambda: all(_is_whole(client, count) for client in clients), "the cluster is up")
        yield nodes[0].url


@dataclass(frozen=True, slots=True)
class _ClusterNode:
    """A redis-server, and its ports: for clients, and for other nodes."""

    port: int
    bus: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"


@contextmanager
def _cluster_node() -> Iterator[_ClusterNode]:
    with folder() as place:
        node = _ClusterNode(free_port(), free_port())
        cluster = ["--cluster-enabled", "yes", "--cluster-port", str(node.bus)]
        listening = ["--port", str(node.port), "--bind", "127.0.0.1"]
        with _process(place, [*listening, *cluster], node.url):
            yield node


def _is_whole(client: redis.Redis, count: int) -> bool:
    info = _cluster_info(client)
    return b"cluster_state:ok" in info and b"cluster_known_nodes:%d\r" % count in info


def require_program(name: str) -> str:
    """Find a program; without it the test is skipped, and fails where nothing may be left out."""
    path = shutil.which(name)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(f"{name} is not on PATH, and with CI=true nothing may be left out")
    if path is None:
        pytest.skip(f"{name} is not on PATH")
    return path


def free_port() -> int:
    """Name a port of loopback that nobody listens on just now."""
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        return int(link.getsockname()[1])


@contextmanager
def _process(place: Path, arguments: list[str], url: str) -> Iterator[str]:
    command = [require_program(REDIS_SERVER), *arguments, "--dir", str(place)]
    quiet = ["--save", "", "--appendonly", "no", "--logfile", str(place / "log")]
    with subprocess.Popen(command + quiet, stdout=subprocess.DEVNULL) as process:
        try:
            with redis.Redis.from_url(url) as client:
                _until(lambda: _answers(client), f"{url} answers")
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def _cluster_info(client: redis.Redis) -> bytes:
    client.set_response_callback("CLUSTER INFO", lambda answer, **_: answer)
    return bytes(client.execute_command("CLUSTER INFO"))


def _until(check: object, what: str) -> None:
    assert callable(check)
    deadline = time.monotonic() + START_SECONDS
    while not check():
        assert time.monotonic() < deadline, f"waited {START_SECONDS} s until {what}"
        time.sleep(0.01)
