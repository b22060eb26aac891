"""The users that deploy/ ships: what workers and gateways do, they may; what they need not, not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from tests.gateway.alerts.test_alerts import alerting
from tests.gateway.conftest import QUICK
from tests.gateway.keeping.test_housekeeper import gone
from tests.gateway.logs.test_rest import get
from tests.gateway.receiver import receiver
from tests.gateway.running import running
from tests.polling import soon, until
from tests.server_process import Server, server

from runtail import Publisher
from runtail_broker.connections.client import Nodes
from runtail_broker.keys import ExecutionKeys


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    with server("valkey", (), ()) as started:
        until(started.answers, "it answers")
        yield started


def url_of(started: Server, user: str) -> str:
    secret = user.replace("runtail", "change-me")
    return f"redis://{user}:{secret}@127.0.0.1:{started.port}"


def publish(url: str, execution_id: str) -> None:
    with Publisher(url) as publisher, publisher.execution(execution_id) as run:
        run.progress(0.5)
        run.info("a line")


async def test_nothing_that_workers_and_gateways_do_is_refused(
    guarded: Server, execution_id: str
) -> None:
    """Publishing both ways, watching, listing, searching, sweeping, keeping house, deleting."""
    busy = replace(QUICK, sweep_seconds=0.05, settle_seconds=0.2, housekeeping_seconds=0.05)
    brief = replace(busy, keep_finished_seconds=0.2, keep_empty_seconds=0.2)
    other = f"{execution_id}-by-http"
    url = url_of(guarded, "runtail-gateway")
    guarded.ask("ACL", "LOG", "RESET")
    async with running(busy, url) as gateway:
        await asyncio.to_thread(publish, url_of(guarded, "runtail-worker"), execution_id)
        await asyncio.to_thread(publish, gateway.address, other)
        for name in (execution_id, other):
            async with gateway.watch(name) as watcher:
                await watcher.until(lambda: watcher.close_code is not None, "it ended")
                assert watcher.texts == ["a line"]
        page = await get(gateway, f"/executions/{execution_id}/logs?around=1&limit=4")
        assert page["records"]
        listed = await get(gateway, "/executions?status=completed")
        assert {state["id"] for state in listed["executions"]} == {execution_id, other}
        one = f"{gateway.address}/executions/{execution_id}"
        async with gateway.http.post(f"{one}/notes", json={"seq": 1, "text": "look"}) as answer:
            assert answer.status == 201
        assert (await get(gateway, f"/executions/{execution_id}/notes"))["notes"]
        async with gateway.http.delete(f"{gateway.address}/executions/{other}") as answer:
            assert answer.status == 200
    nodes = Nodes.connect(url)
    async with running(brief, url):
        await gone(nodes, execution_id)
    await nodes.close()
    assert refusals(guarded) == []


async def test_nothing_that_archiving_does_is_refused(
    guarded: Server, execution_id: str, tmp_path: Path
) -> None:
    settings = replace(
        QUICK,
        archive=str(tmp_path / "archive"),
        settle_seconds=0.2,
        sweep_seconds=0.05,
        housekeeping_seconds=0.05,
        keep_finished_seconds=0.001,
        archive_grace_seconds=0.001,
    )
    guarded.ask("ACL", "LOG", "RESET")
    async with running(settings, url_of(guarded, "runtail-gateway")) as gateway:
        await asyncio.to_thread(publish, url_of(guarded, "runtail-worker"), execution_id)
        stream = ExecutionKeys.of(execution_id).stream
        await soon(lambda: not guarded.ask("EXISTS", stream), "its stream is in the archive only")
        page = await get(gateway, f"/executions/{execution_id}/logs?limit=10")
        assert "a line" in [record.get("message") for record in page["records"]]
        assert archived(tmp_path)
        async with gateway.http.delete(f"{gateway.address}/executions/{execution_id}") as answer:
            assert answer.status == 200
        await soon(lambda: not archived(tmp_path), "it is erased there")
    assert refusals(guarded) == []


async def test_nothing_that_alerting_does_is_refused(guarded: Server, execution_id: str) -> None:
    url = url_of(guarded, "runtail-gateway")
    guarded.ask("ACL", "LOG", "RESET")
    rules = '[[rule]]\nwhen = "text"\ntext = "a line"\n'
    with receiver() as hook:
        async with alerting(url, hook, rules) as gateway:
            await asyncio.to_thread(publish, url_of(guarded, "runtail-worker"), execution_id)
            await soon(lambda: hook.came, "it is told")
            assert (await get(gateway, "/alerts"))["alerts"]
            one = f"{gateway.address}/executions/{execution_id}"
            async with gateway.http.delete(one) as answer:
                assert answer.status == 200
    assert refusals(guarded) == []


def archived(place: Path) -> list[Path]:
    return [file for file in place.rglob("*") if file.is_file()]


def refusals(started: Server) -> list[str]:
    """What was refused, by user; CONFIG GET is nobody's need."""
    rows = [dict(zip(row[::2], row[1::2], strict=True)) for row in started.ask("ACL", "LOG", 100)]
    return [f"{row[b'username'].decode()}: {row[b'object'].decode()}" for row in rows]


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("runtail-worker", ("FLUSHALL",)),
        ("runtail-worker", ("CONFIG", "GET", "*")),
        ("runtail-worker", ("GET", "somebody-elses")),
        ("runtail-worker", ("HSET", "runtail:settings", "max_records", "1")),
        ("runtail-worker", ("SSUBSCRIBE", "runtail:{a}:live")),
        ("runtail-worker", ("KEYS", "*")),
        ("runtail-gateway", ("FLUSHALL",)),
        ("runtail-gateway", ("HSET", "runtail:settings", "max_records", "1")),
        ("runtail-gateway", ("SET", "somebody-elses", "1")),
        ("runtail-gateway", ("ACL", "LIST")),
        ("runtail-gateway", ("CLIENT", "KILL", "TYPE", "normal")),
    ],
)
def test_what_they_need_not_is_refused(
    guarded: Server, user: str, command: tuple[str, ...]
) -> None:
    refused = pytest.raises(redis.exceptions.NoPermissionError)
    with redis.Redis.from_url(url_of(guarded, user)) as client, refused:
        client.execute_command(*command)


def test_nobody_comes_in_without_a_user(guarded: Server) -> None:
    refused = pytest.raises(redis.exceptions.AuthenticationError)
    with redis.Redis.from_url(f"redis://127.0.0.1:{guarded.port}") as client, refused:
        client.ping()
