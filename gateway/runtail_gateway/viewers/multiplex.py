"""Answer `WS /ws/executions`: many executions over one socket, each with its own cursor.

The client sends `subscribe` and `unsubscribe` (`watch` and `unwatch` concern the list,
`subscribe_notes` and `unsubscribe_notes` what people pin to one); whatever
concerns an execution carries its `execution_id`. One that is refused, or has ended, leaves the
others as they are. All take turns at the socket, a message each, so that a busy one holds up a
quiet one by one message at most.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

import orjson
from starlette.websockets import WebSocket

from runtail_broker.connections.ending import end
from runtail_broker.errors import RuntailError
from runtail_gateway.access.allowance import Allowance
from runtail_gateway.executions.list_client import ListClient
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.notes.client import NotesClient
from runtail_gateway.protocol.brief import brief, spelled
from runtail_gateway.protocol.message import Message, plain
from runtail_gateway.protocol.refused import Refused, refused_for
from runtail_gateway.protocol.wish import Wish, checked_id
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub
from runtail_gateway.viewers.part import Part
from runtail_gateway.viewers.refusing import told
from runtail_gateway.viewers.session import Session
from runtail_gateway.viewers.viewer import Gone
from runtail_gateway.viewers.viewing import viewing
from runtail_gateway.viewers.websocket import SocketEndpoint, SocketOutlet

_MOST_CHARS: Final = 64 * 1024  # of what a client says at once
_ASKED: Final = (
    "subscribe, unsubscribe, subscribe_notes or unsubscribe_notes with an execution's id, "
    "watch or unwatch"
)


class _Turns:
    """The socket's outlet, which the viewers of all its executions use in turn."""

    def __init__(self, outlet: SocketOutlet) -> None:
        self._outlet, self._turn = outlet, asyncio.Lock()

    async def send(self, message: Message) -> None:
        async with self._turn:
            await self._outlet.send(message)


class ExecutionsSocket(SocketEndpoint):
    """The endpoint: one instance serves all such sockets of a gateway."""

    def _outlet(self, socket: WebSocket) -> SocketOutlet:
        return SocketOutlet(socket, None, self._metrics)

    async def _serve(self, socket: WebSocket, outlet: SocketOutlet, session: Session) -> None:
        await _Client(socket, outlet, self._hub, self._settings, self._metrics, session).serve()


class _Client:
    """One socket, and a task for each execution that it is subscribed to."""

    def __init__(
        self,
        socket: WebSocket,
        outlet: SocketOutlet,
        hub: Hub,
        settings: GatewaySettings,
        metrics: Metrics,
        session: Session,
    ) -> None:
        self._socket, self._turns, self._session = socket, _Turns(outlet), session
        self._hub, self._settings, self._metrics = hub, settings, metrics
        self._parts: dict[str, asyncio.Task[None]] = {}
        self._allowance = Allowance(settings.client_messages, time.monotonic())
        self._list = ListClient(self._turns.send, hub, settings, session)
        self._notes = NotesClient(self._turns.send, hub, settings, session)

    async def serve(self) -> None:
        """Do what the client says until it leaves; raise Refused for what makes no sense."""
        try:
            while (said := await self._receive()) is not None:
                await self._obey(said)
        finally:
            await end(*self._parts.values())
            await self._list.close()
            await self._notes.close()

    async def _receive(self) -> dict[str, Any] | None:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            self._metrics.closed(int(message.get("code") or 1005))
            return None
        if not self._allowance.take(time.monotonic()):
            raise Refused(4408, "too_many_messages", "more messages than the gateway takes")
        return _said(message.get("text") or "")

    async def _obey(self, said: dict[str, Any]) -> None:
        name = said.get("execution_id")
        match said.get("type"):
            case "subscribe" if isinstance(name, str):
                await self._subscribe(name, said)
            case "unsubscribe" if isinstance(name, str):
                await self._unsubscribe(name)
            case "auth" if isinstance(token := said.get("token"), str):
                watched = [*self._parts, *self._notes.names]
                await self._turns.send(await self._session.renew(token, watched))
            case "subscribe_notes" if isinstance(name, str):
                await self._notes.subscribe(name, said, others=len(self._parts))
            case "unsubscribe_notes" if isinstance(name, str):
                await self._notes.unsubscribe(name)
            case "watch":
                await self._list.watch(said)
            case "unwatch":
                await self._list.unwatch()
            case _:
                nothing = f"{brief(said, 200)} says nothing, expected {_ASKED}"
                raise Refused(4400, "bad_request", nothing)

    async def _subscribe(self, name: str, said: dict[str, Any]) -> None:
        part = Part(self._turns.send, name)
        try:
            if name in self._parts:
                raise Refused(4400, "subscribed", f"{name[:128]!r} is subscribed to already")
            if len(self._parts) + len(self._notes.names) >= self._settings.subscriptions:
                most = self._settings.subscriptions
                raise Refused(4329, "too_many", f"{most} subscriptions, the most allowed")
            wish = Wish.read(_parameters(said), self._settings.after_limit)
            checked_id(name)
        except Refused as refused:
            return await part.send(told(refused))
        self._parts[name] = asyncio.create_task(self._view(part, name, wish))
        return None

    async def _unsubscribe(self, name: str) -> None:
        task = self._parts.pop(name, None)
        if task is not None:
            await end(task)
        await Part(self._turns.send, name).send(plain("unsubscribed", {}))

    async def _view(self, part: Part, name: str, wish: Wish) -> None:
        """Serve one subscription to its end."""
        try:
            await self._session.require("read", name)
            await part.send(plain("subscribed", {}))
            async with viewing(self._hub, self._settings, part, name, wish) as viewer:
                await asyncio.wait([viewer.done])
                viewer.done.result()
        except Gone:
            return  # the socket's own loop sees it too
        except Refused as refused:
            await part.send(told(refused))
        except RuntailError as error:
            await part.send(told(refused_for(error)))
        finally:
            if self._parts.get(name) is asyncio.current_task():
                del self._parts[name]


def _said(text: str) -> dict[str, Any]:
    if len(text) > _MOST_CHARS:
        raise Refused(
            4400, "bad_request", f"{len(text)} characters, expected at most {_MOST_CHARS}"
        )
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(4400, "bad_request", f"{text[:200]!r} is no JSON: {error}") from error
    if not isinstance(said, dict):
        raise Refused(4400, "bad_request", f"{text[:200]!r} is no object, expected {_ASKED}")
    return said


def _parameters(said: dict[str, Any]) -> list[tuple[str, str]]:
    """Spell the fields of a `subscribe` as the query parameters of one execution's address."""
    pairs: list[tuple[str, str]] = []
    for name in ("after", "level", "step"):
        value = said.get(name, [])
        pairs += [(name, spelled(each)) for each in (value if isinstance(value, list) else [value])]
    for name in ("tail", "wait", "notes"):
        if name in said:
            value = said[name]
            pairs.append(
                (name, spelled(value).lower() if isinstance(value, bool) else spelled(value))
            )
    return pairs
