"""Lost workers, on a real engine: marked, undone, given up; by one gateway, after real contact."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.processes import gateways, told
from tests.engines import redis_server
from tests.gateway.conftest import QUICK
from tests.gateway.contract.test_end import assert_complete
from tests.gateway.running import Running, running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker
from tests.polling import a_moment, soon
from tests.proxy import proxy_to

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.ending import end
from runtail_broker.executions import Executions
from runtail_broker.keys import claim, index_of
from runtail_gateway.keeping.sweeper import Sweeper
from runtail_gateway.metrics.metrics import Metrics
from runtail_gateway.settings import GatewaySettings

# probes beat every 2 s whatever the settings: the contact is asked for by each sweep
SOON: dict[str, float] = {
    "lease_seconds": 1.5,
    "finality_seconds": 1.5,
    "settle_seconds": 0.2,
    "sweep_seconds": 0.1,
    "claim_seconds": 1.0,
}
LATE = replace(QUICK, **{**SOON, "finality_seconds": 600.0})  # type: ignore[arg-type]
FINAL = replace(QUICK, **SOON)  # type: ignore[arg-type]
LOST = "worker lost: silent for 1.5 s"
AGAIN = "the worker speaks again"


class Listed(Worker):
    """A worker whose executions are listed, as the SDK lists them."""

    async def enlist(self) -> None:
        key = index_of(self.execution_id)
        await self._nodes.at(key, lambda node: node.zadd(key, {self.execution_id: 1}))

    async def statuses(self) -> list[tuple[str, str | None]]:
        """Each status record's status and reason."""
        return [(r["status"], r.get("reason")) for r in await self.stored() if "status" in r]

    async def has_status(self, status: str, reason: str | None) -> None:
        async with asyncio.timeout(30):
            while (status, reason) not in await self.statuses():
                await a_moment()

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        async def beat() -> None:
            while True:
                await self.beat()
                await asyncio.sleep(0.1)

        task = asyncio.create_task(beat())
        try:
            yield
        finally:
            await end(task)


@pytest.fixture
async def listed(engine_nodes: Nodes, execution_id: str) -> Listed:
    worker = Listed(engine_nodes, execution_id)
    await worker.enlist()
    return worker


@asynccontextmanager
async def gateway_of(url: str, settings: GatewaySettings) -> AsyncIterator[Running]:
    async with running(settings, url) as gateway:
        yield gateway


async def sweeps(gateway: Running, nodes: Nodes, seconds: float) -> None:
    """Let the gateway sweep for so long, by the engine's clock."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        await nodes.at(claim("sweeper"), lambda node: node.get(claim("sweeper")))
        await a_moment()


async def state_of(gateway: Running, execution_id: str) -> dict[str, Any]:
    async with gateway.http.get(f"{gateway.address}/executions/{execution_id}") as answer:
        state: dict[str, Any] = await answer.json()
        return state


@contextmanager
def beating_worker(url: str, execution_id: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker's process, which is open and beats."""
    command = [sys.executable, str(Path(__file__).parent / "beating_worker.py"), url, execution_id]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert told(process) == "open"
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


async def told_status(watcher: Watcher, status: str, reason: str | None = None) -> None:
    def has() -> bool:
        return any((r.get("status"), r.get("reason")) == (status, reason) for r in watcher.records)

    await watcher.until(has, f"it is told {status}, {reason}", 40)


async def test_a_sweep_that_fails_is_not_the_last_one(
    engine_nodes: Nodes, listed: Listed, caplog: pytest.LogCaptureFixture
) -> None:
    await listed.open()
    asked = 0

    async def contact() -> float:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ValueError("a state that nobody expected")
        return 60.0

    async with Sweeper(engine_nodes, contact, list, LATE, Metrics()):
        await listed.has_status("lost", LOST)
    assert "a state that nobody expected" in caplog.text


async def test_an_execution_that_cannot_be_read_does_not_hide_the_others(
    engine_url: str, engine_nodes: Nodes, listed: Listed
) -> None:
    for name in ("garbled-state", "garbled-publisher"):
        broken = Listed(engine_nodes, name)
        await broken.open()
        await broken.enlist()
        key = broken.keys.state if name == "garbled-state" else broken.keys.publishers
        await engine_nodes.at(key, lambda node, key=key: node.hset(key, "seq", "no number"))  # type: ignore[misc]
    await listed.open()
    async with gateway_of(engine_url, LATE):
        await listed.has_status("lost", LOST)


