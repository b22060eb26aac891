"""Who may do what, where: patterns and scopes, and that no route forgets to ask."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Route, WebSocketRoute
from tests.gateway.conftest import QUICK
from tests.gateway.running import PUSHED, Running, running
from tests.gateway.signing import AUTH, SECRET, bearer, token
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import index_of
from runtail_gateway.access.auth import ANYONE, SCOPES, Grant, Scope
from runtail_gateway.app import create_app

OPEN = {"/healthz", "/readyz", "/", "/monitoring", "/monitoring/{name}"}
OPEN |= {"/monitoring/executions/{execution_id}"}
OPEN |= {"/docs", "/openapi.json", "/protocol.schema.json"}
APP = create_app(QUICK, "redis://127.0.0.1:1")
CLOSED = [route for route in APP.routes if getattr(route, "path", "") not in OPEN]


@pytest.fixture
async def signed(engine_nodes: Nodes, engine_url: str) -> AsyncIterator[Running]:
    """A gateway where one has to sign in."""
    async with running(replace(QUICK, auth=AUTH), engine_url, PUSHED) as gateway:
        yield gateway


async def asked(
    gateway: Running, path: str, method: str = "GET", **claims: Any
) -> tuple[int, dict[str, Any]]:
    async with gateway.http.request(
        method, gateway.address + path, headers=bearer(**claims)
    ) as answer:
        body = await answer.read()
        is_json = answer.content_type in ("application/json", "application/problem+json")
        return answer.status, orjson.loads(body) if is_json else {}


# --- what a grant decides ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("granted", "allows"),
    [
        ("read", {"read"}),
        ("publish", {"publish"}),
        ("admin", {"read", "publish", "admin"}),
    ],
)
def test_admin_includes_the_other_scopes_and_publish_does_not_read(
    granted: Scope, allows: set[str]
) -> None:
    grant = Grant(scopes=frozenset({granted}))
    assert {scope for scope in SCOPES if grant.has(scope)} == allows


@pytest.mark.parametrize(
    ("pattern", "name", "covers"),
    [
        ("nightly-*", "nightly-1", True),
        ("nightly-*", "Nightly-1", False),
        ("nightly-*", "my-nightly-1", False),
        ("run-?", "run-12", False),
        ("run-[0-4]", "run-3", True),
        ("*", "anything", True),
        ("", "anything", False),
    ],
)
def test_patterns_are_those_of_a_shell(pattern: str, name: str, covers: bool) -> None:
    assert Grant(executions=(pattern,)).names(name) is covers
    assert Grant(workflows=(pattern,)).covers("e", name) is covers


def test_no_pattern_at_all_covers_nothing_and_none_covers_all() -> None:
    assert not Grant(executions=()).names("a")
    assert not Grant(workflows=()).covers("a", "w")
    assert ANYONE.covers("a", None)


def test_an_execution_of_no_workflow_is_covered_by_no_workflow_pattern() -> None:
    assert not Grant(workflows=("*",)).covers("a", None)


@given(st.text(), st.lists(st.text("ab*?[]!-", max_size=12), max_size=4))
def test_more_patterns_always_cover_more(name: str, patterns: list[str]) -> None:
    covered = [Grant(executions=tuple(patterns[:n])).names(name) for n in range(len(patterns) + 1)]
    assert covered == sorted(covered)


# --- every route asks ----------------------------------------------------------------------------


def test_the_routes_that_are_open_exist() -> None:
    assert {getattr(route, "path", "") for route in APP.routes} > OPEN


@pytest.mark.parametrize("route", CLOSED, ids=lambda route: getattr(route, "path", "?"))
async def test_every_other_route_refuses_who_has_no_token(signed: Running, route: Any) -> None:
    url = signed.address + route.path.replace("{execution_id}", "some")
    if isinstance(route, WebSocketRoute):
        async with signed.http.ws_connect(url) as socket:
            error = orjson.loads((await socket.receive()).data)
            assert (await socket.receive()).data == 4401
            assert error["code"] == "signed_out"
        return
    assert isinstance(route, Route)
    for method in (route.methods or {"GET"}) - {"HEAD"}:
        async with signed.http.request(method, url) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="runtail"'
            problem = orjson.loads(await answer.read())
            assert problem["code"] == "signed_out"


async def test_probes_and_the_page_are_open(signed: Running) -> None:
    pages = ("/monitoring", "/monitoring/executions/a", "/monitoring/docs.js", "/docs")
    for path in ("/healthz", "/readyz", *pages):
        async with signed.http.get(signed.address + path) as answer:
            assert answer.status in (200, 503)  # readiness has an opinion of its own


READS = ("", "/logs", "/logs.ndjson", "/logs.txt", "/events?after=$")


@pytest.mark.parametrize("path", READS)
async def test_reading_needs_read_of_that_execution(signed: Running, path: str) -> None:
    for name in ("mine", "theirs"):
        worker = Worker(signed.hub._nodes, name)
        await worker.open()
        await worker.end()
    mine: dict[str, Any] = {"runtail_executions": ["mine"]}
    assert (await asked(signed, f"/executions/mine{path}", **mine))[0] == 200
    status, problem = await asked(signed, f"/executions/theirs{path}", **mine)
    assert (status, problem["code"]) == (403, "forbidden")
    status, unknown = await asked(signed, f"/executions/there{path}", **mine)
    assert unknown == {**problem, "detail": problem["detail"].replace("theirs", "there")}
    status, problem = await asked(signed, f"/executions/mine{path}", scope="publish")
    assert (status, problem["detail"]) == (403, "the token grants no 'read'")


async def test_a_workflow_pattern_hides_what_is_of_another_and_what_is_not_there(
    signed: Running, worker: Worker
) -> None:
    await worker.open()
    path = f"/executions/{worker.execution_id}"
    assert (await asked(signed, path, runtail_workflows=["w?"]))[0] == 200
    for where in (path, "/executions/unknown"):
        assert (await asked(signed, where, runtail_workflows=["x"]))[0] == 403
    assert (await asked(signed, "/executions/unknown", runtail_workflows=["wf"]))[0] == 403
    assert (await asked(signed, "/executions/unknown"))[0] == 404


@pytest.mark.parametrize(
    ("path", "scope", "status"),
    [
        ("/cancel", "read", 403),
        ("/cancel", "publish", 202),
        ("/cancel", "admin", 202),
        ("/share", "publish", 403),
        ("/share", "admin", 201),
        ("/start-streaming", "read", 403),
        ("/start-streaming", "publish", 409),
    ],
)
async def test_changes_need_their_scope(
    signed: Running, worker: Worker, path: str, scope: str, status: int
) -> None:
    await worker.open()
    where = f"/executions/{worker.execution_id}{path}"
    assert (await asked(signed, where, "POST", scope=scope))[0] == status
    other: dict[str, Any] = {"runtail_executions": ["x*"]}
    assert (await asked(signed, where, "POST", scope=scope, **other))[0] == 403


async def test_a_demo_run_needs_the_right_to_its_workflow(signed: Running) -> None:
    path = "/executions/new/start-streaming"
    status, _ = await asked(signed, path, "POST", scope="publish", runtail_workflows=["etl"])
    assert status == 403
    status, _ = await asked(signed, path, "POST", scope="publish", runtail_workflows=["demo-*"])
    assert status == 202


async def test_metrics_need_admin_even_on_loopback(signed: Running) -> None:
    assert (await asked(signed, "/metrics", scope="read publish"))[0] == 403
    assert (await asked(signed, "/metrics", scope="admin", runtail_executions=[""]))[0] == 200


# --- lists show what the token covers ------------------------------------------------------------


async def opened(nodes: Nodes, name: str, created: int) -> None:
    await Worker(nodes, name).open()
    key = index_of(name)
    await nodes.at(key, lambda node: node.zadd(key, {name: created}))


async def listed(gateway: Running, query: str, **claims: Any) -> tuple[list[str], Any]:
    status, page = await asked(gateway, f"/executions{query}", **claims)
    assert status == 200
    return [state["id"] for state in page["executions"]], page["next"]


async def test_a_list_holds_only_what_the_token_covers(signed: Running) -> None:
    for created, name in enumerate(("a-1", "b-1", "a-2")):
        await opened(signed.hub._nodes, name, created)
    names, _ = await listed(signed, "", runtail_executions=["a-*"])
    assert sorted(names) == ["a-1", "a-2"]
    assert await listed(signed, "", runtail_workflows=["other"]) == ([], None)
    assert (await asked(signed, "/executions", scope="publish"))[0] == 403


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize(("a_millisecond", "looked"), [(1, 3), (2, 5), (5, 7)])
async def test_pages_of_a_narrow_list_name_each_once_and_nothing_else(
    engine_nodes: Nodes, engine_url: str, limit: int, a_millisecond: int, looked: int
) -> None:
    mine = [f"a-{n}" for n in range(5)]
    async with running(replace(QUICK, auth=AUTH, list_looked=looked), engine_url) as gateway:
        for n in range(5):
            for name in ("secret", "a"):
                await opened(engine_nodes, f"{name}-{n}", n // a_millisecond)
        seen: list[str] = []
        place = ""
        for _ in range(40):
            names, after = await listed(
                gateway, f"?limit={limit}{place}", runtail_executions=["a*"]
            )
            assert "secret" not in str(after)
            seen += names
            if after is None:
                break
            place = f"&cursor={after}"
    assert sorted(seen) == mine


# --- where a token may stand ---------------------------------------------------------------------


WRONG_PLACES: list[dict[str, Any]] = [
    {"params": {"token": token()}},
    {"params": {"access_token": token()}},
    {"params": {"share": token()}},
    {"headers": {"Authorization": f"Basic {token()}"}},
    {"headers": {"Authorization": token()}},
    {"headers": {"X-Token": token()}},
    {"cookies": {"token": token(), "Authorization": f"Bearer {token()}"}},
]


@pytest.mark.parametrize("place", WRONG_PLACES, ids=range(len(WRONG_PLACES)))
async def test_a_token_in_a_wrong_place_does_not_count(signed: Running, place: Any) -> None:
    async with (
        aiohttp.ClientSession(cookies=place.pop("cookies", None)) as http,
        http.get(f"{signed.address}/executions/some", **place) as answer,
    ):
        assert answer.status == 401


async def test_no_token_and_no_secret_is_in_any_log(
    signed: Running, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.INFO)
    await worker.open()
    path = f"/executions/{worker.execution_id}"
    for headers in (bearer(), bearer(lives=-9), bearer(secret=SECRET[::-1])):
        async with signed.http.get(signed.address + path, headers=headers) as answer:
            body = await answer.text()
        assert headers["Authorization"][7:] not in body + caplog.text
    assert SECRET not in caplog.text + repr(replace(QUICK, auth=AUTH))
