"""Behind nginx and HAProxy, under a path prefix, with the configuration files of deploy/."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import expect
from tests.browser import chromium_page
from tests.engines import free_port
from tests.gateway.conftest import QUICK
from tests.gateway.event_watcher import EventWatcher
from tests.gateway.running import as_collector_was, running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker
from tests.polling import DEADLINE_SECONDS, a_moment
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from runtail_broker.connections.client import Nodes
from runtail_broker.engines.engine import Engine

DEPLOY = Path(__file__).parents[2] / "deploy"
BEHIND = replace(QUICK, trusted_proxies=("127.0.0.1",))
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def nginx(place: Path, gateway_port: int, port: int) -> list[str]:
    """Configure nginx for these ports, with its temporary files in *place*."""
    text = (DEPLOY / "nginx.conf").read_text()
    folders = "".join(f"{name}_temp_path {place}/{name};\n" for name in TEMPORARY)
    text = text.replace("http {\n", f"http {{\naccess_log off;\n{folders}", 1)
    file = configured(place / "nginx.conf", text, gateway_port, port)
    return ["nginx", "-p", str(place), "-c", file, "-e", "stderr", "-g", directives(place)]


def directives(place: Path) -> str:
    return f"daemon off; pid {place}/nginx.pid;"


def haproxy(place: Path, gateway_port: int, port: int) -> list[str]:
    """Configure HAProxy for these ports."""
    text = (DEPLOY / "haproxy.cfg").read_text()
    return ["haproxy", "-f", configured(place / "haproxy.cfg", text, gateway_port, port)]


def configured(file: Path, text: str, gateway_port: int, port: int) -> str:
    assert text.count("127.0.0.1:8000") == text.count("127.0.0.1:8080") == 1
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{gateway_port}")
    file.write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
    return str(file)


@pytest.fixture(
    params=[
        pytest.param(nginx, marks=pytest.mark.nginx),
        pytest.param(haproxy, marks=pytest.mark.haproxy),
    ]
)
async def proxied(
    request: pytest.FixtureRequest, own_engine: Engine, place: Path
) -> AsyncIterator[str]:
    """What people write instead of `http://host`, of a gateway behind each proxy in turn."""
    port = free_port()
    with as_collector_was():
        async with running(BEHIND, own_engine.url) as gateway:
            with started(request.param(place, gateway.port, port)):
                await answers(f"http://127.0.0.1:{port}/runtail/readyz")
                yield f"127.0.0.1:{port}/runtail"


@contextmanager
def started(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as proxy:
        try:
            yield
        finally:
            proxy.terminate()


async def answers(address: str) -> None:
    """Wait until the proxy does, and finds the gateway."""
    async with asyncio.timeout(DEADLINE_SECONDS), aiohttp.ClientSession() as http:
        while await status(http, address) != 200:
            await a_moment()


async def status(http: aiohttp.ClientSession, address: str) -> int | None:
    try:
        async with http.get(address) as answer:
            return answer.status
    except aiohttp.ClientConnectionError:
        return None


@pytest.fixture
async def worker(own_engine: Engine, execution_id: str) -> AsyncIterator[Worker]:
    nodes = Nodes.connect(own_engine.url)
    worker = Worker(nodes, execution_id)
    await worker.open()
    await worker.log("one")
    yield worker
    await nodes.close()


@pytest.mark.parametrize("kind", [Watcher, EventWatcher])
async def test_viewers_get_history_and_what_is_live_as_it_comes(
    proxied: str, worker: Worker, kind: type[Watcher]
) -> None:
    async with kind(f"ws://{proxied}", worker.execution_id) as viewer:
        await viewer.caught_up()
        await worker.log("two")
        await viewer.until(lambda: viewer.texts == ["one", "two"], "it has both", 3)
        await worker.end()
        await viewer.closed()
        assert viewer.close_code == 1000


async def test_the_page_its_files_and_requests_work_under_the_prefix(
    proxied: str, worker: Worker
) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(f"http://{proxied}") as answer:  # without a slash: redirected twice
            assert str(answer.url) == f"http://{proxied}/monitoring"
            files = re.findall(r'(?:href|src)="(monitoring/[^"]+)"', await answer.text())
        assert len(files) >= 3
        for path in [*files, "executions", f"executions/{worker.execution_id}/logs"]:
            async with http.get(f"http://{proxied}/{path}") as answer:
                assert answer.status == 200


async def test_its_own_pages_may_connect_and_foreign_ones_may_not(
    proxied: str, worker: Worker
) -> None:
    address = f"ws://{proxied}/ws/executions/{worker.execution_id}/logs"
    own = f"http://{proxied.partition('/')[0]}"
    async with connect(address, additional_headers={"Origin": own}, proxy=None) as socket:
        assert '"hello"' in str(await socket.recv())
    foreign = {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}
    with pytest.raises(InvalidStatus):
        await connect(address, additional_headers=foreign, proxy=None)


@pytest.mark.browser
@pytest.mark.nginx
@pytest.mark.parametrize("proxied", [nginx], indirect=True)
async def test_the_page_shows_a_run_through_a_proxy(proxied: str, worker: Worker) -> None:
    async with chromium_page() as page:
        await page.goto(f"http://{proxied}/monitoring?execution={worker.execution_id}")
        rows = page.locator(".runtail-execution .rt-row[data-seq]")
        await expect(rows.filter(has_text="one")).to_be_visible(timeout=15_000)
        await worker.log("two")
        await expect(rows.filter(has_text="two")).to_be_visible(timeout=15_000)
