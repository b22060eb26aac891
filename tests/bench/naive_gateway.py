"""The naive gateway: `python -m tests.bench.naive_gateway <redis url>`; prints its address.

A message is the record with the id of its entry, by which a viewer that comes back goes on.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

import uvicorn
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

_READ_AT_ONCE = 1000


def naive_app(redis: Redis) -> Starlette:
    """Serve `/ws/{stream}?after=ID`: the entries after it, then what is new."""

    async def view(socket: WebSocket) -> None:
        stream = socket.path_params["stream"]
        last = socket.query_params.get("after", "0")
        await socket.accept()
        try:
            while True:
                found: Any = await redis.xread({stream: last}, count=_READ_AT_ONCE, block=5000)
                for _, entries in found or ():
                    for entry_id, fields in entries:
                        last = entry_id
                        text = fields[b"f"].decode()
                        await socket.send_text(f'{{"id":"{entry_id.decode()}",{text[1:]}')
        except (WebSocketDisconnect, RuntimeError):
            return

    return Starlette(routes=[WebSocketRoute("/ws/{stream}", view)])


def main(url: str) -> None:
    """Serve until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    # redis-py gives up reading after 5 s otherwise, just as long as `XREAD` may wait
    redis: Redis = Redis.from_url(url, max_connections=20_000, socket_timeout=None)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(naive_app(redis), log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
