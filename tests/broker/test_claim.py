"""One process at a time holds a claim; it is free again when its holder gives it back, or dies."""

from __future__ import annotations

import asyncio

import pytest
from tests.conftest import ENGINES

from runtail_broker.claim import Claim
from runtail_broker.connections.client import Nodes

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)


async def test_one_at_a_time_holds_it_and_renews_it(nodes: Nodes) -> None:
    first, second = Claim(nodes, "x", 30), Claim(nodes, "x", 30)
    assert await first.hold()
    assert not await second.hold()
    assert await first.hold()
    assert (first.held, second.held) == (True, False)


async def test_claims_of_other_names_are_others(nodes: Nodes) -> None:
    assert await Claim(nodes, "x", 30).hold()
    assert await Claim(nodes, "y", 30).hold()


async def test_it_is_free_when_it_was_given_back(nodes: Nodes) -> None:
    first, second = Claim(nodes, "x", 30), Claim(nodes, "x", 30)
    await first.hold()
    await first.release()
    assert not first.held
    assert await second.hold()


async def test_who_does_not_hold_it_gives_nothing_back(nodes: Nodes) -> None:
    first, second = Claim(nodes, "x", 30), Claim(nodes, "x", 30)
    await first.hold()
    await second.release()
    assert not await second.hold()


async def test_it_is_free_a_lease_after_its_holder_died(nodes: Nodes) -> None:
    dead, heir = Claim(nodes, "x", 0.2), Claim(nodes, "x", 30)
    await dead.hold()
    async with asyncio.timeout(10):
        while not await heir.hold():
            pass
    assert not dead.held
    assert not await dead.hold()
