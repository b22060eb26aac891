"""Trace requests with OpenTelemetry where it is there, and name traces in exemplars.

Nothing is traced unless the process has set up OpenTelemetry before the gateway is made: by
`opentelemetry-instrument runtail gateway …`, or a program of one's own that embeds it. Imports
nothing where it is not installed.
"""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

try:
    from opentelemetry import propagate, trace
    from opentelemetry.trace import ProxyTracerProvider, SpanKind, StatusCode
except ImportError:
    trace = None  # type: ignore[assignment]

_UNTRACED = ("/healthz", "/readyz", "/metrics")


def is_set_up() -> bool:
    """Whether somebody collects traces in this process."""
    return trace is not None and not isinstance(trace.get_tracer_provider(), ProxyTracerProvider)


def is_traced() -> bool:
    """Whether a span is open here, which names the request when it ends."""
    return trace is not None and trace.get_current_span().is_recording()


def exemplar() -> dict[str, str] | None:
    """Name the trace that runs here, for an exemplar; None where none is recorded."""
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return None
    return {"trace_id": format(context.trace_id, "032x")}


class Traces:
    """A middleware: a span for each request and for each WebSocket, while it is open.

    It continues the caller's trace (`traceparent`), and is named by the route, never by an id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tracer = trace.get_tracer("runtail.gateway")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request in a span."""
        if scope["type"] == "lifespan" or scope["path"] in _UNTRACED:
            return await self._app(scope, receive, send)
        parent = propagate.extract(Headers(scope=scope))
        kind, method = SpanKind.SERVER, scope.get("method", "WS")
        with self._tracer.start_as_current_span(method, parent, kind) as span:

            async def told(message: Message) -> None:
                _note(span, message)
                await send(message)

            try:
                await self._app(scope, receive, told if span.is_recording() else send)
            finally:
                _name(span, method, scope)


def _note(span: Any, message: Message) -> None:
    if message["type"] == "http.response.start":
        span.set_attribute("http.response.status_code", message["status"])
        if message["status"] >= 500:
            span.set_status(StatusCode.ERROR)
    elif message["type"] == "websocket.close":
        span.set_attribute("runtail.close_code", message.get("code", 1000))


def _name(span: Any, method: str, scope: Scope) -> None:
    parameters = scope.get("path_params", {})
    route = scope["path"]
    for name, value in parameters.items():
        route = route.replace(f"/{value}", f"/{{{name}}}", 1)
    span.update_name(f"{method} {route}" if parameters or "endpoint" in scope else method)
    span.set_attribute("http.request.method", method)
    if "execution_id" in parameters:
        span.set_attribute("runtail.execution_id", parameters["execution_id"])
