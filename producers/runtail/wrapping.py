"""Decorate functions of every sort, sync and async, so that each call runs inside a block."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractContextManager, aclosing
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def wrapped(
    function: Callable[P, R], block: Callable[[], AbstractContextManager[object]]
) -> Callable[P, R]:
    """Run every call of *function* inside a fresh *block*, whatever sort of function it is."""
    for is_one, around in _SORTS:
        if is_one(function):
            return cast("Callable[P, R]", wraps(function)(around(function, block)))

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with block():
            return function(*args, **kwargs)

    return inside


_Block = Callable[[], AbstractContextManager[object]]


def _around_coroutine(function: Callable[..., Any], block: _Block) -> Callable[..., Any]:
    async def inside(*args: Any, **kwargs: Any) -> object:
        with block():
            result: object = await function(*args, **kwargs)
        return result

    return inside


def _around_generator(function: Callable[..., Any], block: _Block) -> Callable[..., Any]:
    def inside(*args: Any, **kwargs: Any) -> Generator[object, object, object]:
        with block():
            result: object = yield from function(*args, **kwargs)
        return result

    return inside


def _around_async_generator(function: Callable[..., Any], block: _Block) -> Callable[..., Any]:
    async def inside(*args: Any, **kwargs: Any) -> AsyncIterator[object]:
        with block():
            async with aclosing(function(*args, **kwargs)) as items:
                async for item in items:
                    yield item

    return inside


_SORTS = (
    (inspect.isasyncgenfunction, _around_async_generator),
    (inspect.iscoroutinefunction, _around_coroutine),
    (inspect.isgeneratorfunction, _around_generator),
)
