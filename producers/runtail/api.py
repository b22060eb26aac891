"""The functions of the package itself: they act on the execution that the running code is in.

Outside any execution a log goes to the logger `runtail.outside`, and a step does nothing.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from runtail.block import ExecutionBlock
from runtail.context import current
from runtail.publisher import Publisher
from runtail.run import Execution
from runtail.settings import DEFAULTS, PublisherSettings
from runtail.shapes import Ungiven
from runtail.steps import Step, StepOptions

if TYPE_CHECKING:
    from tqdm import tqdm

    from runtail.delivery.http_nodes import Token

T = TypeVar("T")
_Ways: TypeAlias = "tuple[str | None, str | None, Token | None]"
_OUTSIDE = logging.getLogger("runtail.outside")


class _Default:
    """The publisher of the process: how it is made, and it itself once it was needed."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._ways: _Ways = (None, None, None)
        self._settings = DEFAULTS
        self._publisher: Publisher | None = None

    def configure(self, ways: _Ways, settings: PublisherSettings) -> None:
        with self.lock:
            same = (ways, settings) == (self._ways, self._settings)
            if self._publisher is not None and not same:
                raise RuntimeError(
                    "configure() comes after the first execution, with other values; call it "
                    "before, or runtail.shutdown() first"
                )
            self._ways, self._settings = ways, settings

    def get(self) -> Publisher:
        with self.lock:
            if self._publisher is None:
                redis_url, url, token = self._ways
                made = Publisher(redis_url, url=url, token=token, settings=self._settings)
                self._publisher = self._publisher or made  # a signal handler was here meanwhile
            return self._publisher

    def take(self) -> Publisher | None:
        with self.lock:
            publisher, self._publisher = self._publisher, None
        return publisher

    def now(self) -> Publisher | None:
        return self._publisher


_default = _Default()


def _renew_lock() -> None:
    _default.lock = threading.RLock()  # another thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def configure(
    redis_url: str | None = None,
    *,
    url: str | None = None,
    token: Token | None = None,
    settings: PublisherSettings = DEFAULTS,
) -> None:
    """Say how the process's publisher is made, which happens at the first execution.

    Again with the same values (a notebook cell that is run twice) does nothing; with others, after
    that, raises RuntimeError, unless `shutdown` came between.
    """
    if redis_url is not None and url is not None:
        raise ValueError("redis_url and url are both given, expected one of them")
    _default.configure((redis_url, url, token), settings)


def flush(timeout: float = 5.0) -> bool:
    """Do what `Publisher.flush` does; True if nothing was ever published."""
    publisher = _default.now()
    return publisher is None or publisher.flush(timeout)


def shutdown(timeout: float = 5.0) -> bool:
    """Close the process's publisher (its exit does it too); the next execution makes a new one."""
    publisher = _default.take()
    return publisher is None or publisher.close(timeout)


@overload
def execution(execution_id: str, *, workflow_id: str = "") -> Execution: ...
@overload
def execution(execution_id: None = None, *, workflow_id: str = "") -> ExecutionBlock: ...
def execution(
    execution_id: str | None = None, *, workflow_id: str = ""
) -> Execution | ExecutionBlock:
    """Do what `Publisher.execution` does, with the process's publisher."""
    if execution_id is None:
        return ExecutionBlock(_begin, workflow_id)
    return _begin(execution_id, workflow_id=workflow_id)


def _begin(execution_id: str, /, *, workflow_id: str) -> Execution:
    return _default.get().execution(execution_id, workflow_id=workflow_id)


def debug(message: object, **fields: Any) -> None:
    """Publish a log record of level debug; see `Execution.log`."""
    _log("debug", message, fields)


def info(message: object, **fields: Any) -> None:
    """Publish a log record of level info; see `Execution.log`."""
    _log("info", message, fields)


def warning(message: object, **fields: Any) -> None:
    """Publish a log record of level warning; see `Execution.log`."""
    _log("warning", message, fields)


def error(message: object, **fields: Any) -> None:
    """Publish a log record of level error; see `Execution.log`."""
    _log("error", message, fields)


def _log(level: str, message: object, fields: dict[str, Any]) -> None:
    run = current()
    if run is not None:
        run.log(level, message, **fields)
    else:
        _log_outside(level, message, fields)


def _log_outside(level: str, message: object, fields: dict[str, Any]) -> None:
    # as one extra field: one called `name` or `message` would make logging raise
    number = getattr(logging, level.upper())
    _OUTSIDE.log(number, "%s", message, extra={"runtail": fields}, stacklevel=4)


def step(
    name: str,
    *,
    step_type: str | None = None,
    input_data: object = None,
    attempt: int | None = None,
    attempts: int | None = None,
    waited_ms: float | None = None,
    queued_at: datetime | float | None = None,
) -> Step:
    """Do what `Execution.step` does, in the execution that is current when the block is entered."""
    options = StepOptions(name, step_type, input_data, attempt, attempts, waited_ms, queued_at)
    return Step(current, options)


@overload
def progress(percent: float | None, /, **fields: object) -> None: ...
@overload
def progress(done: float | None, total: float | None, /, **fields: object) -> None: ...
def progress(
    done: float | None,
    total: float | Ungiven | None = Ungiven.UNGIVEN,
    /,
    **fields: object,
) -> None:
    """Do what `Execution.progress` does; outside any execution it is a debug log."""
    run = current()
    if run is None:
        of = "%" if total is Ungiven.UNGIVEN else f"of {total}"
        _log_outside("debug", f"progress {done} {of}", fields)
    elif total is Ungiven.UNGIVEN:
        run.progress(done, **fields)
    else:
        run.progress(done, total, **fields)


@overload
def track(
    items: Iterable[T], *, name: str | None = None, total: float | None = None
) -> Iterator[T]: ...
@overload
def track(
    items: AsyncIterable[T], *, name: str | None = None, total: float | None = None
) -> AsyncIterator[T]: ...
def track(
    items: Iterable[T] | AsyncIterable[T], *, name: str | None = None, total: float | None = None
) -> Iterator[T] | AsyncIterator[T]:
    """Do what `Execution.track` does; outside any execution the items just pass."""
    run = current()
    if run is not None:
        return run.track(items, name=name, total=total)
    return aiter(items) if isinstance(items, AsyncIterable) else iter(items)


def tqdm_progress(*args: Any, **kwargs: Any) -> tqdm[Any]:
    """Make a tqdm bar that is progress of the current execution too; the arguments are tqdm's."""
    from runtail.capturing.tqdm_bar import bar_class

    return bar_class(progress)(*args, **kwargs)
