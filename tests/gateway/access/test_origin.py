"""Whose pages may open a WebSocket here."""

from __future__ import annotations

import aiohttp
import pytest
from tests.gateway.running import Running
from tests.gateway.worker import Worker


async def opened(gateway: Running, worker: Worker, origin: str | None) -> int:
    """Try to watch from a page of *origin*; the HTTP status, 101 for an open socket."""
    await worker.open()
    headers = {} if origin is None else {"Origin": origin}
    url = f"{gateway.address}/ws/executions/{worker.execution_id}/logs"
    try:
        async with gateway.http.ws_connect(url, headers=headers):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


async def test_a_foreign_page_is_refused_with_403(gateway: Running, worker: Worker) -> None:
    assert await opened(gateway, worker, "https://evil.example") == 403


async def test_a_page_of_another_port_is_foreign(gateway: Running, worker: Worker) -> None:
    assert await opened(gateway, worker, "http://127.0.0.1:1") == 403


async def test_the_gateways_own_page_may(gateway: Running, worker: Worker) -> None:
    assert await opened(gateway, worker, gateway.address) == 101


async def test_what_is_no_page_may(gateway: Running, worker: Worker) -> None:
    assert await opened(gateway, worker, None) == 101


@pytest.mark.parametrize(
    "gateway_settings", [{"allowed_origins": ("https://board.example",)}], indirect=True
)
async def test_a_page_that_the_settings_name_may(pushing: Running, worker: Worker) -> None:
    assert await opened(pushing, worker, "https://board.example") == 101
    assert await opened(pushing, worker, "https://evil.example") == 403
