"""Hear what a connection is sent in the very turn of the loop in which it arrives.

redis-py reads through a stream, a future and a task, which costs a frame that is heard alone more
than all that is done with it. Here the replies are parsed as the bytes come, by hiredis, and given
on at once. What is needed of a connection is looked for and never required: where it is missing,
`hear` reads as redis-py does, slower and just as correct.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, ResponseError

_REPLIES_A_TURN = 512  # then other tasks get theirs
_MISSING = object()

Take = Callable[[Any], None]
Refused = Callable[[ResponseError], None]


def _raise(error: ResponseError) -> None:
    raise error


async def hear(connection: AbstractConnection, take: Take, refused: Refused = _raise) -> None:
    """Give each reply of a connected *connection* to *take*, for ever, in their order.

    Nothing may be under way on it. The engine's refusal of a command goes to *refused*. Raises what
    cuts it: ConnectionError, or what the two raise. Who wants no more replies disconnects it.
    """
    transport = getattr(getattr(connection, "_writer", None), "transport", None)
    if transport is None:
        await _read(connection, take, refused)
        return
    loop = asyncio.get_running_loop()
    lost: asyncio.Future[None] = loop.create_future()
    hearing = Hearing(transport.get_protocol(), take, refused, lost)
    transport.set_protocol(hearing)
    try:
        await lost
    finally:
        hearing.stop()


async def _read(connection: AbstractConnection, take: Take, refused: Refused) -> None:
    """Do it by the client's own means."""
    for_this_turn = _REPLIES_A_TURN
    while True:
        try:
            take(await connection.read_response(disable_decoding=True, timeout=math.inf))
        except ResponseError as error:
            refused(error)
        for_this_turn -= 1
        if not for_this_turn:
            await asyncio.sleep(0)
            for_this_turn = _REPLIES_A_TURN


class Hearing(asyncio.Protocol):
    """Parse what arrives; *below*, the client's own protocol, still sees to what is written."""

    def __init__(
        self, below: Any, take: Take, refused: Refused, lost: asyncio.Future[None]
    ) -> None:
        self._below, self._take, self._refused, self._lost = below, take, refused, lost
        self._reader = hiredis.Reader(replyError=ResponseError, notEnoughData=_MISSING)

    def data_received(self, data: bytes) -> None:
        """Give on each whole reply; whoever takes it and raises cuts the connection."""
        reader, take = self._reader, self._take
        try:
            reader.feed(data)
            while not self._lost.done() and (reply := reader.gets()) is not _MISSING:
                if isinstance(reply, ResponseError):
                    self._refused(reply)
                else:
                    take(reply)
        except Exception as error:  # noqa: BLE001 - raised again by who waits for the connection
            self._fail(error)

    def eof_received(self) -> bool:
        """The engine says no more."""
        self._fail(ConnectionError("the engine closed the connection"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell both who hears and who writes."""
        self._below.connection_lost(exc)
        self._fail(exc or ConnectionError("the connection to the engine is lost"))

    def pause_writing(self) -> None:
        """Let who writes wait."""
        self._below.pause_writing()

    def resume_writing(self) -> None:
        """Let who writes go on."""
        self._below.resume_writing()

    def stop(self) -> None:
        """Give nothing on any more."""
        if not self._lost.done():
            self._lost.cancel()

    def _fail(self, error: Exception) -> None:
        if not self._lost.done():
            self._lost.set_exception(error)
