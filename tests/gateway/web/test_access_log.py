"""One JSON line for each request and connection, and nothing in it that is nobody's business."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import EVENTS, MANY, PUSHED, Running, running
from tests.gateway.signing import AUTH, OTHER_SECRET, SECRET, token
from tests.gateway.talking import logs_of, talking
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.connections.client import Nodes
from runtail_gateway.access.share import ShareLinks
from runtail_gateway.web.access_log import LOGGER


class Lines(logging.Handler):
    """The lines that were written."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    async def one(self) -> dict[str, Any]:
        """Wait for the only line."""
        await soon(lambda: self.texts, "a line is written")
        [text] = self.texts
        line: dict[str, Any] = orjson.loads(text)
        return line


@pytest.fixture
async def lines() -> AsyncIterator[Lines]:
    lines, logger = Lines(), logging.getLogger(LOGGER)
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(lines)
    logger.setLevel(logging.NOTSET)


LOGGED = replace(QUICK, access_log=True)


@pytest.mark.parametrize("mode", [PUSHED, EVENTS, MANY])
async def test_a_viewer_is_a_line_with_what_it_got_and_how_it_ended(
    engine_nodes: Nodes, engine_url: str, worker: Worker, lines: Lines, mode: str
) -> None:
    await worker.open()
    await worker.log("before it came")
    async with running(LOGGED, engine_url, mode) as gateway:
        async with gateway.watch(worker.execution_id) as viewer:
            await viewer.caught_up()
            for number in range(9):
                await worker.log(f"live {number} " + "x" * 1000)
            await viewer.until(lambda: len(viewer.texts) == 10, "it has them")
        line = await lines.one()
    assert line["records"] == len(viewer.records)
    assert 9000 < line["bytes"] < 15000
    assert (line["reason"], line["client"]) == ("gone", "127.0.0.1")
    assert line["status"] == (200 if mode == EVENTS else 101)
    assert line["seconds"] > 0


async def test_a_viewer_that_saw_the_end_and_one_that_is_refused_are_told_apart(
    engine_nodes: Nodes, engine_url: str, worker: Worker, lines: Lines
) -> None:
    await worker.open()
    await worker.end()
    async with running(LOGGED, engine_url) as gateway:
        async with gateway.watch(worker.execution_id) as viewer:
            await viewer.closed()
        line = await lines.one()
        assert (line["close"], line["reason"]) == (1000, "ended")
        lines.texts.clear()
        async with gateway.watch("nothing") as viewer:
            await viewer.closed()
        line = await lines.one()
        assert (line["close"], line["reason"]) == (4404, "not_found")


async def test_a_request_is_a_line_without_its_query_and_with_a_cut_user_agent(
    engine_nodes: Nodes, engine_url: str, lines: Lines
) -> None:
    async with running(LOGGED, engine_url) as gateway:
        headers = {"User-Agent": "a" * 5000, "Authorization": "Bearer secret-1"}
        address = f"{gateway.address}/executions?limit=3&token=secret-2"
        async with gateway.http.get(address, headers=headers) as answer:
            size = len(await answer.read())
        line = await lines.one()
    assert "secret" not in lines.texts[0]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/executions", 200)
    assert (line["bytes"], line["reason"]) == (size, "answered")
    assert line["agent"] == "a" * 200
    assert "records" not in line


async def test_a_token_is_in_no_line_however_it_came(
    engine_nodes: Nodes, engine_url: str, worker: Worker, lines: Lines
) -> None:
    """In a header, a query, a subprotocol, a message or a share link, believed or not."""
    await worker.open()
    await worker.log("a log's own text")
    auth = replace(AUTH, wait_seconds=5)
    link = ShareLinks(auth).make(worker.execution_id, "ann", int(time.time() + 600))
    path, watched = f"/executions/{worker.execution_id}", logs_of(worker.execution_id)
    said: list[str] = [link]
    async with running(replace(LOGGED, auth=auth), engine_url) as gateway:
        for secret in (SECRET, OTHER_SECRET):
            text = token(secret)
            said.append(text)
            for query, headers in (
                (f"/logs?token={text}&access_token={text}&share={text}", {}),
                (f"/logs.txt?share={link}", {}),
                (f"/events?after=$&share={text}", {}),
                ("/logs", {"Authorization": f"Bearer {text}"}),
            ):
                url = gateway.address + path + query
                async with gateway.http.get(url, headers=headers):
                    pass
            protocols = ("runtail.v1", f"runtail.token.{text}")
            async with talking(gateway, watched, protocols=protocols) as talk:
                await talk.until("hello" if secret == SECRET else "error")
            async with talking(gateway, f"{watched}?share={link}") as talk:
                await talk.until("hello")
            async with talking(gateway, watched) as talk:
                await talk.say(type="auth", token=text)
                await talk.until("auth" if secret == SECRET else "error")
        await soon(lambda: len(lines.texts) == 14, "each is a line")
    signatures = [text.rpartition(".")[2] for text in said]
    written = "\n".join(lines.texts)
    assert [each for each in [*said, *signatures, "a log's own text"] if each in written] == []
    assert "?" not in written
    assert {orjson.loads(text)["reason"] for text in lines.texts} == {
        "answered",
        "gone",
        "signed_out",
    }


async def test_nothing_is_written_unless_it_is_asked_for(pushing: Running, lines: Lines) -> None:
    async with pushing.http.get(f"{pushing.address}/healthz"):
        pass
    assert lines.texts == []
