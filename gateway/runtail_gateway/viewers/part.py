"""Send the messages of one execution over what it shares with others: each says whose it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson

from runtail_gateway.protocol.message import Message
from runtail_gateway.viewers.viewer import never


class Part:
    """The outlet of one execution's viewer, which passes to *send* what is labelled."""

    def __init__(self, send: Callable[[Message], Awaitable[None]], execution_id: str) -> None:
        self._send = send
        self._head = b'{"execution_id":%b,' % orjson.dumps(execution_id)
        self.write: Callable[[Message], bool] = never

    async def send(self, message: Message) -> None:
        """Send *message* with the execution's id in front."""
        first, *rest = message.parts
        parts = (self._head, first[1:], *rest)
        await self._send(Message(parts, message.before, message.cursor, message.count))

    async def close(self, code: int, reason: str) -> None:
        """Leave open what is for others too."""
