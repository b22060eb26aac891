"""The live subscription on real engines: what is heard, when to prove again, how it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.broker.executions import Execution
from tests.conftest import REAL_ENGINES
from tests.engines import TestEngine
from tests.polling import soon
from tests.proxy import proxy_to

from runtail_broker.changes import tell
from runtail_broker.connections.client import Nodes
from runtail_broker.connections.live import Live, LiveSettings
from runtail_broker.records.entry import Entry

everywhere = pytest.mark.parametrize("engine", REAL_ENGINES, indirect=True)
# a cluster takes only channels of one slot together, and leads past a proxy
single = pytest.mark.parametrize("engine", REAL_ENGINES[:2], indirect=True)
QUICK = LiveSettings(probe_seconds=0.05, probe_timeout_seconds=0.4, backoff_seconds=0.1)


class Heard:
    """A listener that notes what it is told."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.freshened: list[str] = []
        self.noted_of: list[str] = []
        self.unheard_of: list[str] = []
        self.told: list[str] = []
        self.fresh_changes = 0

    def message(self, execution_id: str, payload: bytes) -> None:
        self.entries.append(Entry.from_live(payload))

    def fresh(self, execution_id: str) -> None:
        self.freshened.append(execution_id)

    def noted(self, execution_id: str) -> None:
        self.noted_of.append(execution_id)

    def unheard(self, execution_id: str) -> None:
        self.unheard_of.append(execution_id)

    def changed(self, execution_ids: list[str]) -> None:
        self.told += execution_ids

    def changes_fresh(self) -> None:
        self.fresh_changes += 1


@asynccontextmanager
async def listening(nodes: Nodes) -> AsyncIterator[tuple[Live, Heard]]:
    heard = Heard()
    async with Live(nodes, heard, QUICK) as live:
        yield live, heard


async def kill_subscribers(nodes: Nodes) -> None:
    for shard in await nodes.shards():
        await shard.node.execute_command("CLIENT", "KILL", "TYPE", "pubsub")


async def subscribe_calls(nodes: Nodes) -> int:
    (shard,) = await nodes.shards()
    stats = await shard.node.info("commandstats")
    return int(stats.get("cmdstat_ssubscribe", {}).get("calls", 0))


@everywhere
async def test_a_confirmed_subscription_hears_every_frame(nodes: Nodes, execution_id: str) -> None:
    execution = Execution(nodes, execution_id)
    await execution.open()
    async with listening(nodes) as (live, heard):
        await live.want(execution_id)
        await soon(lambda: heard.freshened == [execution_id], "it is confirmed")
        for text in "abc":
            await execution.publish(text)
        await soon(lambda: len(heard.entries) == 3, "all frames are heard")
    assert [entry.seq for entry in heard.entries] == [2, 3, 4]


@everywhere
async def test_a_link_that_was_cut_says_that_its_subscriptions_are_fresh(
    nodes: Nodes, execution_id: str
) -> None:
    async with listening(nodes) as (live, heard):
        await live.want(execution_id)
        await soon(lambda: len(heard.freshened) == 1, "it is confirmed")
        await kill_subscribers(nodes)
        await soon(lambda: len(heard.freshened) == 2, "it is fresh again")


@everywhere
async def test_what_is_not_wanted_any_more_is_not_heard(nodes: Nodes, execution_id: str) -> None:
    execution = Execution(nodes, execution_id)
    await execution.open()
    async with listening(nodes) as (live, heard):
        await live.want(execution_id)
        await soon(lambda: heard.freshened, "it is confirmed")
        live.drop(execution_id)
        (shard,) = await nodes.shards()
        async with asyncio.timeout(5):
            while await shard.node.execute_command("PUBSUB", "SHARDCHANNELS", execution.keys.live):
                pass
        await execution.publish("unheard")
        await kill_subscribers(nodes)
        await soon(
            lambda: live.silent_seconds() < QUICK.probe_timeout_seconds, "the link hears its probe"
        )
    assert heard.entries == []
    assert len(heard.freshened) == 1


@single
async def test_what_is_wanted_in_one_turn_is_one_command(nodes: Nodes) -> None:
    async with listening(nodes) as (live, heard):
        await live.start()
        await soon(lambda: live.silent_seconds() < 1, "the link hears its probe")
        before = await subscribe_calls(nodes)
        await asyncio.gather(*(live.want(f"run-{number}") for number in range(50)))
        await soon(lambda: len(heard.freshened) == 50, "all are confirmed")
        assert await subscribe_calls(nodes) - before == 1


