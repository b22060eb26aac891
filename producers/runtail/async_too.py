"""Let a `with` block be an `async with` block too: entering and leaving it never waits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class AsyncToo(ABC, Generic[T_co]):
    """A context manager whose asynchronous form does what its synchronous one does."""

    @abstractmethod
    def __enter__(self) -> T_co: ...
    @abstractmethod
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def __aenter__(self) -> T_co:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)
