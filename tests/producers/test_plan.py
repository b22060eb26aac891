"""A plan is read however it is written; what is wrong with it is a note, never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail.plan import Plan, PlanStep, plan_fields

SOUND = {"steps": [{"name": "extract"}, {"name": "load", "after": ["extract"]}]}


@pytest.mark.parametrize(
    "plan",
    [
        [{"name": "extract"}, {"name": "load", "after": ["extract"]}],
        [{"name": "extract"}, {"name": "load", "after": "extract"}],
        [PlanStep("extract"), PlanStep("load", ("extract",))],
        ["extract", PlanStep("load", ["extract"])],
        {"extract": [], "load": ["extract"]},
    ],
)
def test_every_way_to_write_a_plan_says_the_same(plan: Plan) -> None:
    assert plan_fields(plan, 10) == SOUND


def test_fields_of_the_workers_own_pass_through() -> None:
    assert plan_fields([{"name": "a", "owner": "ops"}], 10) == {
        "steps": [{"name": "a", "owner": "ops"}]
    }


@pytest.mark.parametrize(
    ("plan", "note"),
    [
        ({"a": ["b"]}, "a is after b, which the plan does not have"),
        ({"a": ["b"], "b": ["a"]}, "a cycle: "),
        ({"a": ["a"]}, "a cycle: a → a"),
        (["a", "a"], "more than one step is called a"),
        (list("abc"), "the first 2 of 3 steps are shown"),
    ],
)
def test_what_is_wrong_with_a_plan_is_noted(plan: Plan, note: str) -> None:
    assert note in str(plan_fields(plan, 2)["note"])


@given(st.dictionaries(st.text(max_size=2), st.lists(st.text(max_size=2), max_size=4)))
def test_any_graph_is_always_published(plan: dict[str, list[str]]) -> None:
    steps = plan_fields(plan, 100)["steps"]
    assert isinstance(steps, list)
    assert [step["name"] for step in steps] == list(plan)
