"""A cluster in motion: slots that move while they are used, scripts that are not where they go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.broker.connections.test_live import listening
from tests.broker.executions import Execution, batch_of
from tests.engine_sets import Cluster, engine_cluster
from tests.polling import soon
from tests.slot_move import SlotMove

from runtail import Publisher
from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START
from runtail_broker.errors import Unavailable
from runtail_broker.executions import Executions
from runtail_broker.proof import Continues
from runtail_broker.script import Answer, Limits, delete_call, open_call, publish_call
from runtail_broker.stream import StreamReader


@pytest.fixture(scope="module")
def redis_whole_cluster() -> Iterator[Cluster]:
    with engine_cluster("redis") as cluster:
        yield cluster


@pytest.fixture(
    params=[
        "whole_cluster",
        pytest.param("redis_whole_cluster", marks=[pytest.mark.redis_server, pytest.mark.full]),
    ]
)
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Valkey's, and Redis's."""
    found: Cluster = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def nodes(cluster: Cluster) -> AsyncIterator[Nodes]:
    nodes = Nodes.connect(cluster.url)
    yield nodes
    await nodes.close()


@pytest.fixture
async def execution(nodes: Nodes, execution_id: str) -> Execution:
    execution = Execution(nodes, execution_id)
    await execution.open()
    await execution.publish("before")
    return execution


@pytest.fixture
def move(cluster: Cluster, execution_id: str) -> Iterator[SlotMove]:
    """A move of the execution's slot, which is finished in the end."""
    move = SlotMove.of(cluster, execution_id)
    yield move
    move.finish()


async def read(execution: Execution) -> list[str]:
    """Read an execution as a gateway does; list its messages."""
    verdict, bounds = await StreamReader(execution.nodes).resume(execution.id, [START], 100)
    assert isinstance(verdict, Continues)
    assert bounds.last.number == verdict.entries[-1].last_seq
    return [str(r["message"]) for r in await execution.records() if "message" in r]


async def test_what_has_not_moved_yet_is_served_where_it_is(
    execution: Execution, move: SlotMove
) -> None:
    move.begin()
    assert (await execution.publish("amid")).word == "stored"
    assert await read(execution) == ["before", "amid"]


async def test_what_has_moved_is_served_where_it_went_though_the_scripts_are_not_there(
    execution: Execution, move: SlotMove
) -> None:
    move.begin()
    move.move(*move.keys())
    move.target.ask("SCRIPT", "FLUSH")
    assert (await execution.publish("amid")).word == "stored"
    assert (await execution.beat(2)).word == "alive"
    assert await read(execution) == ["before", "amid"]
    (state,) = await Executions(execution.nodes).states([execution.id])
    assert state.last_seq == 3


async def test_a_round_that_is_led_elsewhere_half_way_is_stored_once_and_in_order(
    execution: Execution, move: SlotMove, nodes: Nodes
) -> None:
    move.begin()
    move.move(*move.keys())
    move.target.ask("SCRIPT", "FLUSH")
    batches = [batch_of(execution.id, n, [str(n)], before=n - 1) for n in (2, 3, 4)]
    calls = [publish_call(execution.id, "p1", batch) for batch in batches]
    for words in (["stored"] * 3, ["duplicate"] * 3):
        answers = await nodes.run_all(calls)
        assert [a.word for a in answers if isinstance(a, Answer)] == words
    assert await read(execution) == ["before", "2", "3", "4"]


async def test_an_execution_is_opened_while_its_slot_moves(
    nodes: Nodes, move: SlotMove, execution_id: str
) -> None:
    """A node that imports a slot answers TRYAGAIN to who names keys that are not there yet."""
    move.begin()
    execution = Execution(nodes, execution_id)
    assert (await execution.open()).word == "created"
    assert (await execution.publish("amid")).word == "stored"
    assert await read(execution) == ["amid"]


async def test_after_the_move_it_goes_on_where_it_is_now(
    execution: Execution, move: SlotMove
) -> None:
    before = await execution.nodes.node_of(execution.id)
    move.begin()
    move.finish()
    assert (await execution.publish("after")).word == "stored"
    assert await read(execution) == ["before", "after"]
    assert await execution.nodes.node_of(execution.id) is not before


