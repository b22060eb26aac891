"""A thread pool whose work belongs to the execution and step that submitted it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from runtail.context import in_context

P = ParamSpec("P")
R = TypeVar("R")


class ContextThreadPoolExecutor(ThreadPoolExecutor):
    """A ThreadPoolExecutor that runs each call in the context of its `submit` or `map`."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Submit *fn*, to run in a copy of the caller's context."""
        return super().submit(in_context(fn), *args, **kwargs)
