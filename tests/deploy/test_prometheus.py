"""Debian's prometheus scrapes two gateways: the dashboard is full, and alerts are right."""

from __future__ import annotations

import asyncio
import contextlib
import math
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from tests.deploy.prometheus import Prometheus, prometheus
from tests.deploy.shipped import queries
from tests.e2e.conftest import private_folder
from tests.e2e.processes import Gateway, gateways
from tests.engines import free_port
from tests.gateway.event_watcher import EventWatcher
from tests.gateway.watcher import Watcher
from tests.polling import eventually, soon, until
from tests.server_process import Server, server

pytestmark = [pytest.mark.promtool, pytest.mark.full, pytest.mark.timeout(240)]
SELDOM = {query for _, query in queries() if "runtail_gc_pause" in query}  # it may not have run


@dataclass(frozen=True, slots=True)
class Site:
    """An engine with the shipped settings, two gateways, a worker, and Prometheus over them."""

    engine: Server
    gateways: list[Gateway]
    prometheus: Prometheus


@contextmanager
def site() -> Iterator[Site]:
    with ExitStack() as stack:
        place = stack.enter_context(private_folder())
        own = ("maxmemory 256mb",)
        engine = stack.enter_context(server("valkey", (), own))
        until(engine.answers, "the engine answers")
        url = "redis://runtail-{0}:change-me-{0}@127.0.0.1:" + str(engine.port)
        both = stack.enter_context(gateways(url.format("gateway"), place, 2))
        port = free_port()
        stack.enter_context(_worker(url.format("worker"), port))
        yield Site(
            engine,
            both,
            stack.enter_context(prometheus(place, [each.port for each in both], [port])),
        )


@contextmanager
def _worker(url: str, port: int) -> Iterator[None]:
    script = str(Path(__file__).with_name("exporting_worker.py"))
    command = [sys.executable, script, url, "exported", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as worker:
        try:
            yield
        finally:
            worker.communicate(b"\n", 20)


@asynccontextmanager
async def workload(at: Site) -> AsyncIterator[None]:
    """Do what people and workers do: demos, viewers of each kind, who come back, and by hand."""
    one, two = at.gateways
    async with aiohttp.ClientSession() as http:
        for gateway, name in ((one, "demo-1"), (two, "demo-2")):
            async with http.post(f"{gateway.http}/executions/{name}/start-streaming") as answer:
                assert answer.status == 202, await answer.text()
        async with (
            Watcher(one.ws, "exported", "wait=true") as viewer,
            Watcher(two.ws, "exported", "wait=true"),
            EventWatcher(one.ws, "demo-1", "wait=true"),
            asyncio.TaskGroup() as group,
        ):
            busy = group.create_task(_again_and_again(http, one, viewer))
            yield
            busy.cancel()


async def _again_and_again(http: aiohttp.ClientSession, gateway: Gateway, viewer: Watcher) -> None:
    """Publish by hand, ask for what is not there, and come back where one stopped."""
    number = 0
    while True:
        number += 1
        at = f"{gateway.http}/executions/hand-{number}"
        for path, body in (
            ("open", {"publisher": "p"}),
            ("logs", {"message": "by hand"}),
            ("finish", {"publisher": "p", "status": "completed"}),
        ):
            async with http.post(f"{at}/{path}", json=body) as answer:
                assert answer.status in (200, 503), await answer.text()
            await asyncio.sleep(0.5)
            if answer.status == 503:
                break  # the engine is away: it may not have been opened
        async with Watcher(gateway.ws, "nobody-has-it") as stranger:
            await stranger.closed()
        await viewer.leave()
        await viewer.come_back()


class Missing:
    """Which of the dashboard's queries find nothing, or nothing but divisions of nothing."""

    def __init__(self, at: Prometheus) -> None:
        self._at = at
        self.titles: dict[str, str] = {}

    def look(self) -> bool:
        """Look at all; say whether nothing is missing."""
        self.titles = {query: title for title, query in queries() if not self._has(query)}
        return not self.titles.keys() - SELDOM

    def _has(self, query: str) -> bool:
        rows = self._at.query(query.replace("[1m]", "[20s]"))
        numbers = [float(row["value"][1]) for row in rows]
        return bool(numbers) and not all(map(math.isnan, numbers))


async def test_every_query_of_the_dashboard_finds_data_and_no_alert_is_near() -> None:
    with site() as here:
        missing = Missing(here.prometheus)
        async with workload(here):
            with contextlib.suppress(AssertionError):
                await eventually(lambda: asyncio.to_thread(missing.look), "it is full", 60)
            assert missing.look(), missing.titles
            near = here.prometheus.alerts("pending") | here.prometheus.alerts()
            assert near == {}, near
            assert len(here.prometheus.query('up{job="runtail"} == 1')) == 2


async def test_an_engine_that_is_killed_makes_the_right_alert_fire_until_it_is_back() -> None:
    with site() as here:
        told = here.prometheus
        async with workload(here):
            await soon(lambda: told.value("sum(runtail_gateway_ready)") == 2, "both are scraped")
            here.engine.kill()
            await soon(lambda: told.alerts(), "an alert fires", 60)
            assert set(told.alerts()) == {"RuntailEngineSilent"}
            (words,) = told.alerts().values()
            assert words["summary"].startswith("A gateway has not heard the engine for ")
            assert "<error" not in str(words)
            assert "RuntailNotReady" in told.alerts("pending")  # for a minute
            here.engine.restart()
            await soon(lambda: not told.alerts(), "it is over", 60)
