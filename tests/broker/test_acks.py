"""Acknowledgements that wait for replicas or for the disk: what is told when it is not so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tests.broker.executions import Execution, batch_of
from tests.polling import until
from tests.server_process import Program, Server, server

from runtail import Publisher, PublisherSettings
from runtail_broker.acks import MEMORY, Acks
from runtail_broker.connections.client import Nodes
from runtail_broker.errors import EngineRefused, NotSafe
from runtail_broker.script import Answer, beat_call, publish_call

OF_ONE = Acks.read("replicas:1", 0.3)
DISK = Acks.read("disk", 1.5)


def url_of(started: Server) -> str:
    return f"redis://runtail-worker:change-me-worker@127.0.0.1:{started.port}"


@contextmanager
def started(program: Program, *settings: str) -> Iterator[Server]:
    with server(program, (), settings) as one:
        until(one.answers, "it answers")
        yield one


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    """A primary and its replica."""
    quick = ("repl-diskless-sync-delay 0", "masteruser operator", "masterauth change-me-operator")
    with ExitStack() as stack:
        primary = stack.enter_context(started("valkey", *quick))
        of = f"replicaof 127.0.0.1 {primary.port}"
        replica = stack.enter_context(started("valkey", of, *quick))
        until(lambda: len(primary.ask("ROLE")[2]) == 1, "the replica is linked")
        primary.ask("SET", "a", "write")
        assert primary.ask("WAIT", 1, 5000) == 1
        yield primary, replica


@pytest.fixture
def frozen(pair: tuple[Server, Server]) -> Iterator[Server]:
    """The replica, which stays connected and answers nothing until it is thawed."""
    pair[1].freeze()
    yield pair[1]
    pair[1].thaw()


@pytest.fixture
async def nodes(pair: tuple[Server, Server]) -> AsyncIterator[Nodes]:
    nodes = Nodes.connect(url_of(pair[0]))
    yield nodes
    await nodes.close()


@pytest.fixture
async def execution(nodes: Nodes, execution_id: str) -> Execution:
    execution = Execution(nodes, execution_id)
    await execution.open()
    return execution


async def published(execution: Execution, acks: Acks, number: int = 1) -> Answer:
    batch = batch_of(execution.id, number, ["a"], before=number - 1)
    return await execution.nodes.run(publish_call(execution.id, "p1", batch), acks=acks)


@pytest.mark.parametrize("text", ["memory", "disk", "replicas:1", "replicas:12"])
def test_acks_are_read_and_written(text: str) -> None:
    assert str(Acks.read(text)) == text


@pytest.mark.parametrize("text", ["", "Disk", "replicas", "replicas:0", "replicas:100", "all"])
def test_other_acks_are_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match=f"acks is {text!r}, expected memory, disk or replicas:N"):
        Acks.read(text)


@pytest.mark.parametrize("acks", [MEMORY, DISK, OF_ONE])
async def test_what_is_safe_is_answered(execution: Execution, acks: Acks) -> None:
    assert (await published(execution, acks)).word == "stored"


async def test_a_replica_that_does_not_answer_makes_it_not_safe_and_a_duplicate_neither(
    execution: Execution, pair: tuple[Server, Server], frozen: Server
) -> None:
    """Also over a connection that has stored nothing: as for who sends it again elsewhere."""
    with pytest.raises(NotSafe, match=r"stored, but acks is replicas:1 and after 0.3 s 0 of 1"):
        await published(execution, OF_ONE)
    other = Nodes.connect(url_of(pair[0]))
    again = Execution(other, execution.id)
    try:
        with pytest.raises(NotSafe):
            await published(again, OF_ONE)
        frozen.thaw()
        assert (await published(again, Acks.read("replicas:1", 5))).word == "duplicate"
    finally:
        await other.close()


async def test_more_replicas_than_there_are_make_it_not_safe(execution: Execution) -> None:
    with pytest.raises(NotSafe, match="1 of 2 replicas have it"):
        await published(execution, Acks.read("replicas:2", 0.2))


async def test_a_beat_waits_for_nothing(execution: Execution, frozen: Server) -> None:
    answer = await execution.nodes.run(beat_call(execution.id, "p1", 0, 1), acks=OF_ONE)
    assert answer.word == "alive"


async def test_an_engine_without_a_file_cannot_be_waited_for(execution_id: str) -> None:
    with started("valkey", "appendonly no") as one:
        nodes = Nodes.connect(url_of(one))
        execution = Execution(nodes, execution_id)
        await execution.open()
        with pytest.raises(EngineRefused, match=r"acks is disk, .* expected appendonly yes"):
            await published(execution, DISK)
        await nodes.close()


@pytest.mark.redis_server
@pytest.mark.parametrize("sync", ["everysec", "always"])
async def test_an_engine_before_7_2_is_safe_only_if_it_always_waits_for_its_disk(
    execution_id: str, sync: str
) -> None:
    with started("redis", f"appendfsync {sync}") as one:
        url = url_of(one).replace("runtail-worker", "operator").replace("me-worker", "me-operator")
        nodes = Nodes.connect(url)
        execution = Execution(nodes, execution_id)
        await execution.open()
        if sync == "always":
            assert (await published(execution, DISK)).word == "stored"
        else:
            with pytest.raises(EngineRefused, match=r"expected .* Redis 7.2 or later"):
                await published(execution, DISK)
        await nodes.close()


def test_a_publisher_keeps_what_is_not_safe_and_stores_it_once(
    pair: tuple[Server, Server], frozen: Server, execution_id: str
) -> None:
    settings = PublisherSettings(acks="replicas:1", acks_seconds=0.2, retry_max_seconds=0.1)
    with Publisher(url_of(pair[0]), settings=settings) as publisher:
        run = publisher.execution(execution_id)
        for number in range(300):
            run.info(f"line {number}")
        assert not publisher.flush(0.7)
        assert publisher.counters.stored == 0
        frozen.thaw()
        assert publisher.flush(10)
        assert publisher.counters.stored == 300


def test_one_wait_is_for_a_whole_round(pair: tuple[Server, Server], execution_id: str) -> None:
    settings = PublisherSettings(acks="replicas:1")
    waits = waits_of(pair[0])
    with Publisher(url_of(pair[0]), settings=settings) as publisher:
        run = publisher.execution(execution_id)
        for number in range(20_000):
            run.info(f"line {number}")
        assert publisher.flush(10)
    assert waits_of(pair[0]) - waits < 200


def waits_of(primary: Server) -> int:
    stats = primary.ask("INFO", "commandstats").decode()
    row = next((row for row in stats.splitlines() if row.startswith("cmdstat_wait:")), "calls=0,")
    return int(row.partition("calls=")[2].partition(",")[0])
