"""Several gateway processes on one address, and sockets that a service manager hands over."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from tests.e2e.processes import Gateway, gateway_with, status_of
from tests.gateway.scrape import Scrape
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker
from tests.polling import soon, until

from runtail_broker.connections.client import Nodes
from runtail_broker.engines.engine import Engine


@pytest.fixture
async def watched(own_engine: Engine, execution_id: str) -> AsyncIterator[Worker]:
    nodes = Nodes.connect(own_engine.url)
    worker = Worker(nodes, execution_id)
    await worker.open()
    yield worker
    await nodes.close()


def serving(gateway: Gateway) -> list[psutil.Process]:
    """The worker processes: each has the code of a gateway and listens."""
    children = psutil.Process(gateway.pid).children()
    return [child for child in children if is_worker(child)]


def is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # it has just ended, or is a zombie
        return False


@contextmanager
def two_workers(engine: Engine, place: Path) -> Iterator[Gateway]:
    options = ("--workers", "2", "--drain-seconds", "1", "--access-log")
    with gateway_with(engine.url, place, *options) as gateway:
        until(lambda: len(serving(gateway)) == 2, "both workers run")
        yield gateway


async def test_both_workers_serve_and_sigterm_ends_all_of_them(
    own_engine: Engine, place: Path, watched: Worker
) -> None:
    with two_workers(own_engine, place) as gateway:
        workers = serving(gateway)
        viewers = [Watcher(gateway.ws, watched.execution_id) for _ in range(40)]

        async def another() -> bool:
            viewer = viewers.pop()
            seen.append(viewer)
            await viewer.connect("")
            await viewer.caught_up()
            return all(own_connections(worker, gateway) for worker in workers)

        seen: list[Watcher] = []
        while not await another():
            assert viewers, "one worker served all 40"
        gateway.signal(signal.SIGTERM)
        for viewer in seen:
            await viewer.closed()
            assert viewer.close_code == 1012
        assert gateway.wait(15) == 0
        assert '"path":"/readyz","status":200' in gateway.words
        assert not any(worker.is_running() for worker in workers)


def own_connections(worker: psutil.Process, gateway: Gateway) -> int:
    return sum(
        each.status == psutil.CONN_ESTABLISHED and each.laddr.port == gateway.port
        for each in worker.net_connections("tcp")
    )


async def test_a_worker_that_is_killed_is_started_again(
    own_engine: Engine, place: Path, watched: Worker
) -> None:
    with two_workers(own_engine, place) as gateway:
        first = serving(gateway)
        for worker in first:
            worker.kill()
        await soon(lambda: len(set(serving(gateway)) - set(first)) == 2, "two others run")
        gateway.await_ready()
        async with Watcher(gateway.ws, watched.execution_id) as viewer:
            await viewer.caught_up()
        assert "a worker ended with code -9, starting another" in gateway.words


async def test_a_scrape_of_either_worker_tells_of_both_and_of_those_that_died(
    own_engine: Engine, place: Path, watched: Worker
) -> None:
    with two_workers(own_engine, place) as gateway:
        workers = serving(gateway)
        async with AsyncExitStack() as stack:
            begun = 0
            while not all(own_connections(worker, gateway) for worker in workers):
                viewer = Watcher(gateway.ws, watched.execution_id)
                await stack.enter_async_context(viewer)
                await viewer.caught_up()
                begun += 1
                assert begun < 40, "one worker served all 40"
            await watched.log("one")
            await soon(
                lambda: told_by(gateway, "runtail_records_delivered_total") == 2 * begun,
                "all is counted",
            )
            at_once = [scraped(gateway) for _ in range(12)]  # whichever of them accepts each
            assert {each.sum("runtail_viewers") for each in at_once} == {begun}
            assert {each.sum("runtail_gateway_processes") for each in at_once} == {2}
            assert {each.sum("runtail_delivery_seconds_count") for each in at_once} == {2}
            workers[0].kill()
            await soon(lambda: set(serving(gateway)) - set(workers), "another one runs")
            gateway.await_ready()
            await soon(lambda: told_by(gateway, "runtail_gateway_ready") == 2, "both are ready")
            after = scraped(gateway)
            assert 0 < after.sum("runtail_viewers") < begun
            assert after.sum("runtail_records_delivered_total") == 2 * begun
            assert after.sum("runtail_gateway_processes") == 2


def scraped(gateway: Gateway) -> Scrape:
    with urllib.request.urlopen(f"{gateway.http}/metrics", timeout=5) as answer:
        return Scrape.of(answer.read().decode())


def told_by(gateway: Gateway, name: str) -> float:
    return scraped(gateway).sum(name)


def test_workers_end_when_their_parent_is_killed(own_engine: Engine, place: Path) -> None:
    with two_workers(own_engine, place) as gateway:
        workers = serving(gateway)
        gateway.kill()
        until(lambda: not any(worker.is_running() for worker in workers), "they have ended")


def test_it_serves_on_a_socket_that_a_service_manager_hands_over(
    own_engine: Engine, place: Path
) -> None:
    script = (
        'exec 3<&"$1"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$2" -m runtail gateway --redis-url "$3"'
    )
    with socket.create_server(("127.0.0.1", 0)) as handed:
        url = f"http://127.0.0.1:{handed.getsockname()[1]}"
        arguments = [str(handed.fileno()), sys.executable, own_engine.url]
        with subprocess.Popen(
            ["bash", "-c", script, "-", *arguments],
            pass_fds=[handed.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                until(lambda: status_of(f"{url}/readyz") == 200, "it is ready")
                assert process.stdout is not None
                assert f"{url}/monitoring" in process.stdout.readline()
            finally:
                process.terminate()
