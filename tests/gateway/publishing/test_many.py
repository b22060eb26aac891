"""`POST /publish`, as the SDK uses it: call by call, and nothing that a caller says is believed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.engines import require_program
from tests.gateway.running import Running
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import new_random
from runtail_broker.errors import EngineRefused
from runtail_broker.keys import SETTINGS
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.record import encode
from runtail_broker.records.spoken import (
    MEDIA_TYPE,
    Beat,
    Close,
    Finish,
    Open,
    Primary,
    Publish,
    Said,
    Spoken,
    body_of,
    pack,
    unpack_answers,
)
from runtail_broker.script import Answer

pytestmark = pytest.mark.timeout(40)


async def post(gateway: Running, body: bytes, **headers: str) -> tuple[int, bytes]:
    url = f"{gateway.address}/publish"
    async with gateway.http.post(url, data=body, headers=headers) as answer:
        return answer.status, await answer.read()


async def ask(gateway: Running, *said: Spoken) -> list[Said]:
    status, body = await post(gateway, body_of([pack(each) for each in said]))
    assert status == 200, body
    return unpack_answers(body)[0]


def words(answers: Sequence[Said]) -> list[str]:
    return [answer.word if isinstance(answer, Answer) else str(answer) for answer in answers]


def opened(name: str, publisher: str = "p", role: str = "owner") -> Open:
    return Open(name, publisher, role, "wf", "2026-01-01T00:00:00Z")


def batch(name: str, number: int, *texts: str, publisher: str = "p") -> Publish:
    frame = encode_frame([encode(name, {"message": text}).json for text in texts])
    return Publish(name, publisher, number, 0, new_random(), len(texts), None, "", frame)


async def test_calls_of_many_executions_are_run_in_order_and_answered_in_order(
    pushing: Running,
) -> None:
    await ask(pushing, opened("first"))  # the engine knows the scripts from now on:
    await ask(pushing, batch("first", 1, "a"))  # what it runs again it answers otherwise
    names = [f"run-{secrets.token_hex(4)}" for _ in range(3)]
    said: list[Spoken] = [
        each for n in names for each in (opened(n), batch(n, 1, "a"), batch(n, 2, "b"))
    ]
    assert words(await ask(pushing, *said)) == ["created", "stored", "stored"] * 3
    ending: list[Spoken] = [
        Beat(names[0], "p", 2, 1),
        Close(names[0], "p", 2, "completed", "", False),
        Finish(names[0]),
    ]
    said_to_each = [words(await ask(pushing, each)) for each in ending]
    assert said_to_each == [["alive"], ["closed"], ["ended"]]


async def test_a_call_that_makes_no_sense_is_refused_alone(
    pushing: Running, worker: Worker
) -> None:
    name = worker.execution_id
    wrong = Publish(name, "p", 1, 0, 0, 9, None, "", batch(name, 1, "a").frame)
    bad: list[Spoken] = [
        Beat("no/id", "p", 0, 1),
        Beat(name, "no name", 0, 1),
        wrong,
        opened(name, role="boss"),
    ]
    answers = await ask(pushing, opened(name), *bad, batch(name, 1, "a"))
    assert words(answers)[::5] == ["created", "stored"]
    assert {type(answer) for answer in answers[1:5]} == {EngineRefused}


async def test_the_primary_is_named_as_the_engine_names_it(
    pushing: Running, worker: Worker, engine_nodes: Nodes
) -> None:
    info = await engine_nodes.at(worker.keys.state, lambda node: node.info("server"))
    assert await ask(pushing, Primary(worker.execution_id)) == [info["run_id"]]


async def test_the_operators_limits_hold_whatever_a_caller_says(
    pushing: Running, worker: Worker, engine_nodes: Nodes
) -> None:
    await engine_nodes.at(SETTINGS, lambda node: node.hset(SETTINGS, "max_publishers", "2"))
    said = [opened(worker.execution_id, publisher) for publisher in "abc"]
    assert words(await ask(pushing, *said)) == ["created", "joined", "full"]


async def test_the_flags_of_a_batch_are_never_a_callers(pushing: Running, worker: Worker) -> None:
    name = worker.execution_id
    end = b'{"execution_id":"%b","kind":"end","status":"completed"}' % name.encode()
    said = Publish(name, "p", 1, 0, 0, 1, None, "", encode_frame([end]))
    assert isinstance((await ask(pushing, opened(name), said))[1], EngineRefused)
    assert [entry.flags for entry in await worker.entries()] == [1]


@pytest.mark.parametrize("body", [b"", b"no msgpack", b"\x90", b"\xdd\x7f\xff\xff\xff" * 50])
async def test_a_body_that_no_sdk_sends_is_refused(pushing: Running, body: bytes) -> None:
    assert (await post(pushing, body, **{"Content-Type": MEDIA_TYPE}))[0] == 400


@pytest.mark.parametrize("gateway_settings", [{"publish_calls": 12}], indirect=True)
@pytest.mark.parametrize(("calls", "status"), [(12, 200), (13, 400)])
async def test_a_body_holds_as_many_calls_as_allowed(
    pushing: Running, calls: int, status: int
) -> None:
    body = body_of([pack(Finish("run-1"))] * calls)
    assert (await post(pushing, body))[0] == status


async def test_a_page_of_another_origin_sends_no_calls(pushing: Running) -> None:
    body = body_of([pack(opened("run-1"))])
    assert (await post(pushing, body, Origin="https://evil.example"))[0] == 403


async def test_the_guide_for_curl_does_what_it_says(
    pushing: Running, engine_nodes: Nodes, tmp_path: Path
) -> None:
    guide = (Path(__file__).parents[3] / "gateway" / "README.md").read_text()
    script = guide.split("## Publishing over HTTP")[1].split("```sh\n")[1].split("```")[0]
    lines = script.replace("http://127.0.0.1:8000", pushing.address).splitlines()
    (tmp_path / "more.ndjson").write_text('{"message": "a"}\n{"message": "b"}\n')
    require_program("curl")
    quiet = "\n".join(lines).replace("curl ", "curl -sS --fail-with-body ")
    process = await asyncio.create_subprocess_exec("sh", "-ec", quiet, cwd=tmp_path)
    assert await process.wait() == 0
    stored = await Worker(engine_nodes, "nightly-7").stored()
    texts = [record["message"] for record in stored if "message" in record]
    assert texts == ["fetched", "odd", "a", "b", "checked by hand"]
