"""Publish step logs from workers, and follow them: `execution`, `step`, `info` …, `Publisher`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtail.api import (
        configure,
        debug,
        error,
        execution,
        flush,
        info,
        progress,
        shutdown,
        step,
        tqdm_progress,
        track,
        warning,
    )
    from runtail.async_publisher import AsyncPublisher
    from runtail.block import ExecutionBlock
    from runtail.capturing.capture import capture_exceptions, capture_print, capture_warnings
    from runtail.capturing.context_pool import ContextThreadPoolExecutor
    from runtail.capturing.logging_handler import RunHandler
    from runtail.capturing.loguru_sink import LoguruSink
    from runtail.capturing.structlog_processor import RunProcessor
    from runtail.context import current, in_context
    from runtail.delivery.buffer import Counters
    from runtail.masks.masking import mask
    from runtail.plan import PlanStep
    from runtail.publisher import Publisher
    from runtail.run import Execution
    from runtail.settings import PublisherSettings
    from runtail.steps import Step
    from runtail.watching.reading import Reading, ReadRefused, read

__all__ = [
    "AsyncPublisher",
    "ContextThreadPoolExecutor",
    "Counters",
    "Execution",
    "ExecutionBlock",
    "LoguruSink",
    "PlanStep",
    "Publisher",
    "PublisherSettings",
    "ReadRefused",
    "Reading",
    "RunHandler",
    "RunProcessor",
    "Step",
    "capture_exceptions",
    "capture_print",
    "capture_warnings",
    "configure",
    "current",
    "debug",
    "error",
    "execution",
    "flush",
    "in_context",
    "info",
    "mask",
    "progress",
    "read",
    "shutdown",
    "step",
    "tqdm_progress",
    "track",
    "warning",
]

_HOMES = {
    "AsyncPublisher": "runtail.async_publisher",
    "ContextThreadPoolExecutor": "runtail.capturing.context_pool",
    "Counters": "runtail.delivery.buffer",
    "Execution": "runtail.run",
    "ExecutionBlock": "runtail.block",
    "LoguruSink": "runtail.capturing.loguru_sink",
    "PlanStep": "runtail.plan",
    "Publisher": "runtail.publisher",
    "PublisherSettings": "runtail.settings",
    "ReadRefused": "runtail.watching.reading",
    "Reading": "runtail.watching.reading",
    "RunHandler": "runtail.capturing.logging_handler",
    "RunProcessor": "runtail.capturing.structlog_processor",
    "Step": "runtail.steps",
    "capture_exceptions": "runtail.capturing.capture",
    "capture_print": "runtail.capturing.capture",
    "capture_warnings": "runtail.capturing.capture",
    "configure": "runtail.api",
    "current": "runtail.context",
    "debug": "runtail.api",
    "error": "runtail.api",
    "execution": "runtail.api",
    "flush": "runtail.api",
    "in_context": "runtail.context",
    "info": "runtail.api",
    "mask": "runtail.masks.masking",
    "progress": "runtail.api",
    "read": "runtail.watching.reading",
    "shutdown": "runtail.api",
    "step": "runtail.api",
    "tqdm_progress": "runtail.api",
    "track": "runtail.api",
    "warning": "runtail.api",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: the command needs none of them to start."""
    if name not in _HOMES:
        raise AttributeError(f"module 'runtail' has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found  # the next use of it costs nothing
    return found
