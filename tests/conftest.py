"""What all tests share: engines that run as long as the session, clients that live one test."""

from __future__ import annotations

import gc
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings
from tests.engine_sets import Cluster, engine_cluster
from tests.engines import TestEngine, embedded_engine, redis_cluster, redis_server

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import SETTINGS

# a shell's `&` and nohup leave these ignored, and so would every process that a test starts
for _number, _usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

for _profile, _examples in (("short", 50), ("full", 200)):
    settings.register_profile(
        _profile,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
        max_examples=_examples,
    )
settings.load_profile(os.environ.get("RUNTAIL_EXAMPLES", "short"))  # `make test-full`: full


def pytest_collection_finish() -> None:
    """Let no later collection look through thousands of tests and what they import."""
    gc.collect()
    gc.freeze()


REAL_ENGINES = [
    "embedded",
    pytest.param("redis", marks=pytest.mark.redis_server),
    pytest.param("cluster", marks=pytest.mark.redis_server),
]
ENGINES = [*REAL_ENGINES, "fake"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def engine_url() -> Iterator[str]:
    """The URL of an embedded Valkey; what is in it stays from test to test."""
    with embedded_engine() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of Debian's redis-server."""
    with redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    """The URL of a cluster of one redis-server."""
    with redis_cluster() as url:
        yield url


@pytest.fixture(scope="session")
def whole_cluster() -> Iterator[Cluster]:
    """Three primaries and three replicas; who breaks it runs one of its own."""
    with engine_cluster("valkey") as cluster:
        yield cluster


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> TestEngine:
    """Each engine in turn; only the real ones with `parametrize("engine", REAL, indirect=True)`."""
    name = request.param
    urls = {"embedded": "engine_url", "redis": "redis_url", "cluster": "cluster_url"}
    return TestEngine(name, request.getfixturevalue(urls[name]) if name in urls else None)


@pytest.fixture
async def nodes(engine: TestEngine) -> AsyncIterator[Nodes]:
    """A client of an empty engine."""
    nodes = engine.nodes()
    for shard in await nodes.shards():
        await shard.node.flushall()
    yield nodes
    await nodes.at(SETTINGS, lambda node: node.delete(SETTINGS))  # the limits of one test only
    await nodes.close()


@pytest.fixture
def execution_id() -> str:
    """An id that no other test uses."""
    return f"run-{secrets.token_hex(6)}"
