"""Greet a viewer of one execution and serve it, over whatever protocol its outlet speaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    nullcontext,
    suppress,
)
from typing import Any

from runtail_broker.cursor import START, Cursor, start_of
from runtail_broker.errors import ExecutionNotFound
from runtail_broker.proof import Bounds
from runtail_broker.state import ExecutionState
from runtail_gateway.notes.messages import telling_notes
from runtail_gateway.protocol.message import PROTOCOL, Message, plain
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.protocol.wish import Wish, deleted
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub
from runtail_gateway.viewers.viewer import Outlet, Viewer
from runtail_gateway.web.access_log import note_records


@asynccontextmanager
async def viewing(
    hub: Hub, settings: GatewaySettings, outlet: Outlet, execution_id: str, wish: Wish
) -> AsyncIterator[Viewer]:
    """Say `hello` to *outlet*, and serve it while the block lasts.

    Raises Refused, before anything is sent, for an execution that is not there, or was deleted.
    """
    if hub.watchers(execution_id) >= settings.viewers_per_execution:
        most = f"{settings.viewers_per_execution} viewers of {execution_id!r}, the most allowed"
        raise Refused(4329, "too_many", most, 503)
    with hub.watch(execution_id) as tail:
        state, bounds = await hub.executions.look(execution_id)
        if state is None and await hub.reader.was_deleted(execution_id):
            raise deleted(execution_id)
        if state is None and not wish.wait:
            raise Refused(4404, "not_found", str(ExecutionNotFound(execution_id)), 404)
        with tail.filters.of(wish.sieve) as source:
            cursors = await _start(hub, execution_id, wish, bounds)
            viewers = await hub.counts.greeting(execution_id)
            await outlet.send(_hello(state, bounds, cursors[0], viewers))
            del state, bounds  # 1 KB, for as long as the viewer stays
            async with _notes(hub, settings, outlet, execution_id, wish):
                resumed = hub.metrics.resumed if wish.resumes else None
                viewer = Viewer(outlet, source, cursors, settings, resumed)
                viewer.start()
                try:
                    yield viewer
                finally:
                    await viewer.stop()
                    note_records(max(0, viewer.cursor.number - cursors[0].number))


def _notes(
    hub: Hub, settings: GatewaySettings, outlet: Outlet, execution_id: str, wish: Wish
) -> AbstractAsyncContextManager[None]:
    """Tell of notes too, if that is wished for."""
    if not wish.notes:
        return nullcontext()
    return telling_notes(hub, settings, outlet.send, execution_id)


async def until_either(viewer: Viewer, listening: Coroutine[Any, Any, None]) -> None:
    """Wait until *viewer* has been served or *listening* to its client ends; raise what that did.

    What the viewer raised counts first.
    """

    def stop(_: object) -> None:
        with suppress(RuntimeError):  # it has ended meanwhile
            limit.reschedule(0.0)

    try:
        async with asyncio.timeout(None) as limit:  # a task to wait for would be 3 KB a viewer
            viewer.done.add_done_callback(stop)
            await listening
    except Exception:
        if not viewer.done.done():
            raise
    finally:
        viewer.done.remove_done_callback(stop)
    if viewer.done.done():
        viewer.done.result()


async def _start(hub: Hub, execution_id: str, wish: Wish, bounds: Bounds) -> list[Cursor]:
    if wish.after:
        return list(wish.after)
    if wish.new_only:
        return [START if bounds.epoch is None else bounds.last]
    if bounds.epoch is None:
        return [START]
    if wish.tail is not None:
        seq = max(0, bounds.last.number - wish.tail)
        return [await hub.reader.cursor_at(execution_id, seq)]
    return [start_of(bounds.epoch)]


def _hello(state: ExecutionState | None, bounds: Bounds, cursor: Cursor, viewers: int) -> Message:
    known = state is not None
    return plain(
        "hello",
        {
            "protocol": PROTOCOL,
            "epoch": state.epoch if state else None,
            "execution": state,  # orjson writes it five times as fast as `state.json()`
            "cursor": str(cursor),
            "first": bounds.first_seq if known else None,
            "last": bounds.last.number if known else None,
            "viewers": viewers,
        },
    )
