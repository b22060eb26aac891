"""Alerts by webhook, on a real engine and real sockets: on a change of state, once, and signed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.receiver import SECRET, Received, Receiver, receiver
from tests.gateway.running import Running, running
from tests.gateway.signing import AUTH, bearer
from tests.polling import soon

from runtail import AsyncPublisher
from runtail_broker.connections.client import Nodes
from runtail_broker.keys import ALERTS
from runtail_gateway.alerts.file import read_rules
from runtail_gateway.settings import GatewaySettings

README = Path(__file__).parents[3] / "gateway" / "README.md"
FAILED = '[[rule]]\nwhen = "failed"\n'


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as here:
        yield here


def settings(hook: Receiver, rules: str, more: str = "", **changes: Any) -> GatewaySettings:
    text = f"""
every = "0.1s"
page = "https://runtail.example.org"
[webhook.ops]
url = "{hook.url}"
secret_env = "SECRET"
timeout = "1s"
{rules}
{more}
"""
    given: dict[str, Any] = {"claim_seconds": 1.0, **changes}
    return replace(QUICK, alerts=read_rules(text.encode(), {"SECRET": SECRET}), **given)


@asynccontextmanager
async def alerting(
    engine_url: str, hook: Receiver, rules: str, more: str = "", **changes: Any
) -> AsyncIterator[Running]:
    """Run a gateway with these rules, which look from now on."""
    async with running(settings(hook, rules, more, **changes), engine_url) as gateway:
        nodes = Nodes.connect(engine_url)

        async def begun() -> bool:
            return bool(await nodes.at(ALERTS.memory, lambda node: node.hgetall(ALERTS.memory)))

        while not await begun():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await nodes.close()
        yield gateway


async def run(
    engine_url: str, name: str, *messages: str, fails: bool = False, workflow: str = "nightly"
) -> None:
    """Run an execution to its end."""
    async with AsyncPublisher(engine_url) as publisher:
        try:
            async with publisher.execution(name, workflow_id=workflow) as work:
                for message in messages:
                    work.info(message)
                if fails:
                    raise ValueError("no such customer, nor ghp_0123456789abcdef")
        except ValueError:
            pass


async def quiet() -> None:
    """Give several looks the time to find something more."""
    await asyncio.sleep(0.5)


async def test_a_failure_is_told_once_with_its_error_its_last_lines_and_a_link(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    await run(engine_url, "before-the-rule", fails=True)
    mask = '[mask]\ntexts = ["zebra-*"]'
    async with alerting(engine_url, hook, FAILED, mask) as gateway:
        await run(engine_url, "good")
        lines = [f"line {n}" for n in range(20)]
        await run(engine_url, "bad", *lines, "a zebra-5678 in AKIA1234567890ABCDEF", fails=True)
        await soon(lambda: hook.came, "it is told")
        await quiet()
        async with gateway.http.get(f"{gateway.address}/alerts") as answer:
            shown = (await answer.json())["alerts"]
    assert [told["execution_id"] for told in hook.told] == ["bad"]
    (told,) = hook.told
    assert (told["when"], told["status"], told["workflow_id"]) == ("failed", "failed", "nightly")
    assert told["error"].endswith("no such customer, nor ***")
    assert told["reason"].endswith("no such customer, nor ***")
    texts = [line["text"] for line in told["lines"]]
    assert len(texts) == 10
    assert "line 19" in texts
    assert "a *** in ***" in texts  # which the worker does not know as secrets
    assert told["url"].startswith("https://runtail.example.org/monitoring/executions/bad#L")
    assert told["duration_ms"] >= 0
    assert "bad (nightly) failed after" in told["text"]
    assert [(row["id"], row["messages"][0]["state"]) for row in shown] == [(told["id"], "sent")]


def verifier() -> Any:
    """The README's verifier, as it stands there."""
    section = README.read_text().split("\n## Alerts\n")[1].split("\n## ")[0]
    (snippet,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(snippet.strip().splitlines()) <= 12
    space: dict[str, Any] = {}
    exec(snippet, space)
    return space["is_genuine"]


def taken(is_genuine: Any, message: Received, **changes: Any) -> bool:
    given = {"secret": SECRET, "headers": message.headers, "body": message.body} | changes
    return bool(is_genuine(given["secret"], given["headers"], given["body"]))


async def test_receivers_can_verify_who_sent_it_and_when(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    async with alerting(engine_url, hook, FAILED):
        await run(engine_url, "bad", fails=True)
        await soon(lambda: hook.came, "it is told")
    (message,), is_genuine = hook.came, verifier()
    assert taken(is_genuine, message)
    assert not taken(is_genuine, message, secret="another secret of some length")
    assert not taken(is_genuine, message, body=message.body + b" ")
    old = message.headers | {"runtail-timestamp": "1700000000"}
    assert not taken(is_genuine, message, headers=old)


@pytest.mark.full
async def test_what_a_receiver_does_not_take_is_sent_again_under_the_same_id(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    hook.answers = [500]
    async with alerting(engine_url, hook, FAILED) as gateway:
        await run(engine_url, "bad", fails=True)
        await soon(lambda: len(hook.came) == 2, "it came again")
        await quiet()
        assert await gateway.metric("runtail_gateway_alerts_failed_total") == 1
        assert await gateway.metric("runtail_gateway_alerts_sent_total") == 1
    assert len({message.id for message in hook.came}) == 1
    assert hook.came[0].body == hook.came[1].body


@pytest.mark.full
async def test_a_redirect_is_not_followed(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    hook.answers, hook.more = [302], {"Location": hook.url + "&elsewhere=1"}
    async with alerting(engine_url, hook, FAILED) as gateway:
        await run(engine_url, "bad", fails=True)
        await soon(lambda: hook.came, "it was sent")
        await quiet()
        async with gateway.http.get(f"{gateway.address}/alerts") as answer:
            ((row,),) = [a["messages"] for a in (await answer.json())["alerts"]]
    assert [message.path for message in hook.came] == ["/hook?key=1"]
    assert (row["state"], row["trouble"]) == ("pending", "HTTP 302")


@pytest.mark.full
async def test_of_two_gateways_one_sends(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    async with alerting(engine_url, hook, FAILED), alerting(engine_url, hook, FAILED):
        for n in range(3):
            await run(engine_url, f"bad-{n}", fails=True)
        await soon(lambda: len(hook.came) >= 3, "all are told")
        await quiet()
    assert sorted(told["execution_id"] for told in hook.told) == ["bad-0", "bad-1", "bad-2"]


@pytest.mark.full
async def test_a_silent_execution_is_told_and_told_when_it_speaks_again(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    rules = '[[rule]]\nwhen = "stalled"\nafter = "1s"\nresolved = true\n'
    async with alerting(engine_url, hook, rules), AsyncPublisher(engine_url) as publisher:
        async with publisher.execution("quiet", workflow_id="nightly") as work:
            work.info("one")
            await soon(lambda: len(hook.came) == 1, "the silence is told")
            await quiet()
            work.info("two")
            await soon(lambda: len(hook.came) == 2, "its end is told")
            await soon(lambda: len(hook.came) == 3, "the next silence is told")
        await soon(lambda: len(hook.came) == 4, "the end is told")
    turns = ["fired", "resolved", "fired", "resolved"]
    assert hook.whens == [("stalled", turn, "quiet") for turn in turns]
    assert len({message.id for message in hook.came}) == 4


async def test_a_lost_worker_is_told(engine_nodes: Nodes, engine_url: str, hook: Receiver) -> None:
    rules = '[[rule]]\nwhen = "lost"\n'
    quick: dict[str, Any] = {"lease_seconds": 1.5, "settle_seconds": 0.2, "sweep_seconds": 0.1}
    async with alerting(engine_url, hook, rules, **quick):
        await run(engine_url, "gone")
        key = "runtail:{gone}:state"
        await engine_nodes.at(key, lambda node: node.hset(key, mapping={"status": "lost"}))
        await soon(lambda: hook.came, "it is told")
    assert hook.whens == [("lost", "fired", "gone")]


async def test_what_takes_longer_than_usual_is_told_while_it_runs_with_the_median(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    for n in range(3):
        await run(engine_url, f"usual-{n}")
    rules = '[[rule]]\nwhen = "slow"\ntimes = 2\nat_least = 3\n'
    async with alerting(engine_url, hook, rules), AsyncPublisher(engine_url) as publisher:
        async with publisher.execution("slow", workflow_id="nightly"):
            await soon(lambda: hook.came, "it is told")
        async with publisher.execution("other", workflow_id="never seen before"):
            await quiet()
    (told,) = hook.told
    assert (told["execution_id"], told["status"]) == ("slow", "running")
    assert told["median_ms"] is not None
    assert told["duration_ms"] > 2 * told["median_ms"]


@pytest.mark.full
async def test_a_workflow_that_fails_often_is_told_once(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    rules = '[[rule]]\nwhen = "error_rate"\nabove = 0.4\nat_least = 4\nresolved = true\n'
    async with alerting(engine_url, hook, rules, figures_seconds=0.1):
        for n in range(4):
            await run(engine_url, f"run-{n}", fails=n % 2 == 0)
        await run(engine_url, "alone", fails=True, workflow="another")
        await soon(lambda: hook.came, "it is told")
        for n in range(4, 6):
            await run(engine_url, f"run-{n}")
        await soon(lambda: len(hook.came) == 2, "it is told that it is over")
    assert [(t["workflow_id"], t["turn"]) for t in hook.told] == [
        ("nightly", "fired"),
        ("nightly", "resolved"),
    ]
    assert (hook.told[0]["ended"], hook.told[0]["failed"]) == (4, 2)


async def test_a_text_is_told_at_its_line_once(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    rules = '[[rule]]\nwhen = "text"\ntext = ["disk * full"]\nworkflow = "night*"\n'
    async with alerting(engine_url, hook, rules):
        await run(engine_url, "one", "all is well", "Disk /dev/sda1 is FULL", "disk x full", "on")
        await run(engine_url, "two", "disk", "full")
        await run(engine_url, "three", "disk is full", workflow="daily")
        await soon(lambda: hook.came, "it is told")
        await quiet()
    (told,) = hook.told
    assert (told["execution_id"], told["url"].partition("#")[2]) == ("one", "L3")
    assert [line["text"] for line in told["lines"]][-1] == "Disk /dev/sda1 is FULL"


@pytest.mark.full
async def test_after_an_alert_the_rule_is_silent_for_its_time_and_says_what_it_held_back(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    async with alerting(engine_url, hook, FAILED + 'silence = "2s"\n') as gateway:
        for n in range(3):
            await run(engine_url, f"bad-{n}", fails=True)
        await run(engine_url, "other", fails=True, workflow="daily")
        await soon(lambda: len(hook.came) == 2, "one of each workflow is told")
        await asyncio.sleep(2.2)
        await run(engine_url, "late", fails=True)
        await soon(lambda: len(hook.came) == 3, "the next is told")
        async with gateway.http.get(f"{gateway.address}/alerts?execution_id=bad-2") as answer:
            (shown,) = (await answer.json())["alerts"]
    assert [told["held_back"] for told in hook.told] == [0, 0, 2]
    assert (shown["silenced"], shown["messages"]) == (True, [])


@pytest.mark.full
async def test_what_finds_no_room_among_those_that_wait_is_told_later(
    engine_nodes: Nodes, engine_url: str, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtail_gateway.alerts.alerts.MOST_WAITING", 1)
    hook.answers = [503]
    async with alerting(engine_url, hook, FAILED) as gateway:
        for n in range(3):
            await run(engine_url, f"bad-{n}", fails=True)
        await soon(lambda: len({m.id for m in hook.came}) == 3, "all are told", 20)
        await quiet()
        assert await gateway.metric("runtail_gateway_alerts_put_off_total") > 0
        assert await gateway.metric("runtail_gateway_alerts_sent_total") == 3
    assert len(hook.came) == 4


async def test_who_may_not_read_an_execution_learns_nothing_of_its_alerts(
    engine_nodes: Nodes, engine_url: str, hook: Receiver
) -> None:
    async with alerting(engine_url, hook, FAILED, auth=AUTH) as gateway:
        await run(engine_url, "mine", fails=True)
        await run(engine_url, "theirs", fails=True)
        await soon(lambda: len(hook.came) == 2, "both are told")
        url = f"{gateway.address}/alerts"
        headers = bearer(runtail_executions=["mi*"])
        async with gateway.http.get(url, headers=headers) as answer:
            shown = (await answer.json())["alerts"]
        async with gateway.http.get(f"{url}?execution_id=theirs", headers=headers) as answer:
            refused = answer.status
        async with gateway.http.get(url) as answer:
            nobody = answer.status
    assert [alert["execution_id"] for alert in shown] == ["mine"]
    assert (refused, nobody) == (403, 401)
