"""Publish step logs from workers, and follow them: `Publisher`, `AsyncPublisher`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtail.buffer import Counters
    from runtail.publisher import AsyncPublisher, Publisher
    from runtail.run import Execution
    from runtail.settings import PublisherSettings

__all__ = ["AsyncPublisher", "Counters", "Execution", "Publisher", "PublisherSettings"]

_HOMES = {
    "AsyncPublisher": "runtail.publisher",
    "Counters": "runtail.buffer",
    "Execution": "runtail.run",
    "Publisher": "runtail.publisher",
    "PublisherSettings": "runtail.settings",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: the command needs none of them to start."""
    if name not in _HOMES:
        raise AttributeError(f"module 'runtail' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
