"""All readers share one connection: answers find who asked, and whatever goes wrong is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvloop
from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis
from redis.exceptions import ConnectionError

from runtail_broker.connections.client import Nodes, connect
from runtail_broker.connections.shared_link import NotHere, SharedLink


@pytest.fixture
async def node(engine_url: str) -> AsyncIterator[Redis]:
    client = connect(engine_url, timeout_seconds=0.4)
    yield client
    await client.aclose()


@pytest.fixture
async def link(node: Redis) -> AsyncIterator[SharedLink]:
    link = SharedLink(node)
    yield link
    await link.close()


async def _connections(node: Redis) -> int:
    return len(await node.client_list())


async def test_each_who_asks_gets_its_own_answer(link: SharedLink) -> None:
    for _ in range(3):
        answers = await asyncio.gather(*(link.ask(("ECHO", n)) for n in range(500)))
        assert answers == [b"%d" % n for n in range(500)]


async def test_all_of_them_share_one_connection(node: Redis, link: SharedLink) -> None:
    before = await _connections(node)
    await asyncio.gather(*(link.ask(("ECHO", n)) for n in range(100)))
    assert await _connections(node) == before + 1


async def test_several_commands_are_answered_by_the_last_ones_answer(link: SharedLink) -> None:
    asked = (link.ask(("MULTI",), ("ECHO", n), ("ECHO", -n), ("EXEC",)) for n in range(50))
    answers = await asyncio.gather(*asked)
    assert answers == [[b"%d" % n, b"%d" % -n] for n in range(50)]


async def test_who_leaves_does_not_shift_the_answers_of_others(link: SharedLink) -> None:
    asking = [asyncio.create_task(link.ask(("ECHO", n))) for n in range(10)]
    await asyncio.sleep(0)
    for task in asking[::2]:
        task.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert answers[1::2] == [b"%d" % n for n in range(1, 10, 2)]


async def test_an_error_is_for_who_asked_for_it_alone(link: SharedLink) -> None:
    asked = [link.ask(("ECHO", 1)), link.ask(("NO-SUCH",)), link.ask(("ECHO", 2))]
    first, refused, second = await asyncio.gather(*asked, return_exceptions=True)
    assert (first, second) == (b"1", b"2")
    assert isinstance(refused, NotHere)


async def test_an_error_inside_a_transaction_is_no_answer(link: SharedLink, node: Redis) -> None:
    await node.set("shared-link", "text")
    with pytest.raises(NotHere):
        await link.ask(("MULTI",), ("HGETALL", "shared-link"), ("EXEC",))


async def test_a_link_that_is_cut_tells_who_waits_and_is_made_anew(
    link: SharedLink, node: Redis
) -> None:
    number = await link.ask(("CLIENT", "ID"))
    waiting = asyncio.create_task(link.ask(("BLPOP", "shared-link-none", 0)))
    await asyncio.sleep(0.05)
    await node.client_kill_filter(_id=str(number))
    with pytest.raises(ConnectionError):
        await waiting
    assert await link.ask(("ECHO", "again")) == b"again"


async def test_an_engine_that_does_not_answer_is_given_up_in_time(link: SharedLink) -> None:
    await link.ask(("ECHO", 1))
    await asyncio.sleep(0.5)  # a link that was idle is not thereby late
    assert await link.ask(("ECHO", 2)) == b"2"
    with pytest.raises(TimeoutError, match="has not answered"):
        await link.ask(("BLPOP", "shared-link-none", 0))


async def test_an_engine_that_lets_in_and_says_nothing_is_given_up_in_time() -> None:
    """What is asked before there is a link must not wait for one for ever; the next try is new."""
    arrivals = 0

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal arrivals
        arrivals += 1
        await reader.read()  # to its end
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = connect(f"redis://127.0.0.1:{port}", timeout_seconds=0.2)
        link = SharedLink(client)
        for tries in (1, 2):
            with pytest.raises((ConnectionError, TimeoutError, OSError)):
                await asyncio.wait_for(link.ask(("PING",)), 3)
            assert arrivals == tries
        await link.close()
        await client.aclose()


async def test_an_engine_that_is_away_is_told(link: SharedLink) -> None:
    nowhere = SharedLink(connect("redis://127.0.0.1:1"))
    with pytest.raises(ConnectionError):
        await nowhere.ask(("ECHO", 1))
    await nowhere.close()


async def test_closing_tells_who_waits(link: SharedLink) -> None:
    waiting = asyncio.create_task(link.ask(("BLPOP", "shared-link-none", 0)))
    await asyncio.sleep(0.05)
    await link.close()
    with pytest.raises(ConnectionError, match="closed"):
        await waiting


async def test_what_cannot_be_answered_here_is_asked_by_the_client(engine_url: str) -> None:
    fake = Nodes(FakeAsyncRedis(server=FakeServer(), protocol=3, legacy_responses=False))
    real = Nodes.connect(engine_url)
    for nodes in (fake, real):
        for _ in range(2):
            assert await nodes.ask("key", ("EXISTS", "no-such-key")) == 0
            both = await nodes.ask("key", ("EXISTS", "no-such-key"), ("HGETALL", "no-such-key"))
            assert both == [0, {}]
        await nodes.close()


async def test_connections_go_with_the_nodes(engine_url: str, node: Redis) -> None:
    nodes = Nodes.connect(engine_url)
    await node.ping()
    before = await _connections(node)
    await nodes.ask("key", ("EXISTS", "key"))
    await nodes.close()
    for _ in range(100):
        if await _connections(node) == before:
            break
        await asyncio.sleep(0.01)
    assert await _connections(node) == before


def test_the_first_answers_of_a_link_are_heard_under_uvloop_too(engine_url: str) -> None:
    async def first_answers() -> list[bytes]:
        answers = []
        for number in range(30):
            link = SharedLink(connect(engine_url))
            async with asyncio.timeout(5):
                answers.append(await link.ask(("ECHO", number)))
            await link.close()
        return answers

    assert uvloop.run(first_answers()) == [b"%d" % number for number in range(30)]