async def test_a_silent_worker_is_marked_and_the_mark_is_undone_when_it_speaks(
    engine_url: str, listed: Listed
) -> None:
    await listed.open()
    async with gateway_of(engine_url, LATE) as gateway:
        async with gateway.watch(listed.execution_id) as watcher:
            await told_status(watcher, "lost", LOST)
            state = await state_of(gateway, listed.execution_id)
            assert (state["status"], state["workers"]) == ("lost", {"open": 1, "silent": 1})
            await listed.log("I am here")
            await told_status(watcher, "running", AGAIN)
            await listed.end()
            await watcher.closed()
            assert watcher.records == await listed.stored()
            assert_complete(watcher)
        assert await gateway.metric("runtail_gateway_lost_total") == 1


async def test_after_the_window_a_lost_execution_fails_and_ends_with_totals(
    engine_url: str, listed: Listed
) -> None:
    await listed.open()
    await listed.log("last words")
    async with gateway_of(engine_url, FINAL) as gateway:
        async with gateway.watch(listed.execution_id) as watcher:
            await watcher.until(lambda: watcher.close_code is not None, "it is ended", 40)
            assert_complete(watcher)
            assert watcher.of("end")[0]["status"] == "failed"
        assert await gateway.metric("runtail_gateway_ends_total") == 1
        state = await state_of(gateway, listed.execution_id)
        assert (state["status"], state["reason"]) == ("failed", "worker lost")
    assert [status for status, _ in (await listed.statuses())] == [
        "running",
        "lost",
        "failed",
        "failed",
    ]


async def test_the_owners_late_word_overrules_the_end_that_was_guessed(
    engine_url: str, listed: Listed
) -> None:
    await listed.open()
    async with gateway_of(engine_url, FINAL) as gateway:
        async with gateway.watch(listed.execution_id) as watcher:
            await watcher.until(lambda: watcher.close_code is not None, "it is ended", 40)
            await listed.close("completed")  # and the gateway appends the end
            await watcher.come_back()
            await watcher.until(lambda: len(watcher.of("end")) == 2, "it is ended anew", 40)
            assert watcher.of("end")[-1]["status"] == "completed"
            assert watcher.records == await listed.stored()
        assert (await state_of(gateway, listed.execution_id))["status"] == "completed"


async def test_a_lost_participant_is_a_record_and_the_run_goes_on(
    engine_url: str, listed: Listed
) -> None:
    helper = Listed(listed._nodes, listed.execution_id)
    await listed.open()
    await helper.open("participant")
    async with gateway_of(engine_url, FINAL) as gateway, listed.beating():
        await listed.has_status("running", LOST)
        await soon_open(listed, 1)  # given up
        assert (await state_of(gateway, listed.execution_id))["status"] == "running"
    await listed.close()
    assert (await listed.finish()).word == "ended"


async def soon_open(worker: Listed, count: int) -> None:
    """Wait until *count* publishers have it open."""
    executions = Executions(worker._nodes)
    async with asyncio.timeout(30):
        while True:
            state = await executions.state(worker.execution_id)
            if state is not None and state.workers.open == count:
                return


async def test_an_execution_that_nobody_has_open_is_lost_too(
    engine_url: str, listed: Listed
) -> None:
    await listed.open()
    await listed.close("")
    async with gateway_of(engine_url, FINAL):
        await listed.has_status("lost", "worker lost: nobody has it open")
        await listed.has_status("failed", "worker lost")


async def test_a_worker_that_beats_is_never_marked(engine_url: str, listed: Listed) -> None:
    await listed.open()
    async with gateway_of(engine_url, FINAL) as gateway, listed.beating():
        await sweeps(gateway, listed._nodes, 3 * FINAL.lease_seconds)
    assert await listed.statuses() == [("running", None)]


async def test_two_gateways_mark_once_and_one_of_them_sweeps(
    engine_url: str, listed: Listed
) -> None:
    await listed.open()
    async with gateway_of(engine_url, LATE) as one, gateway_of(engine_url, LATE) as two:
        await listed.has_status("lost", LOST)
        await sweeps(one, listed._nodes, 2 * LATE.lease_seconds)
        sweeping = [await g.metric("runtail_gateway_sweeping") for g in (one, two)]
        assert sorted(sweeping) == [0, 1]
    assert [reason for _, reason in await listed.statuses()] == [None, LOST]


async def test_an_engine_out_of_reach_for_leases_marks_nobody_who_beats_when_it_is_back(
    engine_url: str, listed: Listed
) -> None:
    await listed.open()
    with proxy_to(engine_url) as proxy:
        async with gateway_of(proxy.url, FINAL) as gateway:
            async with listed.beating():
                await sweeps(gateway, listed._nodes, 1)
            proxy.refuse()  # and no beat of the worker arrives either
            await sweeps(gateway, listed._nodes, 3 * FINAL.lease_seconds)
            proxy.forward()
            await soon(lambda: gateway.hub.silent_seconds() < 1, "it is in contact again")
            async with listed.beating():
                await sweeps(gateway, listed._nodes, 2 * FINAL.lease_seconds)
            assert await gateway.metric("runtail_gateway_sweeping") == 1
    assert await listed.statuses() == [("running", None)]


