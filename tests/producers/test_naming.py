"""Ids that are made: valid, readable, sorted by time, unlike each other."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail.naming import StepIds, made_id
from runtail_broker.keys import checked


def test_an_id_is_the_workflow_the_time_in_utc_and_six_characters() -> None:
    made = made_id("nightly-etl", 1795662902)
    assert re.fullmatch(r"nightly-etl-20261126-031502-[0-9a-z]{6}", made)


@given(st.text(max_size=300))
def test_an_id_is_always_valid(workflow_id: str) -> None:
    assert checked(made_id(workflow_id))


@given(st.integers(0, 4_000_000_000), st.integers(1, 1_000_000))
def test_ids_of_one_workflow_always_sort_by_time(then: int, later: int) -> None:
    assert made_id("etl", then) < made_id("etl", then + later)


def test_a_workflow_without_a_usable_character_is_called_run() -> None:
    assert made_id(" ü ").startswith("run-")


def test_two_ids_of_one_second_differ() -> None:
    assert made_id("etl", 0) != made_id("etl", 0)


def test_step_ids_count_from_one_behind_a_stem_of_their_worker() -> None:
    ids = StepIds()
    (stem, first), (same, second) = (ids().split("-") for _ in range(2))
    assert (first, second, same) == ("1", "2", stem)
    assert not StepIds()().startswith(stem)


def test_a_forked_process_does_not_repeat_the_step_ids_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = StepIds()
    of_parent = ids()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert ids().split("-")[0] != of_parent.split("-")[0]