@single
async def test_a_link_that_never_gets_ready_is_given_up_and_made_anew(
    engine: TestEngine, nodes: Nodes, execution_id: str
) -> None:
    """It is let in, and then nothing comes: there is no probe yet that could miss its answer."""
    assert engine.url is not None
    with proxy_to(engine.url) as proxy:
        behind = Nodes.connect(proxy.url, timeout_seconds=0.2)
        async with listening(behind) as (live, heard):
            await live.want(execution_id)
            await soon(lambda: len(heard.freshened) == 1, "it is confirmed")
            led = proxy.led
            proxy.hold()
            await kill_subscribers(nodes)
            await soon(lambda: proxy.led > led, "it has come back")
            proxy.swallow()
            proxy.forward()
            await soon(lambda: len(heard.freshened) == 2, "it is fresh again")
        await behind.close()


@single
async def test_a_link_that_is_held_up_is_cut_and_made_anew(
    nodes: Nodes, engine: TestEngine, execution_id: str
) -> None:
    assert engine.url is not None
    with proxy_to(engine.url) as proxy:
        behind = Nodes.connect(proxy.url, timeout_seconds=0.2)
        try:
            async with listening(behind) as (live, heard):
                await live.want(execution_id)
                await soon(
                    lambda: heard.freshened and live.contact_seconds() > 0, "it is in contact"
                )
                proxy.hold()
                await soon(lambda: live.contact_seconds() < 0, "the link is cut")
                proxy.forward()
                await soon(lambda: len(heard.freshened) > 1, "it is fresh again")
                await soon(
                    lambda: live.silent_seconds() < QUICK.probe_timeout_seconds,
                    "the link hears its probe",
                )
        finally:
            await behind.close()


@single
async def test_a_link_that_may_be_silent_for_a_moment_only_is_probed_in_time(nodes: Nodes) -> None:
    """However short that moment, a link that hears everything is never called deaf."""
    async with Live(nodes, Heard(), LiveSettings.hearing_within(1.2)) as live:
        await live.start()
        await soon(lambda: live.contact_seconds() > 2.0, "it stays in contact")
        assert live.silent_seconds() < 1.2


def test_probes_that_are_rarer_than_a_link_may_be_silent_are_refused() -> None:
    with pytest.raises(ValueError, match=r"probe_timeout_seconds is 2.9, expected at least 3"):
        LiveSettings(probe_seconds=2.0, probe_timeout_seconds=2.9)


@pytest.mark.redis_server
@pytest.mark.parametrize("engine", ["redis"], indirect=True)
async def test_another_primary_behind_the_same_address_begins_the_contact_anew(
    nodes: Nodes, engine: TestEngine, engine_url: str
) -> None:
    assert engine.url is not None
    slow = LiveSettings(probe_seconds=60, probe_timeout_seconds=600)
    with proxy_to(engine.url) as proxy:
        behind = Nodes.connect(proxy.url)
        async with Live(behind, Heard(), slow) as live:
            await live.start()
            await soon(lambda: live.contact_seconds() > 0.5, "it was in contact for long")
            await live.confirm()
            assert live.contact_seconds() > 0.5
            proxy.lead_to(engine_url)  # new connections only: the link goes on as before
            await (await behind.shards())[0].node.connection_pool.disconnect()
            await live.confirm()
            assert live.contact_seconds() < 0.5
        await behind.close()


@everywhere
async def test_it_ends_at_once_wherever_it_is_interrupted(nodes: Nodes) -> None:
    """redis-py swallows a cancellation that comes just when a write is done."""
    begun = time.monotonic()
    for turns in range(40):
        async with listening(nodes) as (live, _):
            await live.start()
            for _ in range(turns):
                await asyncio.sleep(0)
    assert time.monotonic() - begun < 20


@everywhere
async def test_changes_of_any_execution_are_heard_while_they_are_wanted(nodes: Nodes) -> None:
    names = [f"run-{n}" for n in range(40)]  # in several parts of the index
    async with listening(nodes) as (live, heard):
        await live.want_changes()
        await soon(lambda: heard.fresh_changes == 16, "all channels are confirmed")
        await tell(nodes, names)
        await soon(lambda: len(heard.told) == 40, "all are heard")
        assert sorted(heard.told) == sorted(names)
        assert (heard.entries, heard.freshened) == ([], [])
