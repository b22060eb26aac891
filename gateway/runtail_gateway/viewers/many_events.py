"""Answer `GET /events?execution=a&execution=b`: several executions in one event stream.

The id of an event names a place in each of them, so that `Last-Event-ID` resumes them all.
"""

from __future__ import annotations

import asyncio
from functools import partial

from starlette.requests import Request

from runtail_broker.connections.ending import end
from runtail_gateway.access.origin import require_allowed
from runtail_gateway.protocol.message import Message
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.protocol.wish import Wish, checked_id
from runtail_gateway.viewers.events import EventOutlet, EventStream, disconnected, is_beat
from runtail_gateway.viewers.part import Part
from runtail_gateway.viewers.refusing import told
from runtail_gateway.viewers.session import Session
from runtail_gateway.viewers.viewing import viewing

Places = dict[str, str]
"""Where a client stands: by execution, the cursor as text."""


def places_of(text: str) -> Places:
    """Read the id of an event; raise Refused for what is none. The cursors are not looked at."""
    places: Places = {}
    for part in text.split(","):
        name, equals, cursor = part.partition("=")
        if not equals:
            expected = "expected <execution>=<cursor>,<execution>=<cursor>"
            raise Refused(4400, "bad_cursor", f"place {part[:80]!r} names no execution, {expected}")
        places[name] = cursor
    return places


class ManyOutlet:
    """The response of all parts, which take turns; the id of each event is where all stand."""

    def __init__(self, events: EventOutlet, places: Places) -> None:
        self._events, self._places = events, places
        self._turn = asyncio.Lock()

    async def send(self, execution_id: str, message: Message) -> None:
        """Send *message* of one of them, which stands behind it afterwards."""
        async with self._turn:
            if message.cursor is not None and not is_beat(message):
                self._places[execution_id] = str(message.cursor)
            await self._events.send(message, self._id())

    def _id(self) -> str:
        return ",".join(f"{name}={cursor}" for name, cursor in self._places.items())


class ManyEvents(EventStream):
    """The endpoint: an ASGI application."""

    async def _serve(self, request: Request, outlet: EventOutlet) -> None:
        require_allowed(request, self._settings.allowed_origins)
        grant = await self._access.require(request, "read")
        session = self._access.session(request, grant)
        async with session.lasting():
            await self._view_all(request, outlet, session)

    async def _view_all(self, request: Request, outlet: EventOutlet, session: Session) -> None:
        names, places, query = self._asked(request)
        wishes = {name: self._wish(name, places, query) for name in names}
        if request.headers.get("last-event-id") and await self._have_all(wishes, session):
            raise Refused(1000, "ended", "everything was delivered", 204)
        shared = ManyOutlet(outlet, places)
        await self._serve_all(request, shared, wishes, session)
        await outlet.close(1000, "ended")

    def _asked(self, request: Request) -> tuple[list[str], Places, list[tuple[str, str]]]:
        """Read which executions are asked for, where the client stands, and all else."""
        query = request.query_params.multi_items()
        names = list(dict.fromkeys(checked_id(value) for key, value in query if key == "execution"))
        most = self._settings.event_executions
        if not 1 <= len(names) <= most:
            text = f"{len(names)} executions are named, expected 1 to {most}"
            raise Refused(4400, "bad_request", text)
        last = request.headers.get("last-event-id") or request.query_params.get("after")
        places = {} if last in (None, "$") else places_of(last)
        left = ("after",) if last != "$" else ()
        rest = [pair for pair in query if pair[0] not in ("execution", *left)]
        return names, {name: places[name] for name in names if name in places}, rest

    def _wish(self, name: str, places: Places, query: list[tuple[str, str]]) -> Wish:
        after = [("after", places[name])] if name in places else []
        return Wish.read([*query, *after], self._settings.after_limit)

    async def _have_all(self, wishes: dict[str, Wish], session: Session) -> bool:
        for name in wishes:
            await session.require("read", name)
        return all(
            [wish.after and await self._has_all(name, wish.after) for name, wish in wishes.items()]
        )

    async def _serve_all(
        self,
        request: Request,
        shared: ManyOutlet,
        wishes: dict[str, Wish],
        session: Session,
    ) -> None:
        """Serve each until it ends; raise what ends all of them."""
        left = {
            asyncio.create_task(
                self._view_one(Part(partial(shared.send, name), name), name, wish, session)
            )
            for name, wish in wishes.items()
        }
        gone = asyncio.create_task(disconnected(request))
        try:
            while left and not gone.done():
                done, _ = await asyncio.wait({*left, gone}, return_when=asyncio.FIRST_COMPLETED)
                left -= done
                for task in done:
                    task.result()
        finally:
            await end(gone, *left)

    async def _view_one(self, part: Part, name: str, wish: Wish, session: Session) -> None:
        """Serve one execution to its end; one that is refused leaves the others as they are."""
        try:
            await session.require("read", name)
            async with viewing(self._hub, self._settings, part, name, wish) as viewer:
                await asyncio.wait([viewer.done])
                viewer.done.result()
        except Refused as refused:
            await part.send(told(refused))
