"""Trying out a workflow: its definition is checked place by place, simulated, never executed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.gateway.signing import AUTH, bearer
from tests.polling import eventually

from runtail_broker.connections.client import Nodes
from runtail_gateway.trials.trial import BadDefinition, Trial, TrialBounds, TrialStep, read_trial

BOUNDS = TrialBounds(steps=5, seconds=60, total_seconds=100, logs_per_second=20)


def mistakes(given: object) -> list[tuple[str, str]]:
    with pytest.raises(BadDefinition) as caught:
        read_trial(given, BOUNDS)
    return [(mistake.path, mistake.message) for mistake in caught.value.mistakes]


def steps(*given: object) -> dict[str, object]:
    return {"steps": list(given)}


def test_a_whole_definition_is_read_and_a_short_one_has_defaults() -> None:
    whole = {
        "name": "load", "step_type": "http", "after": ["a"], "seconds": 1, "logs_per_second": 0,
        "failure": 0.5, "attempts": 3,
    }  # fmt: skip
    assert read_trial({"name": "wf", "steps": [{"name": "a"}, whole]}, BOUNDS) == Trial(
        "wf", (TrialStep("a"), TrialStep("load", ("a",), 1.0, 0.0, 0.5, "http", 3))
    )
    assert read_trial(steps({"name": "a"}), BOUNDS).name == "trial"


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        (7, "", "is 7, expected an object with steps"),
        ({}, "steps", "is None, expected a list of 1 to 5 steps"),
        (steps(), "steps", "is [], expected a list of 1 to 5 steps"),
        (steps(*[{"name": "a"}] * 6), "steps", "has 6 steps, expected at most 5"),
        ({"steps": [{"name": "a"}], "stesp": 1}, "stesp", "is not known, expected name, steps"),
        (
            {"name": "", "steps": [{"name": "a"}]},
            "name",
            "is , expected a text of 1 to 100 characters",
        ),
        (steps("a"), "steps[0]", "is a, expected an object with a name"),
        (steps({}), "steps[0].name", "is None, expected a text of 1 to 100 characters"),
        (
            steps({"name": "a", "cmd": "rm -rf /"}),
            "steps[0].cmd",
            "is not known, expected name, after, seconds, logs_per_second, failure, step_type, "
            "attempts",
        ),
        (
            steps({"name": "a"}, {"name": "a"}),
            "steps[1].name",
            "is 'a', the name of steps[0] too",
        ),
        (
            steps({"name": "a", "after": ["b"]}),
            "steps[0].after[0]",
            "is 'b', which is no step of this workflow",
        ),
        (
            steps({"name": "a", "after": "b"}),
            "steps[0].after",
            "is b, expected a list of at most 5 names",
        ),
        (steps({"name": "a", "after": [1]}), "steps[0].after[0]", "is 1, expected a step's name"),
        (
            steps({"name": "a", "seconds": 60.1}),
            "steps[0].seconds",
            "is 60.1, expected a number from 0 to 60",
        ),
        (
            steps({"name": "a", "failure": -0.1}),
            "steps[0].failure",
            "is -0.1, expected a number from 0 to 1",
        ),
        (
            steps({"name": "a", "logs_per_second": True}),
            "steps[0].logs_per_second",
            "is True, expected a number from 0 to 50",
        ),
        (
            steps({"name": "a", "attempts": 11}),
            "steps[0].attempts",
            "is 11, expected a whole number from 1 to 10",
        ),
        (
            steps(*({"name": n, "logs_per_second": 11} for n in "ab")),
            "steps",
            "log 22 records/s together, expected at most 20",
        ),
        (
            steps({"name": "a", "seconds": 60}, {"name": "b", "seconds": 41, "after": ["a"]}),
            "steps",
            "may take 101 s, expected at most 100",
        ),
    ],
)
def test_an_error_names_the_place_the_value_and_what_was_expected(
    given: object, path: str, message: str
) -> None:
    assert mistakes(given) == [(path, message)]


def test_the_last_value_within_each_bound_is_taken() -> None:
    chain = [
        {"name": f"s{n}", "after": [f"s{n - 1}"] if n else [], "seconds": 20, "logs_per_second": 4}
        for n in range(5)
    ]
    assert len(read_trial({"steps": chain}, BOUNDS).steps) == 5


def test_a_cycle_is_told_at_the_place_that_closes_it() -> None:
    given = steps(
        {"name": "start"},
        {"name": "a", "after": ["start", "c"]},
        {"name": "b", "after": ["a"]},
        {"name": "c", "after": ["b"]},
    )
    ((path, message),) = mistakes(given)
    number, place = path.removeprefix("steps[").rstrip("]").split("].after[")
    listed: Any = given["steps"]
    closing = listed[int(number)]["after"][int(place)]
    way = message.removeprefix("closes a cycle: ").split(" → ")
    assert (way[0], len(way)) == (way[-1], 4)
    assert (way[-2], way[-1]) == (closing, listed[int(number)]["name"])


def test_a_step_after_itself_is_a_cycle() -> None:
    assert mistakes(steps({"name": "a", "after": ["a"]})) == [
        ("steps[0].after[0]", "closes a cycle: a → a")
    ]


def test_all_mistakes_are_told_up_to_a_bound() -> None:
    given = steps(*({"name": 1, "seconds": -1, "x": 1} for _ in range(5)))
    assert len(mistakes(given)) == 15
    assert len(mistakes(steps({"name": "a", **{f"x{n}": 1 for n in range(99)}}))) == 50


def odd(chance: random.Random, depth: int) -> Any:
    """Make JSON that may be anything."""
    if depth and chance.random() < 0.6:
        names = ("name", "steps", "after", "seconds", "failure", "attempts", "\x00", "<b>")
        return {chance.choice(names): odd(chance, depth - 1) for _ in range(3)}
    if depth and chance.random() < 0.5:
        return [odd(chance, depth - 1) for _ in range(3)]
    return chance.choice([None, True, -1, 1e300, 10**30, "a", "", "x" * 500, [], {}])


def test_any_json_is_read_or_refused_in_few_words() -> None:
    refused = 0
    for seed in range(500):
        try:
            read_trial(odd(random.Random(seed), 4), BOUNDS)
        except BadDefinition as error:
            refused += bool(error.mistakes) and len(str(error)) < 1000
    assert refused == 500


async def started(gateway: Running, execution_id: str, body: object) -> tuple[int, Any]:
    url = f"{gateway.address}/executions/{execution_id}/start-streaming"
    async with gateway.http.post(url, json=body) as answer:
        return answer.status, await answer.json(content_type=None)


async def overview(gateway: Running, execution_id: str) -> Any:
    url = f"{gateway.address}/executions/{execution_id}/overview"
    async with gateway.http.get(url) as answer:
        return await answer.json(content_type=None)


async def state(gateway: Running, execution_id: str) -> Any:
    async with gateway.http.get(f"{gateway.address}/executions/{execution_id}") as answer:
        return await answer.json(content_type=None)


async def test_a_trial_runs_in_the_order_of_its_plan_and_fails_where_it_is_told_to(
    pushing: Running, execution_id: str
) -> None:
    quick = {"seconds": 0.1, "logs_per_second": 20}
    given = {
        "name": "<script>alert(1)</script>",
        "steps": [
            {"name": "fetch", **quick},
            {"name": "left", "after": ["fetch"], **quick},
            {"name": "right", "after": ["fetch"], "failure": 1, "attempts": 2, **quick},
            {"name": "join", "after": ["left", "right"], **quick},
            {"name": "tail", "after": ["join"], **quick},
        ],
    }
    assert await started(pushing, execution_id, given) == (
        202,
        {"execution_id": execution_id, "status": "pending"},
    )

    async def over() -> bool:
        return bool((await state(pushing, execution_id)).get("status") == "failed")

    await eventually(over, "the trial has failed")
    told = await overview(pushing, execution_id)
    assert [step["name"] for step in told["plan"]["steps"]] == [
        *("fetch", "left", "right", "join", "tail")
    ]
    ends = {step["step_name"]: step["status"] for step in told["steps"]}
    assert ends == {
        "fetch": "completed",
        "left": "completed",
        "right": "failed",
        "join": "skipped",
        "tail": "skipped",
    }
    runs = told["runs"]
    assert [run["status"] for run in runs if run["step_name"] == "right"] == ["retried", "failed"]
    fetched = next(run["ended_at"] for run in runs if run["step_name"] == "fetch")
    assert all(
        run["started_at"] >= fetched for run in runs if run["step_name"] in ("left", "right")
    )
    now = await state(pushing, execution_id)
    assert now["workflow_id"] == given["name"]
    assert now["reason"].startswith("Simulated: right failed after")
    assert now["last_error"]["message"] == now["reason"]
    assert told["metrics"]
    assert told["progress"][-1][1] == 100.0


async def test_a_trial_listens_for_a_cancel(pushing: Running, execution_id: str) -> None:
    await started(pushing, execution_id, steps({"name": "long", "seconds": 60}))

    async def listens() -> bool:
        return bool((await state(pushing, execution_id)).get("cancellable"))

    await eventually(listens, "it listens")
    url = f"{pushing.address}/executions/{execution_id}/cancel"
    async with pushing.http.post(url) as answer:
        assert answer.status == 202

    async def cancelled() -> bool:
        return bool((await state(pushing, execution_id))["status"] == "cancelled")

    await eventually(cancelled, "it is cancelled")


async def test_a_bad_definition_is_refused_with_all_its_places_and_nothing_begins(
    pushing: Running, execution_id: str
) -> None:
    status, problem = await started(
        pushing, execution_id, steps({"name": "a", "after": ["<b>"], "seconds": "long"})
    )
    assert (status, problem["code"]) == (400, "bad_definition")
    assert problem["errors"] == [
        {"path": "steps[0].seconds", "message": "is long, expected a number from 0 to 600"}
    ]
    assert (await state(pushing, execution_id))["status"] == 404
    url = f"{pushing.address}/executions/{execution_id}/start-streaming"
    async with pushing.http.post(url, data=b"{") as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (
            400,
            "bad_request",
        )


async def test_a_trial_needs_publish_of_that_execution_and_workflow(
    engine_nodes: Nodes, engine_url: str
) -> None:
    narrow = {"runtail_executions": ["try-*"], "runtail_workflows": ["mine"]}
    async with running(replace(QUICK, auth=AUTH), engine_url) as gateway:
        for scope, execution_id, workflow, expected in (
            ("read", "try-1", "mine", 403),
            ("publish", "other-1", "mine", 403),
            ("publish", "try-1", "others", 403),
            ("publish", "try-1", "mine", 202),
        ):
            url = f"{gateway.address}/executions/{execution_id}/start-streaming"
            given = {"name": workflow, "steps": [{"name": "a", "seconds": 0}]}
            headers = bearer(scope=scope, **narrow)
            async with gateway.http.post(url, json=given, headers=headers) as answer:
                assert answer.status == expected, (scope, execution_id, workflow)