async def test_what_has_moved_in_part_is_unavailable_until_all_of_it_is_there(
    execution: Execution, move: SlotMove
) -> None:
    move.begin()
    move.move(execution.keys.state)
    with pytest.raises(Unavailable, match="during rehashing of slot"):
        await execution.publish("amid")
    batch = batch_of(execution.id, 2, ["amid"], before=1)
    move.move(*move.keys())
    assert (await execution.send(batch)).word == "stored"
    assert await read(execution) == ["before", "amid"]


async def test_what_moves_is_deleted_where_it_is_or_not_at_all(
    execution: Execution, move: SlotMove, nodes: Nodes
) -> None:
    deletion = delete_call(execution.id, force=True, remembered_seconds=60)
    move.begin()
    with pytest.raises(Unavailable):  # where it is, nothing can be made that remembers it
        await nodes.run(deletion)
    assert await read(execution) == ["before"]
    move.move(*move.keys())
    assert (await nodes.run(deletion)).word == "deleted"
    assert (await StreamReader(nodes).bounds(execution.id)).epoch is None


async def test_a_tail_is_told_what_it_does_not_hear_while_a_slot_moves_and_hears_it_afterwards(
    execution: Execution, move: SlotMove, nodes: Nodes
) -> None:
    async with listening(nodes) as (live, heard):
        await live.want(execution.id)
        await soon(lambda: len(heard.freshened) == 1, "it is confirmed")
        await execution.publish("heard")
        await soon(lambda: len(heard.entries) == 1, "it is heard")
        move.begin()
        move.move(*move.keys())
        await soon(lambda: len(heard.unheard_of) > 2, "it is told again and again")
        assert set(heard.unheard_of) == {execution.id}
        move.finish()
        await soon(lambda: len(heard.freshened) == 2, "it is subscribed to where it is now")
        await execution.publish("heard again")
        await soon(lambda: len(heard.entries) == 2, "it is heard")
        told = len(heard.unheard_of)
        await soon(lambda: live.contact_seconds() > 1, "the links have been there for a while")
        assert len(heard.unheard_of) <= told + 1


async def test_a_key_that_cannot_be_made_while_the_slot_moves_away_holds_up_nothing(
    cluster: Cluster, nodes: Nodes, execution_id: str, move: SlotMove
) -> None:
    """The statistic of steps is a key of its own, made by the first one that ends."""

    def publish() -> tuple[bool, int]:
        with Publisher(cluster.url_as("runtail-worker")) as publisher:
            run = publisher.execution(execution_id)
            assert publisher.flush(10)
            move.begin()
            with run.step("build"):
                run.info("amid")
            return publisher.flush(10), publisher.counters.retried

    assert await asyncio.to_thread(publish) == (True, 0)
    assert await read(Execution(nodes, execution_id)) == ["amid"]


async def test_a_slot_that_a_probe_lives_in_may_move(cluster: Cluster, nodes: Nodes) -> None:
    async with listening(nodes) as (live, _):
        await live.start()
        await soon(lambda: live.silent_seconds() < 0.2, "all probes are heard")
        link = next(iter(live._links.values()))
        tag = link._shard.tag
        move = SlotMove.of(cluster, tag)
        move.begin()
        move.finish()
        await soon(lambda: link not in live._links.values(), "another link took its place")
        await soon(lambda: live.silent_seconds() < 0.2, "all probes are heard")


async def test_an_opening_in_the_same_round_as_a_moved_one_is_answered(
    execution: Execution, move: SlotMove, nodes: Nodes
) -> None:
    node = await nodes.node_of(execution.id)
    names = [f"{execution.id}-{n}" for n in range(60)]
    (beside, *_) = [name for name in names if await nodes.node_of(name) is node]
    move.begin()
    move.finish()
    opening = open_call(beside, "p", "owner", "", Limits())
    publishing = publish_call(execution.id, "p1", batch_of(execution.id, 2, ["after"], before=1))
    answers = await nodes.run_all([opening, publishing])
    assert [a.word for a in answers if isinstance(a, Answer)] == ["created", "stored"]
