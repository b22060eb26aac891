"""What browsers are told with every answer, and which pages may read it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running

from runtail_broker.client import Nodes

FRIEND = "https://friend.example"
ALLOWING = replace(QUICK, allowed_origins=(FRIEND,))


@pytest.mark.parametrize("path", ["/executions", "/nothing", "/monitoring", "/metrics"])
async def test_every_answer_says_what_it_may_be_used_for(pushing: Running, path: str) -> None:
    async with pushing.http.get(pushing.address + path) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = answer.headers.getall("Content-Security-Policy")
        assert len(policy) == 1
        assert "default-src" in policy[0]
        assert policy[0].endswith("frame-ancestors 'self'")


async def test_a_page_of_an_allowed_origin_may_read_answers_and_frame_the_page(
    engine_nodes: Nodes, engine_url: str
) -> None:
    async with running(ALLOWING, engine_url) as gateway:
        address = f"{gateway.address}/executions"
        async with gateway.http.get(address, headers={"Origin": FRIEND}) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
            assert answer.headers["Content-Security-Policy"].endswith(f"'self' {FRIEND}")
        async with gateway.http.get(address, headers={"Origin": "https://evil.example"}) as other:
            assert "Access-Control-Allow-Origin" not in other.headers


@pytest.mark.parametrize(("origin", "status"), [(FRIEND, 200), ("https://evil.example", 400)])
async def test_a_browser_that_asks_first_is_told_who_may_post(
    engine_nodes: Nodes, engine_url: str, origin: str, status: int
) -> None:
    asking = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "Authorization",
    }
    async with running(ALLOWING, engine_url) as gateway:
        address = f"{gateway.address}/executions/some/cancel"
        async with gateway.http.options(address, headers=asking) as answer:
            assert answer.status == status
            allowed = answer.headers.get("Access-Control-Allow-Origin")
            assert allowed == (origin if status == 200 else None)
