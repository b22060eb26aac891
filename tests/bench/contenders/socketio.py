"""Socket.IO with its Redis Streams adapter: a room for every execution, recovery of sessions on.

From socket.io/docs/v4: `socket.io` with `createAdapter(redisClient)` of
`@socket.io/redis-streams-adapter`, the connection state recovery that the adapter supports, the
WebSocket transport alone. A worker is a server that listens to nobody and emits into the room, as
the adapter makes possible. What the stream holds can only be read by a session that was cut off.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from redis.asyncio import Redis
from tests.bench.contender import Engine, Make, Served
from tests.bench.processes import command, said_by
from tests.bench.records import numbered

_HERE = Path(__file__).parent / "socketio_node"


@dataclass(frozen=True, slots=True)
class SocketIO:
    """Node servers that share a stream."""

    name: str = "socketio"
    share: float = 1
    about: str = "Socket.IO, `@socket.io/redis-streams-adapter`, a room an execution, recovery on"
    leaves_out: Mapping[str, str] = field(
        default_factory=lambda: dict.fromkeys(
            ("W4", "W4.20"), "it replays to sessions that were cut off, to nobody else"
        )
    )
    remarks: Mapping[str, str] = field(
        default_factory=lambda: {
            "W5": "its adapter keeps about the last 10,000 entries of the stream",
            "W7": "a server stores a viewer's session when it sees the connection end; one that is "
            "killed stores none, so its viewers begin anew with what is new",
        }
    )

    def version(self) -> str:
        """Say what it consists of."""
        names = json.loads((_HERE / "package.json").read_text())["dependencies"]
        found = (_HERE / "node_modules" / name / "package.json" for name in names)
        numbers = [json.loads(file.read_text())["version"] for file in found]
        each = [f"{name} {number}" for name, number in zip(names, numbers, strict=True)]
        return ", ".join([*each, f"Node {said_by('node', '-v').strip()}"])

    def missing(self) -> str:
        """Say what is not installed."""
        if shutil.which("node") is None:
            return "there is no Node"
        return "" if (_HERE / "node_modules").is_dir() else "its packages are not installed"

    @contextmanager
    def serving(self, engine: Engine, *, gateways: int = 1, history: int = 0) -> Iterator[Served]:
        """Run servers on the engine."""
        with ExitStack() as stack:
            words = ("node", str(_HERE / "server.mjs"), engine.url)
            children = [stack.enter_context(command(*words)) for _ in range(gateways)]
            ports = tuple(child.ports()[0] for child in children)
            yield Served("socketio", ports, tuple(children), {"url": engine.url})


CONTENDER = SocketIO()


class Feeder:
    """Hand records to a Node process that emits them; wait until the stream has taken them."""

    def __init__(self, url: str, make: Make = numbered) -> None:
        self._make = make
        self._url = url

    async def open(self, executions: Sequence[str]) -> None:
        self._names = executions
        self._redis: Redis = Redis.from_url(self._url)
        self._worker = await asyncio.create_subprocess_exec(
            "node",
            str(_HERE / "worker.mjs"),
            self._url,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await self._answered()

    async def publish(self, batches: Sequence[tuple[int, int, int]]) -> None:
        assert self._worker.stdin is not None
        for execution, first, count in batches:
            name = self._names[execution]
            records = b",".join(self._make(name, seq) for seq in range(first, first + count))
            self._worker.stdin.write(b"[%b,[%b]]\n" % (orjson.dumps(name), records))
        await self._answered(len(batches))

    async def close(self) -> None:
        self._worker.kill()
        await self._worker.wait()
        await self._redis.aclose()

    async def _answered(self, times: int = 1) -> None:
        assert self._worker.stdout is not None
        for _ in range(times):
            if not await self._worker.stdout.readline():
                raise RuntimeError("the worker of Socket.IO ended")
