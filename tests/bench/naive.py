"""The gateway that one writes first: an XREAD BLOCK for every viewer, a message for every record.

Run as `python -m tests.bench.naive <redis url>`; prints its address. Served as uvicorn serves by
default: what the gateway sets up for many long connections is part of what is compared.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

import uvicorn
import uvloop
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


def naive_app(redis: Redis) -> Starlette:
    """Serve `/ws/<stream>`: every entry's field `f`, from the beginning on."""

    async def view(socket: WebSocket) -> None:
        await socket.accept()
        stream, last = socket.path_params["stream"], b"0-0"
        try:
            while True:
                reply: Any = await redis.xread({stream: last}, block=0)
                for entry_id, fields in reply[stream.encode()]:
                    await socket.send_text(fields[b"f"].decode())
                    last = entry_id
        except WebSocketDisconnect:
            return

    return Starlette(routes=[WebSocketRoute("/ws/{stream}", view)])


async def _main(url: str) -> None:
    redis = Redis.from_url(
        url, max_connections=2000, socket_timeout=None, protocol=3, legacy_responses=False
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await uvicorn.Server(uvicorn.Config(naive_app(redis), log_level="error")).serve([listener])


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1]))
