"""Publishing over HTTP where one signs in: what a token lets, and under which names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.publishing.test_http import Caller, messages
from tests.gateway.running import Running, running
from tests.gateway.signing import AUTH, bearer, token
from tests.gateway.worker import Worker
from tests.producers.delivery.test_lane import lane_to

from runtail import AsyncPublisher, Publisher, PublisherSettings
from runtail.delivery.journal import Journal
from runtail.delivery.link import Link
from runtail.settings import DEFAULTS
from runtail_broker.connections.client import Nodes
from runtail_gateway.publishing.publisher_name import namespaced

ONE = b'{"message":"one"}'


@pytest.fixture
async def signed(engine_nodes: Nodes, engine_url: str) -> AsyncIterator[Running]:
    async with running(replace(QUICK, auth=AUTH), engine_url) as gateway:
        yield gateway


async def opened(
    gateway: Running, execution_id: str, workflow_id: str = "wf", **claims: Any
) -> tuple[int, dict[str, Any]]:
    body = orjson.dumps({"publisher": "ci-7", "workflow_id": workflow_id})
    caller = Caller(gateway, execution_id)
    return await caller.post("open", body, **bearer(**{"scope": "publish", **claims}))


async def test_to_publish_needs_the_scope(signed: Running) -> None:
    assert (await opened(signed, "a", scope="read"))[0] == 403
    assert (await opened(signed, "a"))[0] == 200


@pytest.mark.parametrize("what", ["logs", "beat", "finish"])
async def test_an_execution_beyond_the_patterns_is_refused(signed: Running, what: str) -> None:
    await opened(signed, "theirs")
    headers = bearer(scope="publish", runtail_executions=["mine-*"])
    status, said = await Caller(signed, "theirs").post(what, ONE, **headers)
    assert (status, said["code"]) == (403, "forbidden")


async def test_an_execution_is_opened_only_for_a_workflow_that_is_allowed(signed: Running) -> None:
    mine: dict[str, Any] = {"runtail_workflows": ["mine"]}
    assert (await opened(signed, "a", "theirs", **mine))[0] == 403
    assert (await opened(signed, "a", "mine", **mine))[0] == 200
    assert (await opened(signed, "a", "mine"))[0] == 200
    await opened(signed, "b", "theirs")
    assert (await opened(signed, "b", "mine", **mine))[0] == 403  # it is of another by now


async def test_publishers_are_kept_apart_by_who_signs_in(signed: Running, worker: Worker) -> None:
    await worker.open()
    mallory = bearer(scope="publish", sub="mallory")
    caller = Caller(signed, worker.execution_id)
    body = orjson.dumps({"publisher": worker.name, "role": "participant"})
    await caller.post("open", body, **mallory)
    numbers = f"logs?publisher={worker.name}&batch=1&before=0"
    await caller.post(numbers, b'{"message":"mine"}', **mallory)
    await worker.log("the worker's own first batch")
    assert await messages(worker) == ["mine", "the worker's own first batch"]


def test_a_subject_cannot_be_made_to_name_anothers_publisher() -> None:
    assert namespaced("p", "") == "p"
    assert namespaced("p", "ann") == "ann/p"
    others = {namespaced("p", each) for each in ("ann", "ann/p", "ann p", "a" * 500, "é")}
    assert len(others) == 5
    assert all(name.count("/") == 1 and len(name) <= 200 for name in others)


async def test_the_sdk_signs_in(signed: Running, worker: Worker) -> None:
    def publish() -> bool:
        """Publish in a thread of its own: closing blocks it, and the gateway's loop is needed."""
        publisher = Publisher(url=signed.address, token=token(scope="publish"))
        publisher.execution(worker.execution_id).info("signed in")
        return publisher.close(10)

    assert await asyncio.to_thread(publish)
    assert await messages(worker) == ["signed in"]


async def test_an_async_worker_that_signed_in_drains_what_it_published(
    signed: Running, worker: Worker
) -> None:
    """What `drain` waited for is stored."""
    async with AsyncPublisher(url=signed.address, token=token(scope="publish")) as publisher:
        run = publisher.execution(worker.execution_id)
        run.info("signed in")
        assert await run.until_opened(10)
        await run.drain()
        assert await messages(worker) == ["signed in"]


async def test_a_refused_execution_holds_up_no_other(signed: Running, worker: Worker) -> None:
    """Also when the refused ones come first in a round trip, and another is refused behind them."""
    signs = token(scope="publish", runtail_executions=[worker.execution_id])
    names = ["theirs-1", "theirs-2", worker.execution_id, "theirs-3"]
    journals = [Journal("p", name) for name in names]
    link = Link(lambda: signed.address, DEFAULTS, signs)
    lane = lane_to(signed.address, link)
    await lane.round(journals)
    await link.close()
    assert [journal.ever_opened for journal in journals] == [False, False, True, False]
    now = time.monotonic()
    assert [lane.free_at(journal) > now for journal in journals] == [True, True, False, True]


async def test_what_the_sdk_may_not_publish_is_refused_call_by_call(
    signed: Running, worker: Worker
) -> None:
    signs = token(scope="publish", runtail_executions=["elsewhere-*"])
    settings = PublisherSettings(retry_max_seconds=0.1)
    publisher = Publisher(url=signed.address, token=signs, settings=settings)
    allowed, refused = publisher.execution("elsewhere-1"), publisher.execution(worker.execution_id)
    allowed.info("one")
    refused.info("two")
    await allowed.drain()
    assert not await refused.until_opened(0.3)
    assert await signed.hub.executions.state(worker.execution_id) is None
    allowed.finish()
    publisher.close(0.1)
