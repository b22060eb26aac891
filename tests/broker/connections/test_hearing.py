"""A connection is heard as its bytes come; whatever cuts it is told to who waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, ResponseError
from tests.polling import soon

from runtail_broker.connections.client import connect
from runtail_broker.connections.ending import end
from runtail_broker.connections.hearing import Hearing, hear
from runtail_broker.connections.live_link import _connection


class _NoTransport:
    """A connection of which nothing is known but how to read it."""

    def __init__(self, connection: AbstractConnection) -> None:
        self.read_response = connection.read_response


@pytest.fixture
async def connection(engine_url: str) -> AsyncIterator[AbstractConnection]:
    client = connect(engine_url)
    connection = _connection(client)
    await connection.connect()
    yield connection
    await connection.disconnect()
    await client.aclose()


@pytest.fixture(params=["as they come", "by the client"])
def ears(request: pytest.FixtureRequest, connection: AbstractConnection) -> Any:
    return connection if request.param == "as they come" else _NoTransport(connection)


async def test_replies_come_in_their_order(connection: AbstractConnection, ears: Any) -> None:
    heard: list[Any] = []
    hearing = asyncio.create_task(hear(ears, heard.append))
    await asyncio.sleep(0)
    for number in range(1000):
        await connection.send_command("ECHO", str(number))
    await soon(lambda: len(heard) == 1000, "all are heard")
    assert heard == [b"%d" % number for number in range(1000)]
    await end(hearing)


async def test_a_reply_of_many_packets_is_given_on_once_and_whole(
    connection: AbstractConnection, ears: Any
) -> None:
    heard: list[Any] = []
    hearing = asyncio.create_task(hear(ears, heard.append))
    await asyncio.sleep(0)
    text = b"x" * 3_000_000
    await connection.send_command("ECHO", text)
    await soon(lambda: bool(heard), "it is heard")
    assert heard == [text]
    await end(hearing)


async def test_a_refusal_is_raised(connection: AbstractConnection, ears: Any) -> None:
    hearing = asyncio.create_task(hear(ears, lambda reply: None))
    await asyncio.sleep(0)
    await connection.send_command("NO-SUCH-COMMAND")
    with pytest.raises(ResponseError, match="unknown command"):
        await hearing


async def test_what_the_taker_raises_is_raised(connection: AbstractConnection, ears: Any) -> None:
    def refuse(reply: Any) -> None:
        raise RuntimeError(f"got {reply!r}")

    hearing = asyncio.create_task(hear(ears, refuse))
    await asyncio.sleep(0)
    await connection.send_command("PING")
    with pytest.raises(RuntimeError, match="PONG"):
        await hearing


async def test_a_lost_connection_is_raised(
    connection: AbstractConnection, ears: Any, engine_url: str
) -> None:
    hearing = asyncio.create_task(hear(ears, lambda reply: None))
    await asyncio.sleep(0)
    await connection.send_command("QUIT")
    with pytest.raises((ConnectionError, OSError)):
        async with asyncio.timeout(5):
            await hearing


async def test_nothing_is_given_on_after_it_was_stopped() -> None:
    heard: list[Any] = []
    lost = asyncio.get_running_loop().create_future()
    hearing = Hearing(asyncio.Protocol(), heard.append, heard.append, lost)
    hearing.data_received(b"+one\r\n+two\r")
    hearing.stop()
    hearing.data_received(b"\n")
    assert heard == [b"one"]
