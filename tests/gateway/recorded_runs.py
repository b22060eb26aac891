"""Runs of which the messages are kept: real gateway, real engine, every kind of message."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import orjson
from tests.gateway.running import Running, running
from tests.gateway.signing import AUTH, token
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_gateway.settings import GatewaySettings

QUICK = GatewaySettings(beat_seconds=0.1, retry_seconds=0.1, settle_seconds=0.01, list_seconds=0.1)
SIGNING_IN = replace(QUICK, auth=replace(AUTH, wait_seconds=5.0))
RECORDS = [
    {"kind": "plan", "steps": [{"name": "load"}, {"name": "check", "after": ["load"]}]},
    {"kind": "step", "step_name": "load", "step_id": "1", "status": "running", "attempt": 1},
    {"message": "120 rows", "step_name": "load", "step_type": "task", "output_data": {"rows": 120}},
    {"message": "page 1", "level": "debug", "input_data": [1, None], "duration_ms": 3.5},
    {"message": "3 orders have no customer", "level": "warning", "orders": [7, 8, 9]},
    {"message": "it broke", "level": "error", "error_message": "ValueError: no"},
    {"kind": "progress", "progress": 40.0, "done": 2, "total": 5},
    {"kind": "progress", "name": "upload", "progress": None},
    {"kind": "metric", "name": "rows kept", "value": 117, "unit": "rows"},
    {"kind": "link", "name": "report", "url": "https://example.org/report"},
    {"kind": "step", "step_name": "load", "step_id": "1", "status": "failed", "duration_ms": 12},
]


@dataclass(slots=True)
class Heard:
    """One socket: what came of it, and what was said."""

    socket: aiohttp.ClientWebSocketResponse
    messages: list[dict[str, Any]] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, kind: str, execution_id: str | None = None) -> None:
        """Read on until a message of *kind* came, of *execution_id* if that is named."""
        while True:
            message = orjson.loads(await self.socket.receive_str(timeout=10))
            self.messages.append(message)
            if message["type"] == kind and execution_id in (None, message.get("execution_id")):
                return

    async def say(self, kind: str, **more: object) -> None:
        self.said.append({"type": kind, **more})
        await self.socket.send_json(self.said[-1])


async def _post(gateway: Running, path: str, body: object) -> None:
    async with gateway.http.post(f"{gateway.address}/executions/{path}", json=body) as answer:
        assert answer.status == 200, await answer.text()


async def _note(gateway: Running, name: str, note: object) -> None:
    url = f"{gateway.address}/executions/{name}/notes"
    async with gateway.http.post(url, json=note) as answer:
        assert answer.status == 201, await answer.text()


async def _connect(gateway: Running, path: str) -> Heard:
    return Heard(await gateway.http.ws_connect(gateway.address + path))


async def _publish(gateway: Running, nodes: Nodes, name: str, *, wait: Heard | None = None) -> None:
    """Publish every kind of record, the last of them after a beat that *wait* hears."""
    await _post(gateway, f"{name}/open", {"publisher": "p-1", "workflow_id": "import"})
    await _post(gateway, f"{name}/logs?publisher=p-1&batch=1&before=0", RECORDS)
    numbers = f"publisher=p-1&batch=3&before={len(RECORDS) + 4}&hole_after=1"
    await _post(gateway, f"{name}/logs?{numbers}", {"message": "after a hole"})
    if wait is not None:
        await wait.until("beat")
    body = {"publisher": "p-1", "last_batch": 3, "status": "failed", "reason": "it broke"}
    await _post(gateway, f"{name}/finish", body | {"explicit": True})
    await Worker(nodes, name).finish()  # at once; the gateway has heard its engine too briefly


async def whole(gateway: Running, nodes: Nodes) -> list[dict[str, Any]]:
    """Wait for an execution, and hear it to its end."""
    heard = await _connect(gateway, "/ws/executions/nightly-1/logs?wait=true&notes=true")
    await heard.until("caught_up")
    await _publish(gateway, nodes, "nightly-1", wait=heard)
    await heard.until("end")
    return heard.messages


async def filtered(gateway: Running, nodes: Nodes) -> list[dict[str, Any]]:
    """Hear only errors."""
    await _publish(gateway, nodes, "nightly-2")
    heard = await _connect(gateway, "/ws/executions/nightly-2/logs?level=error")
    await heard.until("end")
    return heard.messages


async def broken(gateway: Running, nodes: Nodes) -> list[dict[str, Any]]:
    """Come back to what was trimmed, and to another history."""
    worker = Worker(nodes, "nightly-3", "p-1")
    await worker.open()
    await worker.log_many(batches=4, records=2)
    other = await _connect(gateway, "/ws/executions/nightly-3/logs?after=1-1:1:00000000")
    await other.until("caught_up")
    place = (await worker.entries())[1].end
    await worker.trim(3)
    trimmed = await _connect(gateway, f"/ws/executions/nightly-3/logs?after={place}")
    await trimmed.until("gap")
    return other.messages + trimmed.messages


async def refused(gateway: Running, nodes: Nodes) -> list[dict[str, Any]]:
    """Ask for what is not served."""
    messages = []
    for path in ("nobody/logs", "-/logs", "a/logs?after=x", "a/logs?tail=-1"):
        heard = await _connect(gateway, f"/ws/executions/{path}")
        await heard.until("error")
        messages += heard.messages
    return messages


async def _many(gateway: Running, nodes: Nodes) -> Heard:
    await _publish(gateway, nodes, "nightly-4")
    heard = await _connect(gateway, "/ws/executions")
    await heard.say("subscribe", execution_id="nightly-4", tail=5, level=["error"], step="load")
    await heard.until("end")
    await heard.say("subscribe", execution_id="later", after=["0-0:0:-"], wait=True)
    await heard.until("beat")
    await heard.say("unsubscribe", execution_id="later")
    await heard.until("unsubscribed")
    await heard.say("subscribe", execution_id="nobody", after="$")
    await heard.until("error")
    await heard.say("subscribe_notes", execution_id="nightly-4", after="-")
    await heard.until("notes")
    await _note(gateway, "nightly-4", {"seq": 3, "to_seq": 4, "text": "look", "author": "Alice"})
    await heard.until("notes")
    await heard.say("subscribe_notes", execution_id="nobody")
    await heard.until("error")
    await heard.say("unsubscribe_notes", execution_id="nightly-4")
    await heard.until("unsubscribed_notes")
    await heard.say("watch", status="running", limit=10)
    await heard.until("watching")
    await _post(gateway, "nightly-7/open", {"publisher": "p-1"})
    await heard.until("executions")
    await heard.say("watch", limit=1_000_000)
    await heard.until("error")
    await heard.say("unwatch")
    await heard.until("unwatched")
    return heard


async def many(gateway: Running, nodes: Nodes) -> list[dict[str, Any]]:
    """Hear several executions over one socket."""
    return (await _many(gateway, nodes)).messages


async def client(gateway: Running, nodes: Nodes) -> list[dict[str, Any]]:
    """Say to a gateway what one may say."""
    heard = await _many(gateway, nodes)
    await heard.say("auth", token="a.b.c")
    await heard.until("auth")
    return heard.said


async def signed_in(gateway: Running, nodes: Nodes) -> list[dict[str, Any]]:
    """Sign in, renew in vain, and then by a token that soon runs out."""
    await Worker(nodes, "nightly-5").open()
    heard = await _connect(gateway, "/ws/executions/nightly-5/logs")
    await heard.say("auth", token=token())
    await heard.until("caught_up")
    await heard.say("auth", token=token(sub="bob"))
    await heard.until("auth")
    await heard.say("auth", token=token(exp=math.ceil(time.time() + 0.2)))
    await heard.until("expiring")
    await heard.until("error")
    return heard.messages


async def events(gateway: Running, nodes: Nodes) -> list[dict[str, Any]]:
    """Hear an execution over Server-Sent Events."""
    await _publish(gateway, nodes, "nightly-6")
    async with gateway.http.get(f"{gateway.address}/executions/nightly-6/events") as answer:
        lines = (await answer.read()).split(b"\n\n")
    found = [line.replace(b"\ndata: ", b"\n").partition(b"data: ")[2] for line in lines]
    return [orjson.loads(data) for data in found if data]


Run = Callable[[Running, Nodes], Awaitable[list[dict[str, Any]]]]
RUNS: dict[str, Run] = {
    run.__name__: run for run in (whole, filtered, broken, refused, many, client, signed_in, events)
}


async def messages_of(name: str, engine_url: str) -> list[dict[str, Any]]:
    """Run *name* on an engine that is emptied before; return what was sent."""
    nodes = Nodes.connect(engine_url)
    try:
        for shard in await nodes.shards():
            await shard.node.flushall()
        settings = SIGNING_IN if name == "signed_in" else QUICK
        async with asyncio.timeout(30), running(settings, engine_url) as gateway:
            return await RUNS[name](gateway, nodes)
    finally:
        await nodes.close()
