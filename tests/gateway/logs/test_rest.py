"""Plain HTTP: lists, states, pages both ways, downloads, refusals, probes and metrics."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.gateway.running import Running, running
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail import AsyncPublisher, PublisherSettings
from runtail_broker.connections.client import Nodes
from runtail_broker.keys import index_of
from runtail_broker.script import Limits

pytestmark = pytest.mark.timeout(40)


async def get(gateway: Running, path: str) -> Any:
    async with gateway.http.get(gateway.address + path) as answer:
        assert answer.status == 200, await answer.text()
        return orjson.loads(await answer.read())


async def refused(gateway: Running, path: str, method: str = "GET") -> tuple[int, dict[str, Any]]:
    async with gateway.http.request(method, gateway.address + path) as answer:
        assert answer.content_type == "application/problem+json", await answer.text()
        problem = orjson.loads(await answer.read())
        assert problem["status"] == answer.status
        return answer.status, problem


async def listed_at(nodes: Nodes, name: str, created: int) -> None:
    key = index_of(name)
    await nodes.at(key, lambda node: node.zadd(key, {name: created}))


async def test_executions_are_listed_newest_first(pushing: Running, engine_nodes: Nodes) -> None:
    names = [f"run-{number}" for number in range(5)]
    for created, name in enumerate(names):
        await Worker(engine_nodes, name).open()
        await listed_at(engine_nodes, name, created)
    listed = await get(pushing, "/executions")
    assert [state["id"] for state in listed["executions"]] == names[::-1]
    listed = await get(pushing, "/executions?limit=2")
    assert [state["id"] for state in listed["executions"]] == ["run-4", "run-3"]


async def test_a_state_says_how_the_execution_stands(pushing: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log("one", "two")
    state = await get(pushing, f"/executions/{worker.execution_id}")
    assert (state["id"], state["status"], state["workflow_id"]) == (
        worker.execution_id,
        "running",
        "wf",
    )
    assert (state["first_seq"], state["last_seq"], state["levels"]["info"]) == (1, 3, 2)
    assert (state["ended"], state["workers"]["open"]) == (False, 1)


async def forwards(gateway: Running, worker: Worker, limit: int) -> list[dict[str, Any]]:
    """Walk all pages from the first to the last."""
    records: list[dict[str, Any]] = []
    after = "0-0:0:-"
    while True:
        page = await get(
            gateway, f"/executions/{worker.execution_id}/logs?after={after}&limit={limit}"
        )
        assert len(page["records"]) <= limit
        if not page["records"]:
            return records
        records += page["records"]
        after = page["cursor"]


async def backwards(gateway: Running, worker: Worker, limit: int) -> list[dict[str, Any]]:
    """Walk all pages from the last to the first."""
    path = f"/executions/{worker.execution_id}/logs"
    page = await get(gateway, f"{path}?tail={limit}")
    records = list(page["records"])
    while page["before"] is not None:
        page = await get(gateway, f"{path}?before={page['before']}&limit={limit}")
        assert 0 < len(page["records"]) <= limit
        records = page["records"] + records
    return records


@pytest.mark.parametrize("limit", [1, 7, 10, 64, 1000])
async def test_walking_pages_either_way_yields_every_record_once(
    pushing: Running, worker: Worker, limit: int
) -> None:
    await worker.open()
    for count in (1, 10, 3, 40, 1, 9):
        await worker.log(*(f"{count}: {i}" for i in range(count)))
    stored = await worker.stored()
    assert await forwards(pushing, worker, limit) == stored
    assert await backwards(pushing, worker, limit) == stored


@pytest.mark.parametrize("limit", [3, 10, 1000])
async def test_walking_pages_of_a_trimmed_execution_yields_what_is_kept(
    pushing: Running, worker: Worker, limit: int
) -> None:
    await worker.open(limits=Limits(max_records=30))
    await worker.log_many(batches=9, records=10)
    stored = await worker.stored()
    assert stored[0]["seq"] > 1
    assert await forwards(pushing, worker, limit) == stored
    assert await backwards(pushing, worker, limit) == stored


@pytest.mark.parametrize("before", [1, 2, 30, 62])
async def test_nothing_is_kept_before_the_first_record_that_is(
    pushing: Running, worker: Worker, before: int
) -> None:
    await worker.open(limits=Limits(max_records=30))
    await worker.log_many(batches=9, records=10)
    page = await get(pushing, f"/executions/{worker.execution_id}/logs?before={before}")
    assert (page["records"], page["before"]) == ([], None)


async def test_a_page_after_a_trimmed_cursor_begins_with_the_gap(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=6, records=5)
    cursor = (await worker.entries())[1].end
    await worker.trim(4)
    page = await get(pushing, f"/executions/{worker.execution_id}/logs?after={cursor}")
    (gap,) = page["notices"]
    assert (gap["type"], gap["after_seq"], gap["before_seq"], gap["lost"]) == ("gap", 6, 17, 10)
    assert page["records"] == await worker.stored()


async def test_a_page_after_a_cursor_of_another_history_begins_with_a_reset(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log("one")
    page = await get(pushing, f"/executions/{worker.execution_id}/logs?after=1-1:1:00000000")
    assert [notice["type"] for notice in page["notices"]] == ["reset"]
    assert page["records"] == await worker.stored()


async def test_the_download_equals_the_stream(pushing: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log_many(batches=50, records=37)
    path = f"/executions/{worker.execution_id}/logs.ndjson"
    async with pushing.http.get(pushing.address + path) as answer:
        assert answer.content_type == "application/x-ndjson"
        lines = (await answer.read()).splitlines()
    assert [orjson.loads(line) for line in lines] == await worker.stored()


@pytest.mark.parametrize(("query", "shown"), [("", "attachment"), ("?inline=1", "inline")])
async def test_the_text_is_saved_unless_it_is_to_be_shown(
    pushing: Running, worker: Worker, query: str, shown: str
) -> None:
    """A browser saves the one and shows the other in a tab, as nothing but text."""
    await worker.open()
    await worker.log_many(batches=1, records=1)
    path = f"/executions/{worker.execution_id}/logs.txt{query}"
    async with pushing.http.get(pushing.address + path) as answer:
        assert answer.headers["content-disposition"].split(";")[0] == shown
        assert answer.content_type == "text/plain"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_download_of_a_trimmed_execution_says_so_first(
    pushing: Running, worker: Worker
) -> None:
    await worker.open(limits=Limits(max_records=30))
    await worker.log_many(batches=9, records=10)
    path = f"/executions/{worker.execution_id}/logs.ndjson"
    async with pushing.http.get(pushing.address + path) as answer:
        gap, *records = [orjson.loads(line) for line in (await answer.read()).splitlines()]
    stored = await worker.stored()
    assert (gap["kind"], gap["lost"]) == ("gap", stored[0]["seq"] - 1)
    assert records == stored


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/executions/nobody", 404, "not_found"),
        ("/executions/nobody/logs", 404, "not_found"),
        ("/executions/nobody/logs.ndjson", 404, "not_found"),
        ("/executions/-bad", 400, "bad_execution_id"),
        ("/executions/" + "x" * 129, 400, "bad_execution_id"),
        ("/executions/here/logs?after=nonsense", 400, "bad_cursor"),
        ("/executions/nobody/logs?after=nonsense", 400, "bad_cursor"),
        ("/executions/here/logs.ndjson?after=1-1:1:XYZ", 400, "bad_cursor"),
        ("/executions/here/logs?limit=0", 400, "bad_request"),
        ("/executions/here/logs?limit=-5", 400, "bad_request"),
        ("/executions/here/logs?limit=ten", 400, "bad_request"),
        ("/executions/here/logs?limit=" + "9" * 5000, 400, "bad_request"),
        ("/executions?limit=100000", 400, "bad_request"),
        ("/executions/here/logs?tail=x", 400, "bad_request"),
        ("/nothing/here", 404, "http"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem_with_its_own_code(
    pushing: Running, engine_nodes: Nodes, path: str, status: int, code: str
) -> None:
    await Worker(engine_nodes, "here").open()
    answered, problem = await refused(pushing, path)
    assert (answered, problem["code"]) == (status, code)
    assert problem["detail"]


async def test_a_problem_names_the_value_and_what_was_expected(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    _, problem = await refused(pushing, f"/executions/{worker.execution_id}/logs?limit=zero")
    assert problem["detail"] == "limit is 'zero', expected a whole number from 1 to 10000"


async def test_a_demo_is_not_started_under_an_id_that_is_taken(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    path = f"/executions/{worker.execution_id}/start-streaming"
    assert (await refused(pushing, path, "POST"))[0] == 409


@pytest.mark.parametrize("gateway_settings", [{"demo_runs": 1}], indirect=True)
async def test_a_demo_runs_under_a_new_id_and_one_too_many_is_refused(pushing: Running) -> None:
    url = f"{pushing.address}/executions/demo-1/start-streaming"
    async with pushing.http.post(url) as answer:
        assert answer.status == 202
        assert (await answer.json())["execution_id"] == "demo-1"
    assert (await refused(pushing, "/executions/demo-2/start-streaming", "POST"))[0] == 429
    async with pushing.watch("demo-1", "wait=true") as watcher:
        await watcher.has(3)


async def test_a_cancel_request_reaches_the_worker_and_the_viewers(
    pushing: Running, engine_url: str, engine_nodes: Nodes, execution_id: str
) -> None:
    path = f"/executions/{execution_id}/cancel"
    assert (await refused(pushing, path, "POST"))[0] == 404
    settings = PublisherSettings(beat_seconds=0.2)
    async with AsyncPublisher(engine_url, settings=settings) as publisher:
        async with (
            publisher.execution(execution_id) as run,
            pushing.watch(execution_id, "wait=true") as watcher,
        ):
            assert await run.until_opened()
            for again in (False, True):
                async with pushing.http.post(f"{pushing.address}{path}?reason=enough") as answer:
                    assert (answer.status, (await answer.json())["again"]) == (202, again)
            await soon(lambda: run.cancel_requested, "the worker hears of it")
            told = "cancel requested: enough"
            await watcher.until(
                lambda: any(r.get("reason") == told for r in watcher.records), "viewers are told"
            )
        assert await publisher.flush()
    status, problem = await refused(pushing, path, "POST")
    assert (status, problem["code"]) == (409, "conflict")


@pytest.mark.parametrize("change", ["cancel", "start-streaming"])
async def test_a_foreign_page_may_ask_for_no_change(
    pushing: Running, worker: Worker, change: str
) -> None:
    await worker.open()
    url = f"{pushing.address}/executions/{worker.execution_id}/{change}"
    async with pushing.http.post(url, headers={"Origin": "https://evil.example"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (403, "foreign_origin")
    async with pushing.http.post(url, headers={"Origin": pushing.address}) as answer:
        assert answer.status in (202, 409)


async def test_a_gateway_without_its_engine_lives_but_is_not_ready(
    gateway_settings: Any, tmp_path: Any
) -> None:
    async with running(gateway_settings, f"unix://{tmp_path}/nobody.sock") as gateway:
        assert (await get(gateway, "/healthz"))["status"] == "ok"
        status, problem = await refused(gateway, "/readyz")
        assert (status, problem["code"]) == (503, "unavailable")
        assert (await refused(gateway, "/executions/run"))[0] == 503


async def test_a_gateway_that_hears_its_own_probe_is_ready(pushing: Running) -> None:
    async def ready() -> bool:
        async with pushing.http.get(pushing.address + "/readyz") as answer:
            return answer.status == 200

    async with asyncio.timeout(5):
        while not await ready():
            pass


async def test_metrics_parse_and_count(pushing: Running, worker: Worker) -> None:
    await worker.open()
    await worker.log("one", "two")
    async with pushing.watch(worker.execution_id) as watcher:
        await watcher.caught_up()
        async with pushing.http.get(pushing.address + "/metrics") as answer:
            text = await answer.text()
        families = {family.name: family for family in text_string_to_metric_families(text)}
        assert families["runtail_viewers"].samples[0].value == 1
        assert families["runtail_records_delivered"].samples[0].value == 3
        assert worker.execution_id not in text


async def test_promtool_finds_nothing_wrong_with_the_metrics(pushing: Running) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on PATH")
    async with pushing.http.get(pushing.address + "/metrics") as answer:
        text = await answer.read()
    checked = await asyncio.to_thread(
        subprocess.run, [promtool, "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
