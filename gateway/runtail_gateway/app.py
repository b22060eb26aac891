"""Put the gateway together: `create_app` is the one place where its parts meet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from runtail_broker.archives.archive import Archive
from runtail_broker.archives.archiving import Archiving
from runtail_broker.archives.store import store_at
from runtail_broker.connections.client import Nodes
from runtail_broker.errors import RuntailError
from runtail_gateway.access.access import Access
from runtail_gateway.access.admission import Viewers
from runtail_gateway.access.proxies import Proxies
from runtail_gateway.access.share_endpoint import ShareEndpoint
from runtail_gateway.alerts.alerts import Alerts
from runtail_gateway.alerts.endpoint import AlertsEndpoint
from runtail_gateway.alerts.metrics import AlertMetrics
from runtail_gateway.executions.figures_endpoint import FiguresEndpoint
from runtail_gateway.keeping.archivist import Archivist
from runtail_gateway.keeping.deletion import Deletion
from runtail_gateway.keeping.engine_watch import EngineWatch
from runtail_gateway.keeping.housekeeper import Housekeeper
from runtail_gateway.keeping.sweeper import Sweeper
from runtail_gateway.logs.overview_endpoint import OverviewEndpoint
from runtail_gateway.logs.rest import Rest
from runtail_gateway.logs.steps import Steps
from runtail_gateway.metrics import tracing
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.metrics.tracing import Traces
from runtail_gateway.notes.endpoint import NotesEndpoint
from runtail_gateway.protocol import problem
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.publishing.engine import PublishEngine
from runtail_gateway.publishing.http import Publishing
from runtail_gateway.publishing.many import ManyCalls
from runtail_gateway.publishing.request import Admission
from runtail_gateway.serving.pulse import Pulse
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.trials.demo import DemoRuns
from runtail_gateway.trials.start_streaming import StartStreaming
from runtail_gateway.viewers.events import EventStream
from runtail_gateway.viewers.hub import Hub
from runtail_gateway.viewers.many_events import ManyEvents
from runtail_gateway.viewers.multiplex import ExecutionsSocket
from runtail_gateway.viewers.websocket import LogSocket
from runtail_gateway.web.access_log import AccessLog
from runtail_gateway.web.answer_headers import AnswerHeaders
from runtail_gateway.web.description import Description
from runtail_gateway.web.page_files import page_routes
from runtail_gateway.web.request_bounds import RequestBounds


def create_app(settings: GatewaySettings, redis: str | Nodes) -> Starlette:
    """Make a gateway as a plain ASGI application; nothing connects before its lifespan starts.

    *redis* is an engine's URL, or nodes that the caller made and closes itself. Under `serve` it
    writes to viewers' transports directly; under any other server every viewer pulls.
    """
    nodes = Nodes.connect(redis) if isinstance(redis, str) else redis
    metrics = Metrics()
    archive = _archive(settings)
    archiving = None if archive is None else Archiving(nodes, archive)
    archivist = None if archiving is None else Archivist(archiving, settings, metrics)
    nodes.observed = metrics.engine_call
    hub = Hub(nodes, settings, metrics, archive)
    sweeper = Sweeper(nodes, hub.contact_seconds, hub.watched, settings, metrics)
    housekeeper = Housekeeper(nodes, hub.contact_seconds, settings, metrics, archivist)
    engine_watch = EngineWatch(nodes, settings, metrics)
    alerts = _alerts(nodes, hub, settings, metrics)
    access = Access(settings, hub.executions)
    demo = DemoRuns(redis if isinstance(redis, str) else None, settings.demo_runs)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            away = archivist or nullcontext()
            async with access, hub, pulse, sweeper, away, housekeeper, engine_watch, alerts:
                yield
        finally:
            await demo.close()
            if isinstance(redis, str):
                await nodes.close()

    async def refused(request: Request, error: Exception) -> Response:
        metrics.refused(error.code if isinstance(error, Refused) else "other")
        return await problem.answer_refused(request, error)

    viewers = Viewers(settings, metrics)
    pulse = Pulse(nodes, hub, settings, metrics, access, lambda: viewers.drain.begun)
    rest = Rest(hub, settings, metrics, access, pulse.look)
    app = Starlette(
        routes=[
            *_routes(
                rest,
                viewers,
                LogSocket(hub, settings, metrics, viewers, access),
                EventStream(hub, settings, metrics, viewers, access),
                ExecutionsSocket(hub, settings, metrics, viewers, access),
                ManyEvents(hub, settings, metrics, viewers, access),
            ),
            *_management_routes(
                ShareEndpoint(hub.executions, settings, access),
                Deletion(nodes, hub.reader, archiving, settings, access),
                Steps(hub, settings, access),
                OverviewEndpoint(hub, settings, access),
                StartStreaming(hub.executions, settings, access, demo),
            ),
            *_notes_routes(NotesEndpoint(nodes, hub, settings, access)),
            Route("/alerts", AlertsEndpoint(nodes, settings, access).alerts),
            Route("/figures", FiguresEndpoint(nodes, settings, access).figures),
            *_publishing_routes(nodes, hub, settings, metrics, access),
            *_description_routes(settings),
            *page_routes(),
        ],
        middleware=_middleware(settings),
        exception_handlers={
            RuntailError: problem.answer,
            Refused: refused,
            HTTPException: problem.answer_http,
        },
        lifespan=lifespan,
    )
    app.state.viewers = viewers  # for the server, which drains and guards them
    return app


def _archive(settings: GatewaySettings) -> Archive | None:
    """Make the archive that *settings* name; ValueError for one that cannot be."""
    if not settings.archive:
        return None
    return Archive(
        store_at(settings.archive),
        cache_bytes=settings.archive_cache_bytes,
        block_bytes=settings.archive_block_bytes,
    )


def _alerts(
    nodes: Nodes, hub: Hub, settings: GatewaySettings, metrics: Metrics
) -> AbstractAsyncContextManager[object]:
    """Make what alerts people by the rules; without any, nothing that runs."""
    rules = settings.alerts
    if rules is None:
        return nullcontext()
    return Alerts(nodes, hub.reader, settings, rules, AlertMetrics(metrics.registry))


def _routes(
    rest: Rest,
    viewers: Viewers,
    socket: LogSocket,
    events: EventStream,
    many: ExecutionsSocket,
    many_events: ManyEvents,
) -> list[Route | WebSocketRoute]:
    one = "/executions/{execution_id}"

    async def readyz(request: Request) -> Response:
        viewers.drain.require_ready()
        return await rest.readyz(request)

    return [
        WebSocketRoute("/ws" + one + "/logs", socket.serve),
        WebSocketRoute("/ws/executions", many.serve),
        Route(one + "/events", events, methods=["GET"]),
        Route("/events", many_events, methods=["GET"]),
        Route("/executions", rest.executions),
        Route(one, rest.execution),
        Route(one + "/logs", rest.logs),
        Route(one + "/logs.ndjson", rest.ndjson),
        Route(one + "/logs.txt", rest.text),
        Route(one + "/cancel", rest.cancel, methods=["POST"]),
        Route("/healthz", rest.healthz),
        Route("/readyz", readyz),
        Route("/metrics", rest.metrics),
    ]


def _management_routes(
    share: ShareEndpoint,
    deletion: Deletion,
    steps: Steps,
    overview: OverviewEndpoint,
    starting: StartStreaming,
) -> list[Route]:
    one = "/executions/{execution_id}"
    return [
        Route(one, deletion.delete, methods=["DELETE"]),
        Route(one + "/steps", steps.steps),
        Route(one + "/overview", overview.overview),
        Route(one + "/share", share.share, methods=["POST"]),
        Route(one + "/start-streaming", starting.start, methods=["POST"]),
    ]


def _notes_routes(notes: NotesEndpoint) -> list[Route]:
    all_of, one = "/executions/{execution_id}/notes", "/executions/{execution_id}/notes/{note_id}"
    return [
        Route(all_of, notes.list, methods=["GET"]),
        Route(all_of, notes.add, methods=["POST"]),
        Route(one, notes.edit, methods=["PATCH"]),
        Route(one, notes.remove, methods=["DELETE"]),
    ]


def _publishing_routes(
    nodes: Nodes, hub: Hub, settings: GatewaySettings, metrics: Metrics, access: Access
) -> list[Route]:
    engine = PublishEngine(nodes, settings.limits_seconds, metrics)
    admission = Admission(settings, access)
    publishing = Publishing(engine, admission, hub.contact_seconds, settings)
    one = "/executions/{execution_id}"
    return [
        Route(one + "/open", publishing.open, methods=["POST"]),
        Route(one + "/logs", publishing.logs, methods=["POST"]),
        Route(one + "/beat", publishing.beat, methods=["POST"]),
        Route(one + "/finish", publishing.finish, methods=["POST"]),
        Route("/publish", ManyCalls(engine, admission, settings).serve, methods=["POST"]),
    ]


def _description_routes(settings: GatewaySettings) -> list[Route]:
    description = Description(settings)
    return [
        Route("/openapi.json", description.openapi),
        Route("/protocol.schema.json", description.protocol),
    ]


def _middleware(settings: GatewaySettings) -> list[Middleware]:
    """What every request passes through, from the outside in."""
    log = [Middleware(AccessLog)] if settings.access_log else []
    traces = [Middleware(Traces)] if tracing.is_set_up() else []
    origins = settings.allowed_origins
    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=("GET", "POST", "PATCH", "DELETE"),
        allow_headers=("*",),
        expose_headers=("Retry-After",),
    )
    return [
        Middleware(Proxies, settings),
        *traces,
        *log,
        Middleware(AnswerHeaders, settings),
        *([cors] if origins else []),
        Middleware(RequestBounds, settings),
    ]
