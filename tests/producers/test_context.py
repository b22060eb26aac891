"""The code that runs knows its execution and step, on every way that Python runs code."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.producers.running import Running

import runtail
from runtail import ContextThreadPoolExecutor, Execution, Publisher, current, in_context


def test_an_execution_is_current_inside_its_block_only(running: Running) -> None:
    assert current() is None
    with running.run as run:
        assert current() is run
    assert current() is None


async def test_an_execution_is_current_inside_its_async_block_too(running: Running) -> None:
    async with running.run as run:
        assert current() is run
    assert current() is None


def test_the_inner_of_two_executions_is_current_and_each_knows_its_own_step(
    running: Running,
) -> None:
    with running.run as outer, outer.step("load"):
        with running.publisher.execution(workflow_id="inner") as inner:
            assert current() is inner
            inner.info("no step of this execution")
            outer.info("in the step")
        assert current() is outer
    assert running.steps_of_logs() == {"in the step": "load"}
    (log,) = (r for r in running.stored.records(inner.id) if "kind" not in r)
    assert "step_name" not in log


def test_a_thread_has_no_execution_unless_it_is_carried(running: Running) -> None:
    with running.run as run, ThreadPoolExecutor(2) as pool:
        assert pool.submit(current).result() is None
        assert pool.submit(in_context(current)).result() is run


def test_one_wrapped_function_runs_on_many_threads_at_once(running: Running) -> None:
    together = threading.Barrier(4, timeout=30)

    def meet(_: int) -> Execution | None:
        together.wait()
        return current()

    with running.run as run, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(in_context(meet), range(4))) == [run] * 4


def test_a_pool_that_carries_context_takes_the_step_of_each_submit(running: Running) -> None:
    with running.run as run, ContextThreadPoolExecutor(2) as pool:
        for name in ("one", "two"):
            with run.step(name):
                pool.submit(runtail.info, f"submitted in {name}").result()
                list(pool.map(runtail.info, [f"mapped in {name}"]))
    assert running.steps_of_logs() == {
        f"{how} in {name}": name for how in ("submitted", "mapped") for name in ("one", "two")
    }


async def test_tasks_of_two_executions_never_mix(engine_url: str) -> None:
    with Publisher(engine_url) as publisher:

        async def work(name: str) -> set[bool]:
            async with publisher.execution(workflow_id=name) as run:
                seen = set()
                for n in range(5):
                    with run.step(f"step {n}"):
                        await asyncio.sleep(0)
                        seen.add(current() is run)
                return seen

        assert await asyncio.gather(*map(work, "abcdef")) == [{True}] * 6


def test_threads_of_two_executions_never_mix(engine_url: str) -> None:
    with Publisher(engine_url) as publisher, ThreadPoolExecutor(4) as pool:
        together = threading.Barrier(4, timeout=30)

        def work(name: str) -> bool:
            with publisher.execution(workflow_id=name) as run:
                together.wait()
                return current() is run

        assert all(pool.map(work, "abcd"))


def steps_of(run: Execution, name: str) -> Generator[None, None, None]:
    with run.step(name):
        yield
        run.info(f"in {name}")
        yield


def test_interleaved_generators_end_in_any_order_and_leave_nothing_behind(
    running: Running,
) -> None:
    run = running.run
    one, two = steps_of(run, "one"), steps_of(run, "two")
    next(one)
    next(two)
    list(one)
    run.info("two is still on")
    list(two)
    run.info("outside")
    assert running.steps_of_logs()["two is still on"] == "two"
    assert running.steps_of_logs()["outside"] is None


def test_a_generator_that_is_closed_in_another_context_raises_nothing(running: Running) -> None:
    run = running.run
    rows = steps_of(run, "rows")
    next(rows)
    thread = threading.Thread(target=contextvars.Context().run, args=(rows.close,))
    thread.start()
    thread.join()
    run.info("outside")
    assert running.steps() == [("rows", "running"), ("rows", "cancelled")]
    assert running.steps_of_logs() == {"outside": None}


def test_a_step_that_a_generator_never_ended_is_over_with_its_execution(running: Running) -> None:
    with running.run as run:
        rows = steps_of(run, "rows")
        next(rows)
    assert current() is None
    rows.close()


async def test_a_task_that_outlives_its_step_and_execution_is_outside(running: Running) -> None:
    seen: list[Execution | None] = []
    go_on = asyncio.Event()

    async def outlive() -> None:
        await go_on.wait()
        seen.append(current())
        runtail.info("nowhere")

    with running.run as run, run.step("load"):
        task = asyncio.create_task(outlive())
        await asyncio.sleep(0)
    go_on.set()
    await task
    assert seen == [None]
    assert running.records("log") == []


@pytest.mark.parametrize("left_first", [True, False])
def test_blocks_that_cross_each_other_end_cleanly(running: Running, left_first: bool) -> None:
    run = running.run
    first, second = run.step("first"), run.step("second")
    first.__enter__()
    second.__enter__()
    for step in (first, second) if left_first else (second, first):
        step.__exit__(None, None, None)
    run.info("outside")
    assert running.steps_of_logs() == {"outside": None}
