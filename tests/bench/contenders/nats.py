"""NATS JetStream: a stream on disk, an ordered consumer for every viewer, over NATS' own protocol.

From docs.nats.io: a stream with file storage and limits retention; ordered consumers (ephemeral, no
acknowledgements, flow control, heartbeats) are what its clients make for replay and tailing; the
Python client's `publish_async` with a bound of what is pending is the documented way to publish
fast, and its future is the acknowledgement. Leaf nodes without JetStream of their own extend that
of the server they connect to: they are what several gateways are elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.contender import Engine, Make, Served
from tests.bench.processes import Child, command, packages, program, said_by
from tests.bench.records import numbered
from tests.engines import free_port
from tests.polling import until

_PENDING = 4000
_SERVER = "nats-server"


@dataclass(frozen=True, slots=True)
class Nats:
    """One server, which is store and gateway in one; or leaf nodes before one."""

    name: str = "nats"
    share: float = 1
    about: str = "NATS JetStream, file storage, an ordered consumer a viewer, over its own protocol"
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """Say what it consists of."""
        server = program(_SERVER)
        assert server is not None, "the version of what is missing"
        return f"{said_by(server, '-v').strip().replace(': v', ' ')}, {packages('nats-py')}"

    def missing(self) -> str:
        """Say whether its server and client are installed."""
        if program(_SERVER) is None:
            return "nats-server is not installed"
        try:
            import nats  # noqa: F401 - an optional dependency of the benchmark
        except ImportError:
            return "nats-py is not installed"
        return ""

    @contextmanager
    def serving(self, engine: Engine, *, gateways: int = 1, history: int = 0) -> Iterator[Served]:
        """Run a server that has the stream; more gateways than one are leaf nodes before it."""
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            inner = free_port()
            own = f'jetstream {{ store_dir: "{folder}/store", domain: hub }}\n'
            if gateways > 1:
                own += f'leafnodes {{ listen: "127.0.0.1:{inner}" }}\n'
            store, port, monitor = stack.enter_context(_server(own))
            feed = {"port": port, "folder": f"{folder}/store"}
            if gateways == 1:
                yield Served("nats", (port,), (store,), feed, store)
                return
            remote = f'leafnodes {{ remotes [{{ url: "nats-leaf://127.0.0.1:{inner}" }}] }}\n'
            leaves = [stack.enter_context(_server(remote)) for _ in range(gateways)]
            until(
                lambda: _told(monitor, "leafz").get("leafnodes") == gateways,
                "leaf nodes are connected",
                10,
            )
            ports, children = tuple(leaf[1] for leaf in leaves), tuple(leaf[0] for leaf in leaves)
            yield Served("nats", ports, children, feed, store)


CONTENDER = Nats()


class Feeder:
    """Publish asynchronously, and wait for every acknowledgement."""

    def __init__(self, port: int, folder: str, make: Make = numbered) -> None:
        self._make = make
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
                text = self._make(name, seq)
                told.append(await self._stream.publish_async(f"logs.{name}", text))
        await asyncio.gather(*told)

    async def close(self) -> None:
        await self._client.close()


@contextmanager
def _server(settings: str) -> Iterator[tuple[Child, int, int]]:
    """Run a server with *settings* beside the usual ones; yields it, its port and its monitor's.

    It chooses the ports itself: one that was free a moment ago may be taken by a viewer now.
    """
    found = program(_SERVER)
    assert found is not None, "serving what is missing"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "server.conf").write_text(
            'listen: "127.0.0.1:-1"\nhttp: "127.0.0.1:-1"\n'
            f"max_connections: 20000\nmax_pending: 64MB\n{settings}"
        )
        words = ("-c", str(folder / "server.conf"), "-l", str(folder / "log"))
        with command(found, *words, "--ports_file_dir", name) as child:
            until(
                lambda: any(f.stat().st_size for f in folder.glob("*.ports")),
                "it says its ports",
                10,
            )
            ports = json.loads(next(folder.glob("*.ports")).read_text())
            port, monitor = (
                int(ports[key][0].rpartition(":")[2]) for key in ("nats", "monitoring")
            )
            until(lambda: _told(monitor, "healthz").get("status") == "ok", "it answers", 10)
            yield child, port, monitor


def _told(monitor: int, what: str) -> dict[str, Any]:
    """Ask the monitor; nothing is what it says before it is there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{monitor}/{what}", timeout=1) as answer:
            told: dict[str, Any] = json.load(answer)
            return told
    except OSError:
        return {}
