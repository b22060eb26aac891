"""Serve the watch of the list that one socket of `/ws/executions` may have."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from runtail_broker.connections.ending import end
from runtail_broker.errors import RuntailError
from runtail_broker.executions import NEWEST
from runtail_gateway.access.auth import lacks_scope
from runtail_gateway.executions.execution_list import ExecutionFilter, listed
from runtail_gateway.protocol.brief import brief, spelled
from runtail_gateway.protocol.message import Message, plain
from runtail_gateway.protocol.problem import BadRequest
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub
from runtail_gateway.viewers.session import Session
from runtail_gateway.viewers.viewer import Gone

_DEFAULT_LIMIT = 100


class ListClient:
    """`watching` with the newest page, then `executions` with what changes, through *send*.

    A refusal is an `error` that carries `"watch": true`; the socket goes on.
    """

    def __init__(
        self,
        send: Callable[[Message], Awaitable[None]],
        hub: Hub,
        settings: GatewaySettings,
        session: Session,
    ) -> None:
        self._send, self._hub, self._settings, self._session = send, hub, settings, session
        self._task: asyncio.Task[None] | None = None

    async def watch(self, said: dict[str, Any]) -> None:
        """Begin, in place of a watch that there may be."""
        await self.close()
        if not self._session.grant.has("read"):
            return await self._refuse(lacks_scope("read"))
        try:
            chosen = ExecutionFilter.parse(
                _texts(said, "status"), _texts(said, "workflow"), None, None
            )
            limit = self._limit(said.get("limit", _DEFAULT_LIMIT))
        except BadRequest as error:
            return await self._refuse(Refused(4400, "bad_request", str(error)))
        self._task = asyncio.create_task(self._serve(chosen, limit))
        return None

    async def unwatch(self) -> None:
        """Tell of no more changes."""
        await self.close()
        await self._send(plain("unwatched", {}))

    async def close(self) -> None:
        """End the watch, if there is one."""
        task, self._task = self._task, None
        if task is not None:
            await end(task)

    async def _serve(self, chosen: ExecutionFilter, limit: int) -> None:
        try:
            async with self._hub.list_watch.watching(chosen, self._session) as watch:
                while True:
                    page = await self._page(chosen, limit)
                    watch.begin(state["id"] for state in page["executions"])
                    await self._send(plain("watching", page))
                    while (changes := await watch.changes()) is not None:
                        await self._send(plain("executions", changes))
        except Gone:
            return  # the socket's own loop sees it too
        except Refused as refused:
            await self._refuse(refused)

    async def _page(self, chosen: ExecutionFilter, limit: int) -> dict[str, Any]:
        """Read the newest; wait out an engine that is away."""
        most = self._settings.list_looked
        while True:
            try:
                return await listed(
                    self._hub.executions,
                    chosen,
                    NEWEST,
                    limit,
                    most_looked=most,
                    grant=self._session.grant,
                )
            except RuntailError:
                await asyncio.sleep(random.uniform(0.05, self._settings.retry_seconds))

    async def _refuse(self, refused: Refused) -> None:
        fields = {"watch": True, "code": refused.code, "message": refused.message}
        await self._send(plain("error", fields))

    def _limit(self, value: object) -> int:
        most = self._settings.list_limit
        if not isinstance(value, int) or not 1 <= value <= most:
            text = f"limit is {brief(value)!r}, expected a whole number from 1 to {most}"
            raise BadRequest(text)
        return value


def _texts(said: dict[str, Any], name: str) -> list[str]:
    value = said.get(name, [])
    return [spelled(each) for each in (value if isinstance(value, list) else [value])]
