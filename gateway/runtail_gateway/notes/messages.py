"""Tell a client of notes: all that there are first, then what changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import orjson

from runtail_broker.connections.ending import end
from runtail_gateway.notes.watch import NotesNews, NotesReader
from runtail_gateway.protocol.message import Message, plain
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub
from runtail_gateway.viewers.viewer import Gone

Send = Callable[[Message], Awaitable[None]]


def notes_messages(news: NotesNews, most_bytes: int) -> Iterator[Message]:
    """Make the messages of *news*, each of at most about *most_bytes* of notes.

    Only the last one names the place: who has not got it does not know all.
    """
    parts: list[list[orjson.Fragment]] = [[]]
    size = 0
    for note in news.notes:
        text = orjson.dumps(note)
        if size + len(text) > most_bytes and parts[-1]:
            parts.append([])
            size = 0
        parts[-1].append(orjson.Fragment(text))
        size += len(text)
    for number, part in enumerate(parts):
        place = news.place if number == len(parts) - 1 else None
        is_all = news.all and number == 0
        yield plain("notes", {"notes": part, "all": is_all, "notes_cursor": place})


async def tell_notes(reader: NotesReader, send: Send, settings: GatewaySettings) -> bool:
    """Tell the next news; False when the execution is not there any more."""
    news = await reader.news()
    if news is None:
        return False
    for message in notes_messages(news, settings.message_bytes):
        await send(message)
    return True


@asynccontextmanager
async def telling_notes(
    hub: Hub, settings: GatewaySettings, send: Send, execution_id: str
) -> AsyncIterator[None]:
    """Tell a viewer of the notes while the block lasts: of those that there are before it begins.

    It begins without them if the engine does not answer for a while.
    """
    async with hub.notes_watch.reading(execution_id, None) as reader:
        first = asyncio.Event()
        task = asyncio.create_task(_tell_on(reader, send, settings, first))
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(first.wait(), settings.retry_seconds)
            yield
        finally:
            await end(task)


async def _tell_on(
    reader: NotesReader, send: Send, settings: GatewaySettings, first: asyncio.Event
) -> None:
    try:
        while await tell_notes(reader, send, settings):
            first.set()
    except Gone:
        pass  # whoever serves the viewer sees it too
    finally:
        first.set()
