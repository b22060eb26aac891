"""A process that only writes ready-made messages to plain sockets: what delivery costs at least.

Run as `python -m tests.bench.plain_writer [records] [records a message]`; prints the address for
viewers and the one for the worker. A viewer says the name of its execution and a newline. What the
worker sends goes, as it is, to the viewers of the execution named before it. With *records* it
holds a history in messages ready-made, and writes it to every viewer that comes.
"""

from __future__ import annotations

import asyncio
import signal
import struct
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import cast

import uvloop
from tests.bench.records import rendered

from runtail_gateway.serving.serve import settle_collector

HEAD = struct.Struct("<HI")  # bytes of the execution's name, bytes of the message


class _Room:
    def __init__(self, history: list[bytes]) -> None:
        self.viewers = defaultdict[bytes, list[asyncio.Transport]](list)
        self.history = history


class _Viewer(asyncio.Protocol):
    """Writes the history as fast as it is read, then what comes."""

    def __init__(self, room: _Room) -> None:
        self._room = room
        self._open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._room.viewers[data.strip()].append(self._transport)
        self._transport.write(b"welcome\r\n\r\n")
        self._left: Iterator[bytes] = iter(self._room.history)
        self._write()

    def pause_writing(self) -> None:
        self._open = False

    def resume_writing(self) -> None:
        self._open = True
        self._write()

    def _write(self) -> None:
        for message in self._left:
            self._transport.write(message)
            if not self._open:
                return

    def connection_lost(self, exc: Exception | None) -> None:
        for viewers in self._room.viewers.values():
            if self._transport in viewers:
                viewers.remove(self._transport)


class _Worker(asyncio.Protocol):
    def __init__(self, room: _Room) -> None:
        self._room, self._rest = room, b""

    def data_received(self, data: bytes) -> None:
        data, place = self._rest + data, 0
        while len(data) - place >= HEAD.size:
            name, size = HEAD.unpack_from(data, place)
            end = place + HEAD.size + name + size
            if end > len(data):
                break
            message = data[end - size : end]
            for transport in self._room.viewers[data[place + HEAD.size : end - size]]:
                transport.write(message)
            place = end
        self._rest = data[place:]


def framed(texts: list[bytes]) -> bytes:
    """Make one WebSocket message of records, as runtail's viewers get it."""
    body = b'{"type":"records","records":[%b],"cursor":"1767608430123-0:%d:0123abcd"}'
    body %= b",".join(texts), 10**6
    return b"\x81\x7f" + len(body).to_bytes(8, "big") + body


async def _main(records: int, together: int) -> None:
    history = [
        framed([rendered(seq) for seq in range(i, min(i + together, records + 1))])
        for i in range(1, records + 1, together)
    ]
    room = _Room(history)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    viewers = await loop.create_server(lambda: _Viewer(room), "127.0.0.1", 0, backlog=2048)
    worker = await loop.create_server(lambda: _Worker(room), "127.0.0.1", 0)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    ports = [listening.sockets[0].getsockname()[1] for listening in (viewers, worker)]
    settle_collector()
    print(" ".join(f"127.0.0.1:{port}" for port in ports), flush=True)
    await stop.wait()


if __name__ == "__main__":
    uvloop.run(_main(*(int(each) for each in [*sys.argv[1:], "0", "50"][:2])))
