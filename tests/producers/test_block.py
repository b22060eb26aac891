"""Blocks and functions become executions of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import assert_type

import pytest
from tests.producers.stored import Stored

from runtail import AsyncPublisher, Execution, Publisher, current


@pytest.fixture
def publisher(engine_url: str) -> Iterator[Publisher]:
    with Publisher(engine_url) as publisher:
        yield publisher


def the_current() -> Execution:
    run = current()
    assert run is not None
    return run


def test_a_block_without_an_id_gets_one_made_of_its_workflow(
    publisher: Publisher, stored: Stored
) -> None:
    with publisher.execution(workflow_id="nightly-etl") as run:
        assert current() is run
    assert publisher.flush()
    assert run.id.startswith("nightly-etl-20")
    assert stored.statuses(run.id) == ["running", "completed"]
    assert stored.state(run.id)["workflow"] == "nightly-etl"


def test_each_call_of_a_decorated_function_is_an_execution(
    publisher: Publisher, stored: Stored
) -> None:
    @publisher.execution(workflow_id="etl")
    def etl(rows: int, *, fail: bool = False) -> str:
        return the_current().id if not fail else str(1 // 0)

    ids = [assert_type(etl(1), str), etl(rows=2)]
    with pytest.raises(ZeroDivisionError):
        etl(3, fail=True)
    assert publisher.flush()
    assert [stored.statuses(one)[-1] for one in ids] == ["completed"] * 2
    assert len(set(ids)) == 2
    assert etl.__name__ == "etl"


def test_a_function_without_a_workflow_id_lends_its_name(publisher: Publisher) -> None:
    @publisher.execution()
    def tidy_up() -> str:
        return the_current().id

    assert tidy_up().startswith("tidy_up-")


async def test_coroutines_run_at_once_in_executions_of_their_own(publisher: Publisher) -> None:
    @publisher.execution(workflow_id="agent")
    async def agent(turns: int) -> set[str]:
        seen = set()
        for _ in range(turns):
            await asyncio.sleep(0)
            seen.add(the_current().id)
        return seen

    found = await asyncio.gather(agent(3), agent(3))
    assert [len(seen) for seen in found] == [1, 1]
    assert found[0] != found[1]


def test_a_generator_is_an_execution_until_it_is_closed(
    publisher: Publisher, stored: Stored
) -> None:
    @publisher.execution(workflow_id="rows")
    def rows() -> Iterator[str]:
        while True:
            yield the_current().id

    source = rows()
    execution_id = next(source)
    source.close()  # type: ignore[attr-defined]
    assert publisher.flush()
    assert stored.statuses(execution_id)[-1] == "cancelled"


async def test_an_async_generator_is_an_execution_until_it_is_exhausted(
    publisher: Publisher, stored: Stored
) -> None:
    @publisher.execution(workflow_id="rows")
    async def rows() -> AsyncIterator[str]:
        yield the_current().id

    (execution_id,) = [one async for one in rows()]
    assert await asyncio.to_thread(publisher.flush)
    assert stored.statuses(execution_id)[-1] == "completed"


def test_nothing_begins_before_the_block(engine_url: str, stored: Stored) -> None:
    before = stored.redis.dbsize()
    with Publisher(engine_url) as publisher:
        publisher.execution(workflow_id="etl")(the_current)
        assert publisher.flush()
    assert stored.redis.dbsize() == before


def test_without_a_block_an_execution_is_finished_by_hand(
    publisher: Publisher, stored: Stored
) -> None:
    run = publisher.execution(workflow_id="etl").begin()
    run.finish("failed", "no rows")
    assert publisher.flush()
    assert stored.statuses(run.id)[-1] == "failed"


async def test_an_async_publisher_makes_ids_too(engine_url: str, stored: Stored) -> None:
    async with AsyncPublisher(engine_url) as publisher:
        async with publisher.execution(workflow_id="agent") as run:
            run.info("hello")
        assert await publisher.flush()
    assert stored.messages(run.id) == ["hello"]
