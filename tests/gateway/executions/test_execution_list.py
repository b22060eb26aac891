"""The list of executions: chosen, in pages that stay as they are while new ones come."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.logs.test_rest import get, listed_at, refused
from tests.gateway.running import Running
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes

pytestmark = pytest.mark.timeout(40)
DAY = 86_400_000


@pytest.fixture
async def names(engine_nodes: Nodes) -> list[str]:
    """Make forty executions, the newest first, five of each millisecond; each fourth completed."""
    names = []
    for number in range(40):
        name = f"run-{number:02}"
        worker = Worker(engine_nodes, name)
        await worker.open()
        if number % 4 == 0:
            await worker.end()
        await listed_at(engine_nodes, name, DAY + number // 5)
        names.append(name)
    return names[::-1]


async def walk(gateway: Running, query: str) -> list[str]:
    ids: list[str] = []
    page: dict[str, Any] = await get(gateway, f"/executions?{query}")
    for _ in range(100):
        ids += [state["id"] for state in page["executions"]]
        if page["next"] is None:
            return ids
        page = await get(gateway, f"/executions?{query}&cursor={page['next']}")
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("limit", [1, 3, 5, 40, 41])
async def test_walking_the_pages_lists_each_execution_once(
    pushing: Running, names: list[str], limit: int
) -> None:
    assert await walk(pushing, f"limit={limit}") == names


@pytest.mark.parametrize("gateway_settings", [{}, {"list_looked": 3}], indirect=True)
async def test_only_what_is_chosen_is_listed(pushing: Running, names: list[str]) -> None:
    completed = [name for name in names if int(name[4:]) % 4 == 0]
    running = [name for name in names if name not in completed]
    assert await walk(pushing, "limit=4&status=completed") == completed
    assert await walk(pushing, "limit=4&status=running,failed") == running
    assert await walk(pushing, "limit=4&status=completed&status=running") == names
    assert await walk(pushing, "workflow=wf") == names
    assert await walk(pushing, "workflow=other") == []


async def test_times_are_bounds_with_both_ends(pushing: Running, names: list[str]) -> None:
    first, last = "1970-01-02T00:00:00.002Z", "1970-01-02T00:00:00.003%2B00:00"
    assert await walk(pushing, f"from={first}&until={last}&limit=3") == names[20:30]
    assert await walk(pushing, f"until={first}") == names[25:]
    assert await walk(pushing, f"from={last}") == names[:25]


async def test_what_is_created_meanwhile_moves_no_page(
    pushing: Running, names: list[str], engine_nodes: Nodes
) -> None:
    page = await get(pushing, "/executions?limit=10")
    for number in range(3):
        await Worker(engine_nodes, f"new-{number}").open()
        await listed_at(engine_nodes, f"new-{number}", 2 * DAY)
    page = await get(pushing, f"/executions?limit=10&cursor={page['next']}")
    assert [state["id"] for state in page["executions"]] == names[10:20]


@pytest.mark.parametrize(
    "query",
    ["status=fine", "cursor=x", "cursor=-run", "cursor=12-../x", "from=noon", "until=99999-01-01"],
)
async def test_what_makes_no_sense_is_refused(pushing: Running, query: str) -> None:
    status, problem = await refused(pushing, f"/executions?{query}")
    assert (status, problem["code"]) == (400, "bad_request")
    assert "expected" in problem["detail"]
