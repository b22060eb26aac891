"""A server that sends ready-made messages of history and does nothing else: what replay could be.

Run as `python -m tests.bench.ready <records>`; prints its address. It is uvicorn with the gateway's
own protocol class; everything is rendered before the first viewer comes.
"""

from __future__ import annotations

import socket
import sys

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.bench.worker import rendered

from runtail_gateway.serving.serve import server

RECORDS_A_MESSAGE = 50


def ready_app(records: int) -> Starlette:
    """Serve `/ws/history`: *records* records, fifty a message."""
    lines = [rendered(seq) for seq in range(1, records + 1)]
    messages = [
        b'{"type":"records","records":[%b]}' % b",".join(lines[i : i + RECORDS_A_MESSAGE])
        for i in range(0, records, RECORDS_A_MESSAGE)
    ]
    texts = [message.decode() for message in messages]

    async def view(socket: WebSocket) -> None:
        await socket.accept()
        try:
            for text in texts:
                await socket.send({"type": "websocket.send", "text": text})
            await socket.receive()
        except (WebSocketDisconnect, RuntimeError):
            return

    return Starlette(routes=[WebSocketRoute("/ws/history", view)])


def serve_app(app: ASGIApp) -> None:
    """Serve *app* as the gateway is served, on a free port, until SIGTERM."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        server(app, on_started=lambda: print(address, flush=True)).run(sockets=[listener])
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    serve_app(ready_app(int(sys.argv[1])))
