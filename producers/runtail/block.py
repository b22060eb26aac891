"""Make blocks of code into executions: with `with`, `async with`, or as a decorator."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Protocol, TypeVar

from runtail.async_too import AsyncToo
from runtail.naming import made_id
from runtail.run import Execution
from runtail.wrapping import wrapped

P = ParamSpec("P")
R = TypeVar("R")


class Begin(Protocol):
    """Begin the execution of this id."""

    def __call__(self, execution_id: str, /, *, workflow_id: str) -> Execution: ...


class ExecutionBlock(AsyncToo[Execution]):
    """An execution to be: each `with` block, and each call of what it decorates, begins a new one.

    Its id is made of the workflow id (else of the function's name) and the time. Functions may be
    sync or async, and generators of either sort: the execution then lasts until they are exhausted
    or closed (an async one must not be sent values). Enter one object once at a time.
    """

    def __init__(self, begin: Begin, workflow_id: str) -> None:
        self._begin, self._workflow_id = begin, workflow_id
        self._entered: list[Execution] = []

    def begin(self) -> Execution:
        """Begin an execution without a block: its `finish` ends it."""
        return self._begin(made_id(self._workflow_id), workflow_id=self._workflow_id)

    def __enter__(self) -> Execution:
        execution = self.begin()
        self._entered.append(execution)
        return execution.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._entered:
            self._entered.pop().__exit__(kind, error, trace)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate *function*: every call is an execution of its own."""
        workflow_id = self._workflow_id or getattr(function, "__name__", "")
        return wrapped(function, lambda: ExecutionBlock(self._begin, workflow_id))
