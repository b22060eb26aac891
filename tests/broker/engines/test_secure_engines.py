"""Engines over TLS that take nobody without a certificate: one server, a cluster, Sentinels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.broker.executions import Execution
from tests.certificates import Certificates, certificates
from tests.engine_sets import engine_cluster, sentinel_set
from tests.polling import until
from tests.server_process import server

from runtail import Publisher
from runtail_broker.connections.client import Nodes
from runtail_broker.errors import Unavailable

pytestmark = pytest.mark.redis_server


@pytest.fixture(scope="module")
def tls() -> Iterator[Certificates]:
    with certificates() as made:
        yield made


@pytest.fixture(scope="module")
def secure_url(tls: Certificates) -> Iterator[str]:
    """The URL of one server, without its options."""
    with server("redis", (), (), tls) as started:
        until(started.answers, "it answers")
        yield f"rediss://runtail-gateway:change-me-gateway@127.0.0.1:{started.port}"


async def stored_through(url: str, execution_id: str) -> list[str]:
    """Publish by the SDK as a worker, read as a gateway."""
    worker_url = url.replace("runtail-gateway", "runtail-worker")
    worker_url = worker_url.replace("change-me-gateway", "change-me-worker")
    with Publisher(worker_url) as publisher, publisher.execution(execution_id) as run:
        run.info("over TLS")
    nodes = Nodes.connect(url)
    try:
        records = await Execution(nodes, execution_id).records()
        return [str(record["message"]) for record in records if "message" in record]
    finally:
        await nodes.close()


async def test_one_server_takes_who_shows_a_certificate(
    secure_url: str, tls: Certificates, execution_id: str
) -> None:
    url = f"{secure_url}?{tls.options}"
    assert await stored_through(url, execution_id) == ["over TLS"]


@pytest.mark.parametrize("missing", ["ssl_ca_certs", "ssl_certfile"])
async def test_without_the_authority_or_a_certificate_it_is_unavailable_and_says_why(
    secure_url: str, tls: Certificates, execution_id: str, missing: str
) -> None:
    options = dict(tls.client_options)
    del options[missing]
    options.pop("ssl_keyfile") if missing == "ssl_certfile" else None
    told = "&".join(f"{name}={value}" for name, value in options.items())
    nodes = Nodes.connect(f"{secure_url}?{told}")
    with pytest.raises(Unavailable, match=r"(?i)certificate|closed|reset"):
        await nodes.node_of(execution_id)
    await nodes.close()


@pytest.mark.full
async def test_a_cluster_and_sentinels_are_reached_over_tls(
    tls: Certificates, execution_id: str
) -> None:
    with engine_cluster(tls=tls) as cluster:
        assert await stored_through(cluster.url, execution_id) == ["over TLS"]
    with sentinel_set(tls=tls) as watched:
        assert await stored_through(watched.url, execution_id) == ["over TLS"]
