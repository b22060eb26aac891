"""Whose word counts of who serves what: nobody who is silent holds it up, nobody alone decides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.engine_sets import SentinelSet, sentinel_set

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.topology import Range, Topology, first_sound
from runtail_broker.engines.engine_url import Address
from runtail_broker.errors import Unavailable

Asked = Callable[[], Awaitable[Topology]]


def word(port: int, rank: tuple[bool, int]) -> Topology:
    return Topology((Range(0, 16_383, Address("a", port)),), rank=rank)


def says(told: Topology, after: float = 0.0) -> Asked:
    async def ask() -> Topology:
        await asyncio.sleep(after)
        return told

    return ask


async def is_away() -> Topology:
    raise Unavailable("away")


async def never() -> Topology:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def test_a_node_in_contact_with_the_others_is_believed_at_once() -> None:
    sound = word(1, (True, 3))
    begun = time.monotonic()
    assert await first_sound([never, is_away, says(word(2, (False, 9))), says(sound)]) is sound
    assert time.monotonic() - begun < 1


async def test_of_those_that_are_not_the_newest_word_counts() -> None:
    old, new = word(1, (False, 3)), word(2, (False, 4))
    for asks in ([says(old), says(new, 0.05)], [says(new), says(old, 0.05), is_away]):
        assert await first_sound(asks) is new


async def test_when_all_are_away_it_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="away"):
        await first_sound([is_away, is_away])


async def test_slots_that_nobody_serves_are_in_no_range() -> None:
    topology = Topology((Range(0, 99, Address("a", 1)),), clustered=True)
    assert topology.range_of(99) is topology.ranges[0]
    assert topology.range_of(100) is None


@pytest.mark.full
async def test_sentinels_that_do_not_answer_are_passed_over_and_a_service_must_be_known() -> None:
    with sentinel_set("valkey") as watched:
        watched.sentinels[0].freeze()
        watched.sentinels[1].kill()
        nodes = Nodes.connect(watched.url)
        (shard,) = await nodes.shards()
        assert shard.node.connection_pool.connection_kwargs["port"] == watched.servers[0].port
        await nodes.close()
        watched.sentinels[0].thaw()
        await unknown_service(watched)


async def unknown_service(watched: SentinelSet) -> None:
    nodes = Nodes.connect(watched.url + "-of-others")
    with pytest.raises(
        Unavailable, match="service 'runtail-of-others' by Sentinel: No such master"
    ):
        await nodes.shards()
    await nodes.close()
