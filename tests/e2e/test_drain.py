"""SIGTERM and Ctrl-C, as a service manager and a terminal send them."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.e2e.processes import Gateway, gateways, status_of
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.connections.client import Nodes
from runtail_broker.engines.engine import Engine


@pytest.fixture
async def watched(own_engine: Engine, execution_id: str) -> AsyncIterator[Worker]:
    nodes = Nodes.connect(own_engine.url)
    worker = Worker(nodes, execution_id)
    await worker.open()
    yield worker
    await nodes.close()


async def test_a_terminated_gateway_is_unready_sends_viewers_away_and_ends_in_time(
    own_engine: Engine, place: Path, watched: Worker
) -> None:
    with gateways(own_engine.url, place, 1, drain_seconds=1.5, grace_seconds=1) as [gateway]:
        async with watching(gateway, watched) as one, watching(gateway, watched) as other:
            begun = time.monotonic()
            gateway.signal(signal.SIGTERM)
            await soon(lambda: status_of(f"{gateway.http}/readyz") == 503, "it is unready")
            await one.closed()
            await other.closed()
            assert [one.close_code, other.close_code] == [1012, 1012]
            gateway.wait(5)
            assert time.monotonic() - begun < 4


async def test_an_interrupted_gateway_ends_quickly_whatever_its_settings(
    own_engine: Engine, place: Path, watched: Worker
) -> None:
    with gateways(own_engine.url, place, 1, drain_seconds=60) as [gateway]:
        async with watching(gateway, watched) as viewer:
            begun = time.monotonic()
            gateway.signal(signal.SIGINT)
            gateway.wait(5)
            assert time.monotonic() - begun < 4
            await viewer.closed()
            assert viewer.close_code == 1012


async def test_a_second_signal_ends_a_gateway_at_once(
    own_engine: Engine, place: Path, watched: Worker
) -> None:
    with gateways(own_engine.url, place, 1, drain_seconds=60, grace_seconds=60) as [gateway]:
        async with watching(gateway, watched):
            gateway.signal(signal.SIGTERM)
            await soon(lambda: status_of(f"{gateway.http}/readyz") == 503, "it is unready")
            gateway.signal(signal.SIGTERM)
            gateway.wait(3)


def watching(gateway: Gateway, worker: Worker) -> Watcher:
    return Watcher(gateway.ws, worker.execution_id)
