"""The floor: a process that only writes ready-made messages to sockets, one record a message."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.bench.contender import Engine, Served
from tests.bench.plain_writer import HEAD, framed
from tests.bench.processes import packages, running
from tests.bench.records import record

_NO_STORE = "it stores nothing"


@dataclass(frozen=True, slots=True)
class Writer:
    """A writer that puts *together* records into a message."""

    name: str
    about: str
    together: int
    share: float = 1
    leaves_out: Mapping[str, str] = field(
        default_factory=lambda: {"W5": _NO_STORE, "W7": _NO_STORE, "W8": _NO_STORE}
    )
    remarks: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> str:
        """Say what it consists of."""
        return packages("uvloop")

    def missing(self) -> str:
        """Nothing is needed."""
        return ""

    @contextmanager
    def serving(self, engine: Engine, *, gateways: int = 1, history: int = 0) -> Iterator[Served]:
        """Run the writer; it does not use the engine."""
        with running("tests.bench.plain_writer", str(history), str(self.together)) as child:
            port, worker = child.ports()
            yield Served("plain", (port,), (child,), {"port": worker, "together": self.together})


CONTENDER = Writer("writer", "raw writer, one record a message, no Redis, no WebSocket", 1)


class Feeder:
    """Send the writer messages that are ready-made."""

    def __init__(self, port: int, together: int) -> None:
        self._together = together
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def open(self, executions: Sequence[str]) -> None:
        self._names = executions

    async def publish(self, batches: Sequence[tuple[int, int, int]]) -> None:
        """Hand them over; nothing acknowledges them."""
        for execution, first, count in batches:
            name = self._names[execution].encode()
            for start in range(first, first + count, self._together):
                some = range(start, min(start + self._together, first + count))
                message = framed([_ended(self._names[execution], seq) for seq in some])
                self._socket.sendall(HEAD.pack(len(name), len(message)) + name + message)

    async def close(self) -> None:
        self._socket.close()


def _ended(execution_id: str, seq: int) -> bytes:
    """Make a record as large as a viewer of runtail gets it."""
    text = record(execution_id, seq)[:-1]
    return b'%b,"id":"1767608430123-%d","seq":%d}' % (text, seq % 1000, seq)
