"""Talking to engines: scripts that are missing, engines that are away, operators' limits."""

from __future__ import annotations

from dataclasses import fields

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from tests.broker.executions import Execution, batch_of
from tests.conftest import REAL_ENGINES
from tests.engines import free_port

from runtail_broker.connections.client import Nodes, connect
from runtail_broker.cursor import START
from runtail_broker.errors import EngineRefused, RuntailError, Unavailable
from runtail_broker.keys import SETTINGS
from runtail_broker.script import Answer, Limits, beat_call, open_call, publish_call
from runtail_broker.stream import StreamReader

real = pytest.mark.parametrize("engine", REAL_ENGINES, indirect=True)


@pytest.fixture
async def execution(nodes: Nodes, execution_id: str) -> Execution:
    execution = Execution(nodes, execution_id)
    await execution.open()
    return execution


async def test_scripts_that_the_engine_forgot_are_sent_again(execution: Execution) -> None:
    for shard in await execution.nodes.shards():
        await shard.node.script_flush()
    assert (await execution.publish("a")).word == "stored"


async def test_calls_of_one_execution_are_answered_in_order(
    nodes: Nodes, execution_id: str
) -> None:
    batches = [batch_of(execution_id, i + 1, ["x"], before=i) for i in range(20)]
    calls = [open_call(execution_id, "p1", "owner", "wf", Limits())]
    calls += [publish_call(execution_id, "p1", batch) for batch in batches]
    answers = await nodes.run_all(calls)
    assert [a.last_batch for a in answers if isinstance(a, Answer)] == list(range(21))


async def test_calls_behind_one_whose_script_is_forgotten_see_what_it_did(
    nodes: Nodes, execution_id: str
) -> None:
    """The engine knows `publish` but not `open`: publishing must not be answered `unknown`."""
    opening = open_call(execution_id, "p1", "owner", "wf", Limits())
    publishing = publish_call(execution_id, "p1", batch_of(execution_id, 1, ["x"], before=0))
    for shard in await nodes.shards():
        await shard.node.script_flush()
        await shard.node.script_load(publishing.script.text)
    answers = await nodes.run_all([opening, publishing])
    assert [a.word for a in answers if isinstance(a, Answer)] == ["created", "stored"]


async def test_forgotten_scripts_store_every_call_of_a_round_once(execution: Execution) -> None:
    """The first call of a round fails for want of the script; the later ones must wait for it."""
    for shard in await execution.nodes.shards():
        await shard.node.script_flush()
    batches = [batch_of(execution.id, i + 1, [str(i)], before=i) for i in range(5)]
    calls = [publish_call(execution.id, "p1", batch) for batch in batches]
    answers = await execution.nodes.run_all([*calls, beat_call(execution.id, "p1", 5, 1)])
    assert [a.word for a in answers if isinstance(a, Answer)] == ["stored"] * 5 + ["alive"]
    assert [r.get("message") for r in (await execution.records())[1:]] == list("01234")


async def test_waiting_for_replicas_that_do_not_exist_takes_no_time(
    nodes: Nodes, execution_id: str
) -> None:
    call = open_call(execution_id, "p1", "owner", "wf", Limits())
    (answer,) = await nodes.run_all([call], replicated=True)
    assert isinstance(answer, Answer)
    assert answer.word == "created"


async def test_an_engine_that_nobody_runs_is_unavailable(execution_id: str) -> None:
    for url in (f"redis://127.0.0.1:{free_port()}", "unix:///tmp/rt-nobody.sock"):
        nodes = Nodes.connect(url, timeout_seconds=0.5)
        try:
            await assert_unavailable(nodes, execution_id)
        finally:
            await nodes.close()


async def test_an_engine_that_went_away_is_unavailable(execution_id: str) -> None:
    server = FakeServer()
    nodes = Nodes(FakeAsyncRedis(server=server, protocol=3, legacy_responses=False))
    await Execution(nodes, execution_id).open()
    server.connected = False
    await assert_unavailable(nodes, execution_id)
    server.connected = True
    assert (await Execution(nodes, execution_id).publish("a")).word == "stored"
    await nodes.close()


async def assert_unavailable(nodes: Nodes, execution_id: str) -> None:
    execution = Execution(nodes, execution_id)
    for attempt in (
        execution.open(),
        execution.publish("a"),
        nodes.limits(),
        StreamReader(nodes).after(execution_id, START),
    ):
        with pytest.raises(Unavailable) as caught:
            await attempt
        assert str(caught.value)


async def test_an_error_of_the_engine_is_refused_with_its_words(execution: Execution) -> None:
    await execution.remove(execution.keys.state)
    await execution.nodes.at(execution.keys.state, lambda n: n.set(execution.keys.state, "text"))
    with pytest.raises(EngineRefused, match="WRONGTYPE"):
        await execution.publish("a")
    with pytest.raises(EngineRefused, match="WRONGTYPE"):
        await StreamReader(execution.nodes).bounds(execution.id)


async def test_one_call_that_is_refused_leaves_the_others_answered(execution: Execution) -> None:
    other = Execution(execution.nodes, f"{execution.id}-broken")
    await other.nodes.at(execution.keys.notes, lambda n: n.set(execution.keys.notes, "x"))
    await execution.nodes.at(execution.keys.state, lambda n: n.hset(execution.keys.state, "n", 0))
    good, bad = beat_call(execution.id, "p1", 0, 1), beat_call(execution.id, "p1", 0, 2)
    broken = type(bad)(bad.script, bad.execution_id, (*bad.keys[:1], *bad.keys[:1]), bad.arguments)
    await execution.nodes.at(execution.keys.stream, lambda n: n.xlen(execution.keys.stream))
    answers = await execution.nodes.run_all([good, broken, good])
    assert [type(answer) for answer in answers] == [Answer, EngineRefused, Answer]


@real
async def test_a_user_without_the_right_is_refused(execution: Execution) -> None:
    node = await execution.nodes.node_of(execution.id)
    await node.execute_command(
        "ACL", "SETUSER", "reader", "reset", "on", "nopass", "allkeys", "allchannels", "+@read"
    )
    pool = node.connection_pool
    reader = type(node).from_pool(
        type(pool)(
            connection_class=pool.connection_class,
            **pool.connection_kwargs | {"username": "reader", "password": "x"},
        )
    )
    try:
        with pytest.raises(RuntailError, match=r"(?i)noperm|permission"):
            await Execution(Nodes(reader), execution.id).publish("a")
    finally:
        await reader.aclose()
        await node.execute_command("ACL", "DELUSER", "reader")


async def test_limits_are_the_defaults_where_operators_set_none(nodes: Nodes) -> None:
    assert await nodes.limits() == Limits()


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
async def test_each_limit_is_read_under_its_own_name(nodes: Nodes, name: str) -> None:
    await nodes.at(SETTINGS, lambda n: n.hset(SETTINGS, mapping={name: "7", "unknown": "x"}))
    assert await nodes.limits() == Limits(**{name: 7})


async def test_a_single_server_is_one_shard(nodes: Nodes) -> None:
    (shard,) = await nodes.shards()
    assert shard.tag


async def test_a_client_connects_only_when_it_is_used() -> None:
    client = connect(f"redis://127.0.0.1:{free_port()}")
    await client.aclose()
