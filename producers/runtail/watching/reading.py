"""Read an execution's records from a gateway, in a script: `for record in runtail.read(url, id)`.

What to show, what to resume with and when it is done is decided by `Viewer`; here it is only
carried out, in a thread or in an event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import Any

from runtail.watching.listening import Cut, Message, listen, listen_async, logs_address
from runtail.watching.viewer import InvalidMessage, Viewer
from runtail.watching.viewer_event import (
    Broken,
    Done,
    Ended,
    Event,
    Gap,
    LogRecord,
    Records,
    Refused,
    Reset,
)
from runtail_broker.cursor import Cursor
from runtail_broker.errors import RuntailError
from runtail_broker.keys import checked


class ReadRefused(RuntailError):
    """The gateway does not serve this reader, and another try cannot help; *code* as it closed."""

    def __init__(self, code: int, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{message} (code {code})" if code else message)


class Reading:
    """The records of one execution, ascending, each once; iterate it once, by `for` or `async for`.

    Resumes by itself, on whatever gateway answers at the address, until the execution has ended.
    What is not a record is a dict with a `kind` of its own: `gap` (`after_seq`, `before_seq`,
    `lost`, `reason`: these records are gone) and `reset` (`seq`, `reason`: forget the records after
    that one, what the stream holds instead follows). Raises ReadRefused; an engine or a gateway
    that is away is waited for. Leaving the loop ends the connection.
    """

    def __init__(self, address: str, viewer: Viewer, token: str | None = None) -> None:
        self._address, self._viewer, self._token = address, viewer, token
        self._cut: Cut | None = None  # why the connection is to be left
        self._amid: str | None = None  # the id of the last record given, if more came with it
        self.totals: dict[str, Any] = {}
        """What the `end` proves: records, levels, dropped …; empty before it."""

    @property
    def status(self) -> str | None:
        """How the execution ended; None before it did."""
        return self._viewer.status

    @property
    def cursor(self) -> str | None:
        """The place behind the last record given: as `after` it goes on there, in any process."""
        cursors = self._viewer.cursors()
        return self._amid or (str(cursors[0]) if cursors else None)

    def __iter__(self) -> Generator[LogRecord]:
        while (delay := self._delay()) is not None:
            time.sleep(delay)
            with closing(listen(self._url, self._token)) as messages:
                for message in messages:
                    for record in self._take(message):
                        self._amid = record.get("id")
                        yield record
                    if self._is_through():
                        break

    async def __aiter__(self) -> AsyncGenerator[LogRecord]:
        while (delay := self._delay()) is not None:
            await asyncio.sleep(delay)
            async with aclosing(listen_async(self._url, self._token)) as messages:
                async for message in messages:
                    for record in self._take(message):
                        self._amid = record.get("id")
                        yield record
                    if self._is_through():
                        break

    @property
    def _url(self) -> str:
        return f"{self._address}?{self._viewer.query()}"

    def _take(self, message: Message | Cut) -> list[LogRecord]:
        """Turn one message into what the reader gets; note why the connection is to be left."""
        if isinstance(message, Cut):
            self._cut = message
            return []
        try:
            events = self._viewer.take(message)
        except InvalidMessage as error:
            self._cut = Cut(None, str(error))
            return []
        for event in events:
            if isinstance(event, Broken):
                self._cut = Cut(None, event.reason)
        return [record for event in events for record in self._shown(event)]

    def _is_through(self) -> bool:
        """Whether this connection brings no more; all that it brought was given."""
        self._amid = None
        return self._cut is not None or self.status is not None

    def _shown(self, event: Event) -> list[LogRecord]:
        match event:
            case Records(records):
                return records
            case Gap(after_seq, before_seq, lost, reason):
                told = {"after_seq": after_seq, "before_seq": before_seq, "lost": lost}
                return [{"kind": "gap", **told, "reason": reason}]
            case Reset(seq, reason):
                return [{"kind": "reset", "seq": seq, "reason": reason}]
            case Ended(_, totals):
                self.totals = totals
        return []

    def _delay(self) -> float | None:
        """Say how long to wait before the next connection; None when all was read."""
        if self._cut is None and self.status is None:
            return 0.0  # the first one
        cut, self._cut = self._cut or Cut(None, "ended"), None
        match self._viewer.cut(cut.code, cut.reason):
            case Done():
                return None
            case Refused(code, message):
                raise ReadRefused(code, message)
            case retry:
                return retry.delay_seconds


def read(
    url: str,
    execution_id: str,
    *,
    after: str | None = None,
    tail: int | None = None,
    wait: bool = False,
    token: str | None = None,
) -> Reading:
    """Read *execution_id* from the gateway at *url* (http or https), from its first record on.

    *after* is a cursor to go on from (see `Reading.cursor`), `$` for only what is new; *tail* asks
    for the last records; *wait* waits for an execution that does not exist yet;
    *token* signs in. Raises InvalidExecutionId and InvalidCursor at once; nothing connects before
    the first record is asked for.
    """
    only_new = after == "$"
    start = None if after is None or only_new else Cursor.parse(after)
    viewer = Viewer(start, tail=tail, only_new=only_new, wait=wait)
    return Reading(logs_address(url.rstrip("/"), checked(execution_id)), viewer, token)