@pytest.mark.redis_server
@pytest.mark.full
async def test_an_engine_frozen_for_leases_marks_nobody_who_beats_when_it_thaws(
    execution_id: str,
) -> None:
    with redis_server() as url:
        nodes = Nodes.connect(url)
        worker = Listed(nodes, execution_id)
        await worker.enlist()
        await worker.open()
        pid = int((await (await nodes.shards())[0].node.info("server"))["process_id"])
        async with gateway_of(url, replace(FINAL, claim_seconds=30.0)) as gateway:
            await gateway_sweeps(gateway)
            async with worker.beating():
                await sweeps(gateway, nodes, 1)
            await sweeps(gateway, nodes, 0.5)  # so that the last beat was seen
            os.kill(pid, signal.SIGSTOP)
            try:
                # less than any time limit: no link is cut, nobody notices
                await soon(at(time.monotonic() + 3), "3 s have passed")
            finally:
                os.kill(pid, signal.SIGCONT)
            await sweeps(gateway, nodes, 0.5)  # the workers are slower to come back
            async with worker.beating():
                await sweeps(gateway, nodes, 2 * FINAL.lease_seconds)
        assert await worker.statuses() == [("running", None)]
        await nodes.close()


def at(moment: float) -> Callable[[], bool]:
    """Whether *moment* has come."""
    return lambda: time.monotonic() > moment


async def gateway_sweeps(gateway: Running) -> None:
    """Wait until this gateway holds the claim."""
    async with asyncio.timeout(20):
        while await gateway.metric("runtail_gateway_sweeping") != 1:
            await a_moment()


@pytest.mark.full
async def test_another_gateway_takes_over_when_the_one_that_swept_is_killed(
    engine_url: str, listed: Listed, tmp_path: Path
) -> None:
    await listed.open()
    settings = {**SOON, "finality_seconds": 600.0, "claim_seconds": 3.0}
    held = claim("sweeper")
    with gateways(engine_url, tmp_path, 1, **settings) as (first,):
        await listed.has_status("lost", LOST)
        first.kill()  # it gives nothing back
        holder = await listed._nodes.at(held, lambda node: node.get(held))
        assert holder is not None
    await listed.log("again")
    async with gateway_of(engine_url, LATE):
        async with asyncio.timeout(30):
            while [s for s, _ in await listed.statuses()].count("lost") < 2:
                await a_moment()
    assert await listed._nodes.at(held, lambda node: node.get(held)) is None  # given back


async def test_a_frozen_worker_is_marked_thaws_and_completes_before_every_viewer(
    engine_url: str, listed: Listed
) -> None:
    async with gateway_of(engine_url, LATE) as gateway:
        with beating_worker(engine_url, listed.execution_id) as process:
            async with gateway.watch(listed.execution_id) as watcher:
                process.send_signal(signal.SIGSTOP)
                await told_status(watcher, "lost", LOST)
                process.send_signal(signal.SIGCONT)
                await told_status(watcher, "running", AGAIN)
                assert process.stdin is not None
                process.stdin.write("\n")
                process.stdin.flush()
                await watcher.until(lambda: watcher.close_code is not None, "it ends", 40)
                assert watcher.texts == ["before", "after"]
                assert watcher.of("end")[0]["status"] == "completed"
                assert_complete(watcher)


async def test_a_killed_worker_is_lost_then_failed_and_ended(
    engine_url: str, listed: Listed
) -> None:
    async with gateway_of(engine_url, FINAL) as gateway:
        with beating_worker(engine_url, listed.execution_id) as process:
            async with gateway.watch(listed.execution_id) as watcher:
                process.kill()
                await told_status(watcher, "lost", LOST)
                await watcher.until(lambda: watcher.close_code is not None, "it ends", 40)
                assert (watcher.of("end")[0]["status"], watcher.texts) == ("failed", ["before"])
                assert_complete(watcher)


@pytest.mark.full
async def test_a_worker_that_thaws_after_the_guessed_end_completes_all_the_same(
    engine_url: str, listed: Listed
) -> None:
    async with gateway_of(engine_url, FINAL) as gateway:
        with beating_worker(engine_url, listed.execution_id) as process:
            async with gateway.watch(listed.execution_id) as watcher:
                process.send_signal(signal.SIGSTOP)
                await watcher.until(lambda: watcher.close_code is not None, "it ends", 40)
                process.send_signal(signal.SIGCONT)
                process.communicate("\n", timeout=30)
                await watcher.come_back()
                await watcher.until(lambda: len(watcher.of("end")) == 2, "it ends anew", 40)
                assert watcher.of("end")[-1]["status"] == "completed"
                assert watcher.texts == ["before", "after"]
                assert watcher.records == await listed.stored()
