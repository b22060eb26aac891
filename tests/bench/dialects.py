"""Speak to each contender's servers as a viewer does, at the least cost. Pure: bytes in, bytes out.

A dialect says what a viewer writes first and what it answers; it is ready when the viewer stands
where it waits for what is new. The records themselves are not parsed here: the crowd counts marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
_CURSOR = re.compile(rb'"cursor":"([^"]+)"')
_TAIL_BYTES = 400  # of what came last: a cursor stands at the end of a message


class Dialect(Protocol):
    """The viewer's side of one connection."""

    ready: bool

    def opening(self) -> bytes:
        """What to write when connected."""

    def received(self, data: bytes) -> bytes:
        """What to answer to what came; mostly nothing."""

    def place(self) -> str:
        """Where to resume: what `after` was for the next connection; empty if nowhere."""


class Pongs:
    """Answer the pings of a WebSocket server, wherever they stand among messages of ASCII.

    An answer repeats what its ping says: uvicorn cuts off who does not.
    """

    # the length of a message may have this byte too, after the sign that it is two bytes long
    _PING = re.compile(rb"(?<!\x7e)(?<!\x7e.)\x89(?:([\x00-\x7d])|\Z)", re.DOTALL)

    def __init__(self) -> None:
        self._rest = b""

    def to(self, data: bytes) -> bytes:
        """Answer what came; a ping that is not complete is answered when it is."""
        if not self._rest and b"\x89" not in data:
            return b""
        data, self._rest, answer = self._rest + data, b"", b""
        for ping in self._PING.finditer(data):
            end = ping.end() + ping[1][0] if ping[1] else len(data) + 1
            if end > len(data):
                self._rest = data[ping.start() :]
                break
            said = data[ping.end() : end]
            answer += b"\x8a" + bytes([0x80 | len(said)]) + b"\0\0\0\0" + said
        return answer


class Runtail:
    """A WebSocket; ready when caught up."""

    def __init__(self, execution: str, after: str) -> None:
        self._path = f"/ws/executions/{execution}/logs" + (f"?after={after}" if after else "")
        self._head, self.ready, self._last = b"", False, b""
        self._pongs = Pongs()

    def opening(self) -> bytes:
        return upgrade(self._path)

    def received(self, data: bytes) -> bytes:
        if not self.ready:
            self._head = (self._head + data)[-4096:]
            self.ready = b'"caught_up"' in self._head
        self._last = data if len(data) > _TAIL_BYTES else (self._last + data)[-_TAIL_BYTES:]
        return self._pongs.to(data)

    def place(self) -> str:
        found = _CURSOR.findall(self._last)
        return found[-1].decode() if found else ""


class Plain:
    """A plain socket; ready when greeted. Also a WebSocket of a server that only sends."""

    def __init__(self, execution: str, after: str) -> None:
        self._execution, self._head, self.ready = execution, b"", False

    def opening(self) -> bytes:
        return self._execution.encode() + b"\n"

    def received(self, data: bytes) -> bytes:
        if not self.ready:
            self._head += data
            self.ready = b"\r\n\r\n" in self._head
        return b""

    def place(self) -> str:
        return ""


class Naive(Plain):
    """A WebSocket; ready when it is accepted. Resumes after the last id that it was told."""

    _ID = re.compile(rb'{"id":"(\d+-\d+)",[^}]+?}[^}]*?"seq":\d+}')

    def __init__(self, execution: str, after: str) -> None:
        super().__init__(execution, after)
        self._pongs = Pongs()
        # nothing is stored when they come; `$` would miss what comes before the gateway asks for it
        self._after, self._last = "0" if after in ("", "$") else after, b""

    def opening(self) -> bytes:
        return upgrade(f"/ws/{self._execution}?after={self._after}")

    def received(self, data: bytes) -> bytes:
        super().received(data)
        self._last = (self._last + data)[-3 * _TAIL_BYTES :]
        return self._pongs.to(data)

    def place(self) -> str:
        found = self._ID.findall(self._last)
        return found[-1].decode() if found else self._after


class Channels:
    """A WebSocket; the consumer says `ready` when it is in its group."""

    def __init__(self, execution: str, after: str) -> None:
        self._execution, self._head, self.ready = execution, b"", False
        self._pongs = Pongs()

    def opening(self) -> bytes:
        return upgrade(f"/ws/{self._execution}/", origin=True)

    def received(self, data: bytes) -> bytes:
        if not self.ready:
            self._head += data
            self.ready = b"ready" in self._head.partition(b"\r\n\r\n")[2]
        return self._pongs.to(data)

    def place(self) -> str:
        return ""


