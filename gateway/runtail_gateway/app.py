"""Put the gateway together: `create_app` is the one place where its parts meet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

from runtail_broker.client import Nodes
from runtail_broker.errors import RuntailError
from runtail_gateway import problem
from runtail_gateway.deletion import Deletion
from runtail_gateway.demo import DemoRuns
from runtail_gateway.events import EventStream
from runtail_gateway.hub import Hub
from runtail_gateway.many_events import ManyEvents
from runtail_gateway.metrics import Metrics
from runtail_gateway.multiplex import ExecutionsSocket
from runtail_gateway.rest import Rest
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.steps import Steps
from runtail_gateway.sweeper import Sweeper
from runtail_gateway.viewing import Viewers
from runtail_gateway.websocket import LogSocket

_PAGE = Path(str(files("runtail_gateway") / "page"))
_CONTENT = {".html", ".css", ".js", ".svg"}
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def create_app(settings: GatewaySettings, redis: str | Nodes) -> Starlette:
    """Make a gateway as a plain ASGI application; nothing connects before its lifespan starts.

    *redis* is an engine's URL, or nodes that the caller made and closes itself. Under `serve` it
    writes to viewers' transports directly; under any other server every viewer pulls.
    """
    nodes = Nodes.connect(redis) if isinstance(redis, str) else redis
    metrics = Metrics()
    hub = Hub(nodes, settings, metrics)
    sweeper = Sweeper(nodes, hub.contact_seconds, hub.watched, settings, metrics)
    demo = DemoRuns(redis if isinstance(redis, str) else None, settings.demo_runs)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            async with hub, sweeper:
                yield
        finally:
            await demo.close()
            if isinstance(redis, str):
                await nodes.close()

    viewers = Viewers(settings.viewers, metrics)
    return Starlette(
        routes=_routes(
            Rest(hub, settings, metrics, demo),
            LogSocket(hub, settings, metrics, viewers),
            EventStream(hub, settings, metrics, viewers),
            ExecutionsSocket(hub, settings, metrics, viewers),
            Deletion(nodes, settings),
            Steps(hub, settings),
            ManyEvents(hub, settings, metrics, viewers),
        ),
        exception_handlers={RuntailError: problem.answer, HTTPException: problem.answer_http},
        lifespan=lifespan,
    )


def _routes(
    rest: Rest,
    socket: LogSocket,
    events: EventStream,
    many: ExecutionsSocket,
    deletion: Deletion,
    steps: Steps,
    many_events: ManyEvents,
) -> list[Route | WebSocketRoute]:
    one = "/executions/{execution_id}"
    return [
        WebSocketRoute("/ws" + one + "/logs", socket.serve),
        WebSocketRoute("/ws/executions", many.serve),
        Route(one + "/events", events, methods=["GET"]),
        Route("/events", many_events, methods=["GET"]),
        Route("/executions", rest.executions),
        Route(one, rest.execution),
        Route(one, deletion.delete, methods=["DELETE"]),
        Route(one + "/logs", rest.logs),
        Route(one + "/logs.ndjson", rest.ndjson),
        Route(one + "/logs.txt", rest.text),
        Route(one + "/steps", steps.steps),
        Route(one + "/cancel", rest.cancel, methods=["POST"]),
        Route(one + "/start-streaming", rest.start_streaming, methods=["POST"]),
        Route("/healthz", rest.healthz),
        Route("/readyz", rest.readyz),
        Route("/metrics", rest.metrics),
        Route("/", _home),
        Route("/monitoring", _page),
        Route("/monitoring/{name}", _page),
    ]


async def _home(request: Request) -> Response:
    return RedirectResponse(str(request.url_for("_page")), 307)


async def _page(request: Request) -> Response:
    """Serve the monitoring page and the files beside it."""
    file = _PAGE / request.path_params.get("name", "index.html")
    if file.suffix not in _CONTENT or file.parent != _PAGE or not file.is_file():
        raise HTTPException(404, f"the page has no file {file.name!r}")
    return FileResponse(file, headers=_PAGE_HEADERS)
