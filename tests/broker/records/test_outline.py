"""What is kept of a batch's records beside them: the last error, and how steps ended."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from tests.broker.executions import PUBLISHER, Execution

from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import new_random
from runtail_broker.executions import Executions
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.outline import LastError, Outline, StepEnds, outline
from runtail_broker.records.record import encode
from runtail_broker.script import Answer, Batch, publish_call


@pytest.fixture
def execution(nodes: Nodes, execution_id: str) -> Execution:
    return Execution(nodes, execution_id)


def log(message: object, level: str = "info", **more: object) -> bytes:
    return encode("e", {"message": message, "level": level, **more}).json


def step(name: object, status: str, **more: object) -> bytes:
    return encode("e", {"step_name": name, "status": status, **more}, kind="step").json


def outlined(*json: bytes) -> Outline:
    kinds = [orjson.loads(each).get("kind", "log") for each in json]
    others = [place for place, kind in enumerate(kinds) if kind != "log"]
    errors = sum(b'"level":"error"' in each for each in json)
    return outline(json, errors=errors, others=others)


def test_nothing_is_kept_of_usual_logs() -> None:
    assert outlined(log("error"), log("fine")) == ()


def test_the_last_error_is_its_place_its_first_line_and_when() -> None:
    last = log(
        "it broke\nin two lines", "error", step_name="load", timestamp="2026-01-01T00:00:00Z"
    )
    (kept,) = outlined(log("first", "error"), last, log('"level":"error"'))
    place, _, json = kept.partition(" ")
    assert place == "1"
    assert orjson.loads(json) == {
        "step_name": "load",
        "message": "it broke",
        "at": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"message": "x" * 500}, "x" * 200),
        ({"message": "", "error_message": "ValueError: no\n…"}, "ValueError: no"),
        ({"message": {"odd": 1}}, ""),
        ({"message": "\n  hello"}, "hello"),
    ],
)
def test_an_error_of_any_shape_has_a_short_message(fields: dict[str, Any], message: str) -> None:
    (kept,) = outlined(encode("e", {"level": "error", **fields}).json)
    assert orjson.loads(kept.partition(" ")[2])["message"] == message


@pytest.mark.parametrize(
    "odd", [b"[" * 2000, b'{"level":"error","x":' + b"[" * 2000 + b"]" * 2000 + b"}", b"7", b"\xff"]
)
def test_what_cannot_be_read_is_left_out(odd: bytes) -> None:
    told = outline([log("no", "error"), odd + b'"error"'], errors=1, others=())
    assert told[0].startswith("0 ")
    assert outline([odd + b'"kind":"step"'], errors=0, others=[0]) == ()


def test_ends_of_steps_are_counted_by_name() -> None:
    assert outlined(
        step("a", "running"),
        step("a", "completed", duration_ms=1.25),
        step("b", "failed", duration_ms=1234567.8),
        step("a", "failed", duration_ms="long"),
        step("a", "retried", duration_ms=3),
        step(7, "failed"),
    ) == ("", "a", "2 1 1.25", "b", "1 1 1.23457e+06")


def test_a_batch_of_many_steps_keeps_a_bounded_number_of_names_and_durations() -> None:
    many = [step(f"s{n}", "completed") for n in range(100)]
    same = [step("s0", "completed", duration_ms=n) for n in range(100)]
    _, *pairs = outlined(*many, *same)
    assert len(pairs) == 2 * 64
    runs, failed, *durations = pairs[1].split()
    assert (runs, failed, durations) == ("101", "0", [str(n) for n in range(84, 100)])


def test_what_is_stored_of_an_error_is_read_back() -> None:
    stored = b'12 {"step_name":null,"message":"no \\u0000","at":null}'
    assert LastError.read(stored) == LastError(12, None, "no \0", None)
    assert LastError.read(b"") is None


async def publish(execution: Execution, number: int, before: int, *json: bytes) -> Answer:
    batch = Batch(
        *(number, before, len(json), new_random(), 0, (0, 0, 0, 0), 0, 0, ""),
        encode_frame(json),
        outlined(*json),
    )
    return await execution.nodes.run(publish_call(execution.id, PUBLISHER, batch))


async def steps_of(execution: Execution) -> list[StepEnds]:
    key = execution.keys.steps
    stored = await execution.nodes.at(key, lambda node: node.hgetall(key))
    return [StepEnds.read(*pair) for pair in stored.items()]


async def test_the_state_names_the_seq_of_the_last_error_wherever_it_stood(
    execution: Execution,
) -> None:
    await execution.open()
    await publish(execution, 1, 0, log("a"), log("broke", "error", step_name="s"), log("b"))
    await publish(execution, 2, 3, log("c"))
    state = await Executions(execution.nodes).state(execution.id)
    assert state is not None
    assert state.last_error is not None
    records = await execution.records()
    assert [r["message"] for r in records if r["seq"] == state.last_error.seq] == ["broke"]
    assert state.json()["last_error"] == {
        "seq": 3,
        "step_name": "s",
        "message": "broke",
        "at": records[2]["timestamp"],
    }


async def test_a_batch_that_comes_twice_counts_its_steps_once(execution: Execution) -> None:
    await execution.open()
    ended = step("load", "failed", duration_ms=5)
    assert (await publish(execution, 1, 0, ended)).word == "stored"
    assert (await publish(execution, 1, 0, ended)).word == "duplicate"
    await publish(execution, 2, 1, step("load", "completed", duration_ms=7), step("x", "completed"))
    assert sorted(await steps_of(execution), key=lambda s: s.name) == [
        StepEnds("load", 2, 1, (5.0, 7.0)),
        StepEnds("x", 1, 0, ()),
    ]


async def test_an_execution_keeps_a_bounded_number_of_names_and_durations(
    execution: Execution,
) -> None:
    await execution.open()
    before = 0
    for number in range(1, 6):
        names = [f"s{n}" for n in range(50 * number - 50, 50 * number)]
        await publish(execution, number, before, *(step(name, "completed") for name in names))
        before += 50
    for number in range(6, 10):
        same = [step("s0", "completed", duration_ms=number * 10 + n) for n in range(6)]
        await publish(execution, number, before, *same)
        before += 6
    steps = {each.name: each for each in await steps_of(execution)}
    assert len(steps) == 200
    assert steps["s0"].runs == 25
    durations = [number * 10 + n for number in range(6, 10) for n in range(6)]
    assert list(steps["s0"].durations) == durations[-16:]