class SocketIO:
    """Engine.IO 4 over a WebSocket: joins its room, recovers its session when it comes back."""

    _SESSION = re.compile(rb'40\{"sid":"[^"]*"(?:,"pid":"([^"]*)")?\}')
    _OFFSET = re.compile(rb'\},"([0-9]+-[0-9]+)"\]')

    def __init__(self, execution: str, after: str) -> None:
        self._execution, self._after = execution, after
        self._head, self.ready, self._asked = b"", False, 0
        self._session, self._last = b"", b""

    def opening(self) -> bytes:
        return upgrade("/socket.io/?EIO=4&transport=websocket")

    def received(self, data: bytes) -> bytes:
        pinged = b"\x81\x012" in self._last[-2:] + data
        self._last = (self._last + data)[-_TAIL_BYTES:]
        answer = masked(b"3") if pinged else b""
        return answer if self.ready else answer + self._shake_hands(data)

    def _shake_hands(self, data: bytes) -> bytes:
        self._head += data
        if not self._asked and b'0{"sid"' in self._head:
            self._asked = 1
            pid, known, offset = self._after.partition("/")
            known = f'{{"pid":"{pid}","offset":"{offset}"}}' if known else ""
            return masked(f"40{known}".encode())
        if self._asked == 1 and (session := self._SESSION.search(self._head)):
            self._asked, self._session = 2, session[1] or b""
            return masked(f'42["watch","{self._execution}"]'.encode())
        self.ready = b'42["ready"' in self._head
        return b""

    def place(self) -> str:
        offsets = self._OFFSET.findall(self._last)
        return f"{self._session.decode()}/{offsets[-1].decode()}" if offsets else ""


class Nats:
    """NATS over TCP: an ordered consumer of JetStream, as its clients make them."""

    _FLOW = re.compile(rb"HMSG \S+ \d+ (\S+) \d+ \d+\r\nNATS/1\.0 100 FlowControl[^\r]*\r\n\r\n")
    _ACK = rb"\$JS\.ACK\.(?:\S+?\.)?logs\.[^. ]+\.\d+\.(\d+)\.\d+\.\d+\.\d+"
    _PLACE = re.compile(_ACK + rb'\S* \d+\r\n[^\r]*"seq":\d+}')
    _count = 0

    def __init__(self, execution: str, after: str) -> None:
        self._execution, self._after = execution, after
        Nats._count += 1
        self._inbox = f"_INBOX.v{Nats._count}"
        self._head, self.ready, self._asked = b"", False, False
        self._last, self._flow = b"", b""

    def opening(self) -> bytes:
        return b""  # the server speaks first

    def received(self, data: bytes) -> bytes:
        before, self._last = self._last, (self._last + data)[-3 * _TAIL_BYTES :]
        before = before[-_TAIL_BYTES:]
        answer = b"" if self.ready else self._shake_hands(data)
        joined = before + data
        pings = joined.count(b"PING\r\n", max(0, len(before) - 5))
        return answer + b"PONG\r\n" * pings + self._flowing(joined)

    def _flowing(self, joined: bytes) -> bytes:
        """Answer once each question how far the viewer is, else nothing more comes."""
        asked = self._FLOW.findall(joined) if b"FlowControl" in joined else []
        if self._flow in asked:
            asked = asked[asked.index(self._flow) + 1 :]
        if asked:
            self._flow = asked[-1]
        return b"".join(b"PUB %b 0\r\n\r\n" % each for each in asked)

    def _shake_hands(self, data: bytes) -> bytes:
        self._head += data
        if not self._asked and self._head.startswith(b"INFO"):
            self._asked = True
            return self._wish()
        self.ready = b"consumer_create_response" in self._head
        return b""

    def _wish(self) -> bytes:
        start = '"deliver_policy":"new"'
        if self._after.isdigit():
            start = f'"deliver_policy":"by_start_sequence","opt_start_seq":{int(self._after) + 1}'
        elif not self._after:
            start = '"deliver_policy":"all"'
        config = (
            f'{{"stream_name":"logs","config":{{{start},"deliver_subject":"{self._inbox}",'
            f'"filter_subject":"logs.{self._execution}","ack_policy":"none","max_deliver":1,'
            '"flow_control":true,"idle_heartbeat":5000000000,"mem_storage":true,'
            '"num_replicas":1,"inactive_threshold":300000000000}}'
        ).encode()
        api = b"$JS.hub.API.CONSUMER.CREATE.logs"
        connect = b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"lang":"bench"}\r\n'
        inboxes = f"SUB {self._inbox} 1\r\nSUB {self._inbox}.api 2\r\n".encode()
        ask = b"PUB %b %b.api %d\r\n%b\r\n" % (api, self._inbox.encode(), len(config), config)
        return connect + inboxes + ask

    def place(self) -> str:
        found = self._PLACE.findall(self._last)
        return found[-1].decode() if found else self._after


DIALECTS: dict[str, Callable[[str, str], Dialect]] = {
    "runtail": Runtail,
    "plain": Plain,
    "naive": Naive,
    "channels": Channels,
    "socketio": SocketIO,
    "nats": Nats,
}


def upgrade(path: str, *, origin: bool = False) -> bytes:
    """Ask for a WebSocket."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        + ("Origin: http://127.0.0.1\r\n" if origin else "")
        + f"Connection: Upgrade\r\nSec-WebSocket-Key: {_KEY}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def masked(text: bytes) -> bytes:
    """Make a short text message of a client, under a mask of zeros."""
    if len(text) < 126:
        return b"\x81" + bytes([0x80 | len(text)]) + b"\0\0\0\0" + text
    return b"\x81\xfe" + len(text).to_bytes(2, "big") + b"\0\0\0\0" + text
