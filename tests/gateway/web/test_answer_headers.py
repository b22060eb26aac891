"""What browsers are told with every answer, and which pages may read it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running

from runtail_broker.connections.client import Nodes

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


PARENT = "https://builder.example:8443"


@pytest.mark.parametrize("path", ["/monitoring", "/monitoring/executions/a", "/executions"])
async def test_an_origin_that_may_embed_does_so_where_it_is_asked_for_and_nothing_else(
    engine_nodes: Nodes, engine_url: str, path: str
) -> None:
    settings = replace(ALLOWING, frame_origins=(PARENT,))
    async with running(settings, engine_url) as gateway:
        for query, ends in (
            ("?embed=1", f"frame-ancestors 'self' {FRIEND} {PARENT}"),
            ("?a=2&embed=1&b", f"frame-ancestors 'self' {FRIEND} {PARENT}"),
            ("?embed=0", f"frame-ancestors 'self' {FRIEND}"),
            ("", f"frame-ancestors 'self' {FRIEND}"),
        ):
            headers = {"Origin": PARENT}
            async with gateway.http.get(gateway.address + path + query, headers=headers) as answer:
                assert answer.headers["Content-Security-Policy"].endswith("; " + ends)
                assert "Access-Control-Allow-Origin" not in answer.headers
        url = f"{gateway.address}/executions/a/start-streaming?embed=1"
        async with gateway.http.post(url, headers={"Origin": PARENT}) as answer:
            assert answer.status == 403


@pytest.mark.parametrize(
    "origin", ["https://a b", "https://a;script-src", "javascript:x", "'none'", "", "https://a/p"]
)
def test_what_is_no_origin_may_not_embed(origin: str) -> None:
    with pytest.raises(ValueError, match=r"^frame_origins holds "):
        replace(QUICK, frame_origins=(origin,))


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example.org", "http://localhost:5173", "http://[::1]:80"]
)
def test_an_origin_may_be_of_any_usual_form(origin: str) -> None:
    assert replace(QUICK, frame_origins=(origin,)).frame_origins == (origin,)
