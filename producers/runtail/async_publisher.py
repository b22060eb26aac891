"""The publisher for asyncio code."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self, overload

from runtail.block import ExecutionBlock
from runtail.delivery.buffer import Counters
from runtail.publisher import Publisher
from runtail.run import Execution
from runtail.settings import DEFAULTS, PublisherSettings

if TYPE_CHECKING:
    from runtail.delivery.http_nodes import Token


class AsyncPublisher:
    """Publish from asyncio code: the same publisher, of which only `flush` and `close` wait.

    Its thread is its own, so a blocked event loop does not stop its beats.
    """

    def __init__(
        self,
        redis_url: str | None = None,
        *,
        url: str | None = None,
        token: Token | None = None,
        settings: PublisherSettings = DEFAULTS,
        handle_sigterm: bool = False,
    ) -> None:
        self._publisher = Publisher(
            redis_url, url=url, token=token, settings=settings, handle_sigterm=handle_sigterm
        )

    @property
    def id(self) -> str:
        """The publisher's id, new in every process."""
        return self._publisher.id

    @property
    def counters(self) -> Counters:
        """What became of the records so far."""
        return self._publisher.counters

    @overload
    def execution(self, execution_id: str, *, workflow_id: str = "") -> Execution: ...
    @overload
    def execution(self, execution_id: None = None, *, workflow_id: str = "") -> ExecutionBlock: ...
    def execution(
        self, execution_id: str | None = None, *, workflow_id: str = ""
    ) -> Execution | ExecutionBlock:
        """Do what `Publisher.execution` does; leave by `async with` or `with`."""
        if execution_id is None:
            return self._publisher.execution(workflow_id=workflow_id)
        return self._publisher.execution(execution_id, workflow_id=workflow_id)

    def join(self, execution_id: str) -> Execution:
        """Do what `Publisher.join` does; leave by `async with` or `with`."""
        return self._publisher.join(execution_id)

    async def flush(self, timeout: float = 5.0) -> bool:
        """Do what `Publisher.flush` does, without blocking the event loop."""
        return await asyncio.to_thread(self._publisher.flush, timeout)

    async def drain(self) -> None:
        """Wait until all that was published before is stored, however long it takes."""
        await asyncio.wrap_future(self._publisher.flushing())

    async def close(self, timeout: float = 5.0) -> bool:
        """Do what `Publisher.close` does, without blocking the event loop."""
        return await asyncio.to_thread(self._publisher.close, timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
