"""Ask a node over one connection that all readers share: what is asked in one turn is one write.

A command that goes through redis-py's pool costs 150 to 250 µs of the reader's processor (the
connection is taken, four time limits are set, a task is woken per line), this way 15 to 25. What is
needed of a connection is looked for and never required: where it is missing, or the node answers
with an error, `NotHere` says so, and who asks goes through the pool, slower and just as correct.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, RedisError, ResponseError

from runtail_broker.connections.ending import end
from runtail_broker.connections.hearing import hear

Command = Sequence[str | bytes | int]
_SILENT_SECONDS: Final = 5.0  # where the client of the node has no limit of its own
_LOOKS: Final = 5  # within that time
_pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command


class NotHere(Exception):
    """Ask by the client's own means: the node answered with an error, or this link cannot be."""


class SharedLink:
    """One connection to *node*, made when it is first needed, and anew when it was cut."""

    def __init__(self, node: Redis) -> None:
        known = node.connection_pool.connection_kwargs
        self._node, self._seconds = node, known.get("socket_timeout") or _SILENT_SECONDS
        self._unsent: list[bytes] = []
        self._waiting: deque[asyncio.Future[Any] | None] = deque()  # None: nobody wants the answer
        self._progress_at = 0.0  # the last answer, or when there was none to wait for
        self._transport: asyncio.WriteTransport | None = None
        self._task: asyncio.Task[None] | None = None
        self._able = True

    async def ask(self, *commands: Command) -> Any:
        """Run *commands* one after the other, none of another reader between; return the last
        one's answer as the engine sends it (RESP3).

        Raises NotHere, or what redis-py raises when the node does not answer: whether the commands
        were run is then unknown.
        """
        return await self._asked(commands)

    async def ask_each(self, commands: Iterable[Command]) -> list[Any]:
        """Run *commands* as by `ask` each; list the answers, NotHere in place of an error."""
        answers = [self._asked((command,)) for command in commands]
        return await asyncio.gather(*answers, return_exceptions=True)

    def _asked(self, commands: Sequence[Command]) -> asyncio.Future[Any]:
        """Ask; the future of the last one's answer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        if not self._able:
            answer.set_exception(NotHere)
            return answer
        if not self._waiting:
            self._progress_at = loop.time()
        if not self._unsent:
            loop.call_soon(self._send)
        self._unsent += [_pack(tuple(command)) for command in commands]
        self._waiting.extend([None] * (len(commands) - 1))
        self._waiting.append(answer)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="shared link")
        return answer

    async def close(self) -> None:
        """Cut the connection."""
        if self._task is not None:
            await end(self._task)

    def _send(self) -> None:
        """Write what was asked in this turn; what is asked before there is a link waits for it."""
        if self._transport is not None and self._unsent:
            self._transport.write(b"".join(self._unsent))
            self._unsent.clear()

    async def _run(self) -> None:
        connection = _connection(self._node)
        error: Exception = ConnectionError("the link to the engine was closed")
        try:
            async with asyncio.TaskGroup() as group:
                async with asyncio.timeout(self._seconds):  # nobody watches it yet
                    await connection.connect()
                transport = getattr(getattr(connection, "_writer", None), "transport", None)
                if transport is None:
                    self._able = False
                    raise NotHere
                self._progress_at = asyncio.get_running_loop().time()
                group.create_task(hear(connection, self._take, self._take))
                group.create_task(self._watch())
                await asyncio.sleep(0)  # an answer that came before it hears would be lost
                self._transport = transport
                self._send()
        except* (RedisError, OSError, TimeoutError, NotHere) as cut:
            error = cut.exceptions[0]
        finally:
            self._transport = self._task = None
            self._fail(error)
            with suppress(RedisError, OSError, RuntimeError):
                await connection.disconnect()

    async def _watch(self) -> None:
        """Cut a link that answers nothing for too long."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._seconds / _LOOKS)
            silent = loop.time() - self._progress_at
            if self._waiting and silent > self._seconds:
                raise TimeoutError(f"the engine has not answered for {silent:.1f} s")

    def _take(self, reply: Any) -> None:
        if isinstance(reply, hiredis.PushNotification):
            return  # the engine says something by itself
        self._progress_at = asyncio.get_running_loop().time()
        answer = self._waiting.popleft()
        if answer is None or answer.done():  # done: who asked was cancelled
            return
        if _has_error(reply):
            answer.set_exception(NotHere)
        else:
            answer.set_result(reply)

    def _fail(self, error: Exception) -> None:
        waiting = [answer for answer in self._waiting if answer is not None and not answer.done()]
        self._waiting.clear()
        self._unsent.clear()
        for answer in waiting:
            answer.set_exception(error)


def _has_error(reply: Any) -> bool:
    """Whether *reply* is an error, or that of a transaction and holds one."""
    if isinstance(reply, list):
        return any(isinstance(part, ResponseError) for part in reply)
    return isinstance(reply, ResponseError)


def _connection(node: Redis) -> AbstractConnection:
    """Make a connection beside the pool's. No time limit, since silence is watched here."""
    pool = node.connection_pool
    known = {**pool.connection_kwargs, "protocol": 3, "socket_timeout": None}
    connection: AbstractConnection = pool.connection_class(**known)
    return connection
