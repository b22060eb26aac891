"""Archived executions are seen as before, by every way; what cannot be read is an error, no gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.contract.test_end import assert_complete
from tests.gateway.logs.test_rest import refused
from tests.gateway.notes.test_notes import ask
from tests.gateway.running import PUSHED, Running, running
from tests.gateway.worker import Worker
from tests.polling import a_moment

from runtail_broker.archives.archived_notes import read_notes
from runtail_broker.connections.client import Nodes
from runtail_gateway.settings import GatewaySettings

ARCHIVING = replace(
    QUICK,
    housekeeping_seconds=0.02,
    keep_finished_seconds=0.001,
    archive_grace_seconds=0.001,
    archive_block_bytes=2000,
    archives_at_once=2,
)
KEEPING = replace(ARCHIVING, keep_finished_seconds=1e9)  # what is archived stays so, no more goes


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def archiving(place: Path, settings: GatewaySettings = ARCHIVING, **more: Any) -> GatewaySettings:
    return replace(settings, archive=str(place), **more)


@asynccontextmanager
async def a_gateway(
    settings: GatewaySettings, url: str, mode: str = PUSHED
) -> AsyncIterator[Running]:
    async with running(settings, url, mode) as gateway:
        yield gateway


async def a_run(nodes: Nodes, name: str = "run", batches: int = 12) -> Worker:
    worker = Worker(nodes, name)
    await worker.open()
    await worker.log_many(batches, records=7, size=60)
    await worker.end()
    return worker


async def gone(worker: Worker) -> None:
    """Wait until its stream is."""
    async with asyncio.timeout(20):
        while await worker.entries():
            await a_moment()


ASKED = [
    "logs",
    "logs?limit=5",
    "logs?tail=9",
    "logs?before=40&limit=20",
    "logs?before=8&limit=20",
    "logs?around=33&limit=11",
    "logs?q=17%20&context=2",
    "logs?level=info&limit=3",
    "logs.ndjson",
    "logs.txt",
    "steps",
]


async def answers(gateway: Running, name: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in ASKED:
        async with gateway.http.get(f"{gateway.address}/executions/{name}/{path}") as answer:
            assert answer.status == 200, await answer.text()
            found[path] = await answer.read()
    return found


async def test_viewers_and_pages_see_what_they_saw_before(
    engine_nodes: Nodes, engine_url: str, place: Path, mode: str
) -> None:
    """Live from the beginning, resumed at every tenth line, by pages, as files, in the list."""
    worker = await a_run(engine_nodes)
    stored, cursors = await worker.stored(), [e.end for e in await worker.entries()]
    async with a_gateway(replace(QUICK), engine_url) as plain:
        before = await answers(plain, "run")
    async with a_gateway(archiving(place), engine_url, mode) as gateway:
        await gone(worker)
        async with gateway.watch("run") as watcher:
            await watcher.closed()
            assert watcher.records == stored
            assert_complete(watcher)
        for cursor in [*cursors[::4], cursors[-1]]:
            async with gateway.watch("run", f"after={cursor}") as watcher:
                await watcher.closed()
                assert watcher.records == stored[cursor.number :]
        async with gateway.watch("run", "tail=10") as watcher:
            await watcher.closed()
            assert watcher.records == stored[-10:]
        assert await answers(gateway, "run") == before
        async with gateway.http.get(f"{gateway.address}/executions") as answer:
            (listed,) = (await answer.json())["executions"]
        assert (listed["id"], listed["status"], listed["bytes_kept"]) == ("run", "completed", 0)
        assert listed["archived_seq"] == listed["last_seq"] == len(stored)


async def test_a_viewer_in_the_middle_goes_on_from_the_archive(
    engine_nodes: Nodes, engine_url: str, place: Path, mode: str
) -> None:
    worker = await a_run(engine_nodes, batches=400)
    stored = await worker.stored()
    little = archiving(place, message_bytes=2048, page_entries=2, page_cache_bytes=20_000)
    async with (
        a_gateway(little, engine_url, mode) as gateway,
        gateway.watch("run") as watcher,
    ):
        await watcher.until(lambda: len(watcher.records) > 20, "it begins")
        watcher.reading.clear()
        await gone(worker)
        watcher.reading.set()
        await watcher.closed()
        assert watcher.records == stored
        assert watcher.gaps == []
        assert_complete(watcher)


async def test_late_records_are_seen_behind_what_is_archived_and_archived_too(
    engine_nodes: Nodes, engine_url: str, place: Path
) -> None:
    worker = await a_run(engine_nodes)
    stored = await worker.stored()
    async with a_gateway(archiving(place), engine_url) as gateway:
        await gone(worker)
        for more in ("late", "later"):
            await worker.log(more)
            stored += await worker.stored()
            await worker.finish()
            stored += [each for each in await worker.stored() if each["seq"] > len(stored)]
            await gone(worker)
            async with gateway.watch("run") as watcher:
                await watcher.closed()
                assert [r["seq"] for r in watcher.records] == list(range(1, len(stored) + 1))
                assert more in watcher.texts
        assert await gateway.metric("runtail_gateway_archived_total") == 3
        assert await gateway.metric("runtail_gateway_released_total") == 3
        assert await gateway.metric("runtail_gateway_archived_bytes_total") > 100
        assert await gateway.metric("runtail_gateway_archive_errors_total") == 0


async def test_deleting_takes_the_archive_too(
    engine_nodes: Nodes, engine_url: str, place: Path
) -> None:
    worker = await a_run(engine_nodes)
    async with a_gateway(archiving(place), engine_url) as gateway:
        await gone(worker)
        assert files(place)
        async with a_gateway(replace(KEEPING), engine_url) as without:
            # one that has no archive cannot
            url = f"{without.address}/executions/run"
            async with without.http.delete(url) as answer:
                assert (answer.status, (await answer.json())["code"]) == (503, "unavailable")
        async with gateway.http.delete(f"{gateway.address}/executions/run") as answer:
            assert answer.status == 200
        assert files(place) == []
        status, problem = await refused(gateway, "/executions/run/logs")
        assert (status, problem["code"]) == (410, "deleted")


async def test_what_is_too_old_leaves_the_archive_and_the_list(
    engine_nodes: Nodes, engine_url: str, place: Path
) -> None:
    worker = await a_run(engine_nodes)
    async with a_gateway(archiving(place), engine_url):
        await gone(worker)
    old = archiving(place, keep_archived_seconds=0.001)
    async with a_gateway(old, engine_url) as gateway:
        async with asyncio.timeout(20):
            while await status_of(gateway, "/executions/run") != 410:
                await a_moment()
        async with gateway.http.get(f"{gateway.address}/executions") as answer:
            assert (await answer.json())["executions"] == []


async def test_while_the_archive_is_away_nobody_is_told_a_gap(
    engine_nodes: Nodes, engine_url: str, place: Path
) -> None:
    """They are told to come again, and then see all; so says a gateway without an archive."""
    worker = await a_run(engine_nodes)
    stored = await worker.stored()
    async with a_gateway(archiving(place), engine_url):
        await gone(worker)
    async with a_gateway(archiving(place, KEEPING), engine_url) as gateway:
        move(place, place.with_name("away"))
        await assert_refused(gateway, 4330, "unavailable", 503)
        async with a_gateway(KEEPING, engine_url) as without:
            await assert_refused(without, 4330, "unavailable", 503)
        move(place.with_name("away"), place)
        async with gateway.watch("run") as watcher:
            await watcher.closed()
            assert watcher.records == stored


async def test_while_the_archive_is_away_what_should_go_there_stays(
    engine_nodes: Nodes, engine_url: str, place: Path
) -> None:
    settings = archiving(place)
    async with a_gateway(settings, engine_url) as gateway:
        move(place, place.with_name("away"))
        worker = await a_run(engine_nodes)
        async with asyncio.timeout(20):
            while not await gateway.metric("runtail_gateway_archive_errors_total"):
                await a_moment()
        assert await worker.entries()
        move(place.with_name("away"), place)
        await gone(worker)


async def test_a_damaged_archive_is_an_error_for_everybody(
    engine_nodes: Nodes, engine_url: str, place: Path
) -> None:
    worker = await a_run(engine_nodes)
    async with a_gateway(archiving(place), engine_url):
        await gone(worker)
    (path,) = files(place)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    async with a_gateway(archiving(place, KEEPING), engine_url) as gateway:
        await assert_refused(gateway, 4422, "damaged", 500)


async def test_what_a_newer_runtail_wrote_is_refused_and_never_shown_otherwise(
    engine_nodes: Nodes, engine_url: str
) -> None:
    """A frame that comes live, one in the history, a state; what is known is served as before."""
    worker, other = Worker(engine_nodes, "run"), await a_run(engine_nodes, "other")
    await worker.open()
    async with a_gateway(QUICK, engine_url) as gateway:
        async with gateway.watch("run") as watcher:
            await watcher.caught_up()
            await worker.log_frame(b"\x23what comes", 3)
            await watcher.closed()
            assert (watcher.close_code, watcher.of("error")[0]["code"]) == (4331, "newer_format")
            assert [record["seq"] for record in watcher.records] == [1]
        await assert_refused(gateway, 4331, "newer_format", 501)
        await set_format(engine_nodes, other, "2")
        await assert_refused(gateway, 4331, "newer_format", 501, name="other")
        await set_format(engine_nodes, other, "1")
        async with gateway.watch("other") as watcher:
            await watcher.closed()
            assert_complete(watcher)


async def status_of(gateway: Running, path: str) -> int:
    async with gateway.http.get(gateway.address + path) as answer:
        return answer.status


async def set_format(nodes: Nodes, worker: Worker, version: str) -> None:
    key = worker.keys.state
    await nodes.at(key, lambda node: node.hset(key, "format", version))


async def assert_refused(
    gateway: Running, code: int, word: str, status: int, name: str = "run"
) -> None:
    """A viewer is closed with *code*, and a page and a file are answered with *status*."""
    async with gateway.watch(name) as watcher:
        await watcher.closed()
        assert (watcher.close_code, watcher.of("error")[-1]["code"]) == (code, word)
        assert watcher.gaps == []
    for path in ("logs", "logs?tail=90", "steps"):
        told, problem = await refused(gateway, f"/executions/{name}/{path}")
        assert (told, problem["code"]) == (status, word), orjson.dumps(problem)


async def test_notes_are_archived_too_and_go_on_being_written(
    engine_nodes: Nodes, engine_url: str, place: Path
) -> None:
    worker = await a_run(engine_nodes)
    async with a_gateway(archiving(place), engine_url) as gateway:
        await gone(worker)
        notes = f"{gateway.address}/executions/{worker.execution_id}/notes"
        for text in ("one", "two"):
            body = {"seq": 2, "text": text}
            status, _ = await ask(gateway, "POST", notes, body)
            assert status == 201
            async with asyncio.timeout(20):
                while text not in noted_in(place):
                    await a_moment()
        _, told = await ask(gateway, "GET", notes)
    assert [note["text"] for note in told["notes"]] == noted_in(place) == ["one", "two"]


def noted_in(place: Path) -> list[str]:
    """Read the notes of the one execution that lies there."""
    found = list(place.rglob("notes.ndjson.zst"))
    return [n.fields["text"] for n in read_notes("", found[0].read_bytes()).notes] if found else []


def move(one: Path, other: Path) -> None:
    one.rename(other)


def files(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file()]
