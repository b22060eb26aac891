"""NATS JetStream: a stream on disk, an ordered consumer for every viewer, over NATS' own protocol.

From docs.nats.io: a stream with file storage and limits retention; ordered consumers (ephemeral, no
acknowledgements, flow control, heartbeats) are what its clients make for replay and tailing; the
Python client's `publish_async` with a bound of what is pending is the documented way to publish
fast, and its future is the acknowledgement.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.contender import Engine, Served
from tests.bench.processes import command, free_port
from tests.bench.records import numbered
from tests.polling import until

_PENDING = 4000


@dataclass(frozen=True, slots=True)
class Nats:
    """One server, which is store and gateway in one."""

    name: str = "nats"
    share: float = 1
    about: str = "NATS JetStream, file storage, an ordered consumer a viewer, over its own protocol"
    leaves_out: Mapping[str, str] = field(
        default_factory=lambda: {"W7": "one server: store and gateway are one process"}
    )

    def missing(self) -> str:
        """Say whether its server and client are installed."""
        if program() is None:
            return "nats-server is not installed"
        try:
            import nats  # noqa: F401 - an optional dependency of the benchmark
        except ImportError:
            return "nats-py is not installed"
        return ""

    @contextmanager
    def serving(self, engine: Engine, *, gateways: int = 1, history: int = 0) -> Iterator[Served]:
        """Run the server with an empty store; the engine is not used."""
        port, monitor = free_port(), free_port()
        with tempfile.TemporaryDirectory() as folder:
            settings = Path(folder, "nats.conf")
            settings.write_text(
                f'listen: "127.0.0.1:{port}"\nhttp: "127.0.0.1:{monitor}"\n'
                f'jetstream {{ store_dir: "{folder}/store" }}\n'
                "max_connections: 20000\nmax_pending: 64MB\n"
            )
            server = program()
            assert server is not None, "serving what is missing"
            with command(server, "-c", str(settings), "-l", f"{folder}/log") as child:
                until(lambda: _answers(monitor), "nats-server answers", 10)
                feed = {"port": port, "folder": f"{folder}/store"}
                yield Served("nats", (port,), (child,), feed, child)


CONTENDER = Nats()


def program() -> str | None:
    """Find the server: beside this Python, or on PATH."""
    beside = Path(sys.executable).with_name("nats-server")
    return str(beside) if beside.exists() else shutil.which("nats-server")


class Feeder:
    """Publish asynchronously, and wait for every acknowledgement."""

    def __init__(self, port: int, folder: str) -> None:
        self._port, self._folder = port, folder

    async def open(self, executions: Sequence[str]) -> None:
        import nats
        from nats.js.api import StorageType, StreamConfig

        self._names = executions
        self._client: Any = await nats.connect(f"nats://127.0.0.1:{self._port}")
        self._stream = self._client.jetstream(publish_async_max_pending=_PENDING)
        await self._stream.add_stream(
            StreamConfig(name="logs", subjects=["logs.*"], storage=StorageType.FILE)
        )

    async def publish(self, batches: Sequence[tuple[int, int, int]]) -> None:
        told = []
        for execution, first, count in batches:
            name = self._names[execution]
            for seq in range(first, first + count):
                text = numbered(name, seq)
                told.append(await self._stream.publish_async(f"logs.{name}", text))
        await asyncio.gather(*told)

    async def close(self) -> None:
        await self._client.close()


def _answers(monitor: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{monitor}/healthz", timeout=1) as answer:
            return bool(json.load(answer)["status"] == "ok")
    except OSError:
        return False
