"""Name the OpenTelemetry span in which a worker logs."""

from __future__ import annotations

from sys import modules
from typing import Any


def trace_fields() -> dict[str, str]:
    """Return `trace_id` (32 hex digits) and `span_id` (16) of the span that is recording here.

    Empty without such a span. Imports nothing: where nobody has loaded OpenTelemetry there is no
    span either, and asking costs a look-up. Never raises.
    """
    trace: Any = modules.get("opentelemetry.trace")
    if trace is None:
        return {}
    try:
        if not modules["opentelemetry.context"].get_current():
            return {}  # no span either, in half the time; redis-py loads what it finds of it
        span = trace.get_current_span()
        if not span.is_recording():
            return {}
        context = span.get_span_context()
        return {
            "trace_id": format(context.trace_id, "032x"),
            "span_id": format(context.span_id, "016x"),
        }
    except Exception as error:  # noqa: BLE001 - half imported, or a span of somebody's own making
        from runtail import debugging

        debugging.say("no trace ids", error=error)
        return {}
