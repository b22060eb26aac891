"""One JSON line for each request and connection, and nothing in it that is nobody's business."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import EVENTS, MANY, PUSHED, Running, running
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.client import Nodes
from runtail_gateway.access_log import LOGGER


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


async def test_nothing_is_written_unless_it_is_asked_for(pushing: Running, lines: Lines) -> None:
    async with pushing.http.get(f"{pushing.address}/healthz"):
        pass
    assert lines.texts == []
