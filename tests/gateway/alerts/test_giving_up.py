"""A receiver that never answers well: it is tried for a day, then let be, and that is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry
from tests.gateway.alerts.test_alerts import FAILED, quiet, run, settings
from tests.gateway.receiver import Receiver, receiver
from tests.polling import eventually

from runtail_broker.connections.client import Nodes
from runtail_broker.inventory import Inventory
from runtail_broker.stream import StreamReader
from runtail_gateway.alerts.alerts import Alerts
from runtail_gateway.alerts.metrics import AlertMetrics
from runtail_gateway.alerts.store import AlertStore, Row

HOUR_MS = 3_600_000


@dataclass
class LaterClock:
    """The engine's clock, and *ahead_ms* more."""

    inventory: Inventory
    ahead_ms: int = 0

    async def __call__(self) -> int:
        return await self.inventory.now_ms() + self.ahead_ms


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as here:
        here.answers = [500] * 100
        yield here


@asynccontextmanager
async def looking(
    nodes: Nodes, hook: Receiver, clock: LaterClock
) -> AsyncIterator[CollectorRegistry]:
    """Look for failures, by *clock*."""
    registry, told = CollectorRegistry(), settings(hook, FAILED)
    assert told.alerts is not None
    reader = StreamReader(nodes)
    async with Alerts(nodes, reader, told, told.alerts, AlertMetrics(registry), clock):
        store = AlertStore(nodes)
        await eventually(store.memory, "it looks")
        yield registry


async def row_of(nodes: Nodes) -> Row | None:
    return next(iter((await AlertStore(nodes).rows()).values()), None)


async def test_it_is_tried_within_a_day_and_given_up_after_it(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    clock = LaterClock(Inventory(engine_nodes))

    async def tried(times: int) -> bool:
        row = await row_of(engine_nodes)
        return row is not None and row.attempts >= times

    async with looking(engine_nodes, hook, clock) as registry:
        await run(engine_url, "bad", fails=True)
        await eventually(lambda: tried(1), "it is tried at once")
        clock.ahead_ms = 23 * HOUR_MS
        await eventually(lambda: tried(2), "it is tried after 23 hours")
        row = await row_of(engine_nodes)
        assert (row and row.state, row and row.trouble) == ("pending", "HTTP 500")
        clock.ahead_ms = 24 * HOUR_MS
        await eventually(lambda: tried(3), "it is tried a last time")
        row = await row_of(engine_nodes)
        assert (row and row.state) == "given up"
        assert registry.get_sample_value("runtail_gateway_alerts_given_up_total") == 1
        hook.answers.clear()  # it would take the message now
        clock.ahead_ms = 26 * HOUR_MS
        await quiet()
    assert [told["execution_id"] for told in hook.told] == ["bad", "bad", "bad"]
    assert len({message.id for message in hook.came}) == 1
