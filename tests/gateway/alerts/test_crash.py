"""A gateway is killed in the act of sending: the alert comes all the same, under the same id."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from tests.engines import free_port
from tests.gateway.alerts.test_alerts import FAILED, run
from tests.gateway.receiver import SECRET, receiver
from tests.polling import eventually, soon

from runtail_broker.connections.client import Nodes
from runtail_broker.keys import ALERTS

pytestmark = pytest.mark.full  # a gateway takes a second to start
PROGRAM = Path(__file__).with_name("alert_gateway.py")


@pytest.fixture
def rules(tmp_path: Path) -> tuple[Path, int]:
    """A file of rules, and the port of its receiver, which does not listen yet."""
    port, file = free_port(), tmp_path / "alerts.toml"
    file.write_text(
        f'every = "0.1s"\n[webhook.ops]\nurl = "http://127.0.0.1:{port}/hook"\n'
        f'secret_env = "ALERT_SECRET"\ntimeout = "20s"\n{FAILED}'
    )
    return file, port


@contextmanager
def gateway(file: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    env = os.environ | {"ALERT_SECRET": SECRET}
    with subprocess.Popen([sys.executable, str(PROGRAM), str(file), url], env=env) as process:
        try:
            yield process
        finally:
            process.kill()


async def states(nodes: Nodes) -> list[str]:
    rows = await nodes.at(ALERTS.rows, lambda node: node.hgetall(ALERTS.rows))
    return [orjson.loads(row)["state"] for row in rows.values()]


async def looks(nodes: Nodes) -> bool:
    return bool(await nodes.at(ALERTS.memory, lambda node: node.hgetall(ALERTS.memory)))


async def sent_all(nodes: Nodes) -> bool:
    return set(await states(nodes)) == {"sent"}


async def test_what_was_found_before_the_kill_is_sent_by_the_next_gateway(
    engine_nodes: Nodes, engine_url: str, rules: tuple[Path, int]
) -> None:
    """Between claim and send: nobody listened, and the process that knew of it is gone."""
    file, port = rules
    with gateway(file, engine_url) as process:
        await eventually(lambda: looks(engine_nodes), "it looks")
        await run(engine_url, "bad", fails=True)
        await eventually(lambda: states(engine_nodes), "it is kept as to be sent")
        assert await states(engine_nodes) == ["pending"]
        process.kill()
        process.wait(10)
    with receiver(port) as hook, gateway(file, engine_url):
        await soon(lambda: hook.came, "the next one sends it", 20)
        await eventually(lambda: sent_all(engine_nodes), "it is noted as sent")
        await asyncio.sleep(0.5)
    assert [told["execution_id"] for told in hook.told] == ["bad"]


async def test_a_kill_before_the_answer_sends_it_again_as_the_same(
    engine_nodes: Nodes, engine_url: str, rules: tuple[Path, int]
) -> None:
    """The receiver has it, and the process that sent it never learnt: same id, same body."""
    file, port = rules
    with receiver(port) as hook:
        hook.hung.set()
        with gateway(file, engine_url) as process:
            await eventually(lambda: looks(engine_nodes), "it looks")
            await run(engine_url, "bad", fails=True)
            await soon(lambda: hook.came, "it is on its way")
            process.kill()
            process.wait(10)
        hook.hung.clear()
        with gateway(file, engine_url):
            await soon(lambda: len(hook.came) == 2, "the next one sends it", 20)
            await eventually(lambda: sent_all(engine_nodes), "it is noted as sent")
            await asyncio.sleep(0.5)
    first, second = hook.came
    assert (first.id, first.body) == (second.id, second.body)
