"""What the gateway's tests share: an empty engine, a gateway that runs both ways, a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from tests.gateway.running import (
    EVENTS,
    FRAMES,
    MANY,
    PULLED,
    PUSHED,
    Running,
    as_collector_was,
    running,
)
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import SETTINGS
from runtail_gateway.settings import GatewaySettings

# beats, comparisons and new attempts as often as the timers allow
QUICK = GatewaySettings(beat_seconds=0.1, retry_seconds=0.1, message_bytes=16 * 1024)


@pytest.fixture
async def engine_nodes(engine_url: str) -> AsyncIterator[Nodes]:
    """A client of the embedded engine, which is empty."""
    nodes = Nodes.connect(engine_url)
    for shard in await nodes.shards():
        await shard.node.flushall()
    yield nodes
    await nodes.at(SETTINGS, lambda node: node.delete(SETTINGS))  # the limits of one test only
    await nodes.close()


@pytest.fixture(
    params=[
        PUSHED,
        PULLED,
        pytest.param(EVENTS, marks=pytest.mark.full),
        pytest.param(MANY, marks=pytest.mark.full),
        pytest.param(FRAMES, marks=pytest.mark.full),
    ]
)
def mode(request: pytest.FixtureRequest) -> str:
    """All ways to serve a viewer in turn."""
    return str(request.param)


@pytest.fixture
def gateway_settings(request: pytest.FixtureRequest) -> GatewaySettings:
    """Settings of `gateway`; a test overrides some by `@pytest.mark.parametrize(…, indirect)`."""
    return replace(QUICK, **getattr(request, "param", {}))


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    with as_collector_was():
        yield


@pytest.fixture
async def gateway(
    engine_nodes: Nodes,
    engine_url: str,
    mode: str,
    gateway_settings: GatewaySettings,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Running]:
    """A gateway over the empty engine, run both ways."""
    async with running(gateway_settings, engine_url, mode, seed=request.node.name) as gateway:
        yield gateway


@pytest.fixture
async def pushing(
    engine_nodes: Nodes, engine_url: str, gateway_settings: GatewaySettings
) -> AsyncIterator[Running]:
    """A gateway over the empty engine, as `runtail gateway` runs it."""
    async with running(gateway_settings, engine_url, PUSHED) as gateway:
        yield gateway


@pytest.fixture
def worker(engine_nodes: Nodes, execution_id: str) -> Worker:
    """A worker that has not opened its execution yet."""
    return Worker(engine_nodes, execution_id)
