"""Serve the notes of executions to one socket of `/ws/executions`, also when they have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from runtail_broker.connections.ending import end
from runtail_broker.errors import RuntailError
from runtail_gateway.notes.messages import tell_notes
from runtail_gateway.protocol.absent import absent
from runtail_gateway.protocol.brief import spelled
from runtail_gateway.protocol.message import Message, plain
from runtail_gateway.protocol.problem import Deleted
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.protocol.wish import checked_id, deleted
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub
from runtail_gateway.viewers.part import Part
from runtail_gateway.viewers.session import Session
from runtail_gateway.viewers.viewer import Gone


class NotesClient:
    """`subscribed_notes`, then `notes` as they change, until `unsubscribe_notes`, through *send*.

    A refusal is an `error` that carries `"notes": true`; the socket goes on.
    """

    def __init__(
        self,
        send: Callable[[Message], Awaitable[None]],
        hub: Hub,
        settings: GatewaySettings,
        session: Session,
    ) -> None:
        self._send, self._hub, self._settings, self._session = send, hub, settings, session
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def names(self) -> Collection[str]:
        """The executions whose notes are subscribed to."""
        return self._tasks.keys()

    async def subscribe(self, name: str, said: dict[str, Any], *, others: int) -> None:
        """Begin; *others* are subscriptions that count beside those to notes."""
        part = Part(self._send, name)
        try:
            if name in self._tasks:
                text = f"the notes of {name[:128]!r} are subscribed to already"
                raise Refused(4400, "subscribed", text)
            if others + len(self._tasks) >= self._settings.subscriptions:
                most = self._settings.subscriptions
                raise Refused(4329, "too_many", f"{most} subscriptions, the most allowed")
            checked_id(name)
        except Refused as refused:
            return await _refuse(part, refused)
        after = said.get("after")
        place = None if after is None else spelled(after)
        self._tasks[name] = asyncio.create_task(self._serve(part, name, place))
        return None

    async def unsubscribe(self, name: str) -> None:
        """Tell of no more notes of *name*."""
        task = self._tasks.pop(name, None)
        if task is not None:
            await end(task)
        await Part(self._send, name).send(plain("unsubscribed_notes", {}))

    async def close(self) -> None:
        """End all subscriptions."""
        await end(*self._tasks.values())

    async def _serve(self, part: Part, name: str, place: str | None) -> None:
        try:
            await self._session.require("read", name)
            await self._require_there(name)
            await part.send(plain("subscribed_notes", {}))
            async with self._hub.notes_watch.reading(name, place) as reader:
                while await tell_notes(reader, part.send, self._settings):
                    pass
            await self._require_there(name)
        except Gone:
            return  # the socket's own loop sees it too
        except Refused as refused:
            await _refuse(part, refused)
        except RuntailError as error:
            await _refuse(part, Refused(4330, "unavailable", str(error)))
        finally:
            if self._tasks.get(name) is asyncio.current_task():
                del self._tasks[name]

    async def _require_there(self, name: str) -> None:
        """Raise Refused for an execution that is not there, or was deleted."""
        if await self._hub.executions.state(name) is None:
            error = await absent(self._hub.reader, name)
            if isinstance(error, Deleted):
                raise deleted(name)
            raise Refused(4404, "not_found", str(error), 404)


async def _refuse(part: Part, refused: Refused) -> None:
    fields = {"notes": True, "code": refused.code, "message": refused.message}
    try:
        await part.send(plain("error", fields))
    except Gone:
        return  # the socket's own loop sees it too
