"""Know which execution and step the running code belongs to, by `contextvars`. Pure: no I/O.

A scope is never reset by its token: a generator may be closed in another context than the one it
began in, and two of them may end in any order. A scope that has ended is skipped instead, in
whatever context it was left behind.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from runtail.run import Execution

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Place:
    """The step that code runs in, as its records name it."""

    id: str
    name: str
    type: str | None


class Scope:
    """One block that was entered: of an execution (*place* is None) or of a step in it."""

    __slots__ = ("ended", "parent", "place", "run")

    def __init__(self, run: Execution, place: Place | None, parent: Scope | None) -> None:
        self.run, self.place, self.parent = run, place, parent
        self.ended = False


_SCOPE: ContextVar[Scope | None] = ContextVar("runtail_scope", default=None)


def enter(run: Execution, place: Place | None = None) -> Scope:
    """Begin a scope in the running context; `leave` it from any context."""
    scope = Scope(run, place, _live(_SCOPE.get()))
    _SCOPE.set(scope)
    return scope


def leave(scope: Scope) -> None:
    """End *scope*, wherever and in whatever order: what was entered inside it stays."""
    scope.ended = True
    _SCOPE.set(_live(_SCOPE.get()))


def current() -> Execution | None:
    """The execution whose block the running code is in, the innermost one; None outside any."""
    scope = _live(_SCOPE.get())
    return None if scope is None else scope.run


def place_in(run: Execution) -> Place | None:
    """The innermost step of *run* that the running code is in; None outside any."""
    scope = _live(_SCOPE.get())
    while scope is not None and scope.run is not run:
        scope = _live(scope.parent)
    return None if scope is None else scope.place


def in_context(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap *function* to run in the context of this moment, on any thread, any number of times.

    For pools and callbacks: `pool.submit(in_context(work), row)`. What it sets in context variables
    does not outlive its call.
    """
    context = copy_context()

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        # a copy, because a context can be entered by one thread at a time
        return context.copy().run(function, *args, **kwargs)

    return inside


def _live(scope: Scope | None) -> Scope | None:
    while scope is not None and (scope.ended or scope.run.is_over):
        scope = scope.parent
    return scope
