"""The table of the contract is whole: what it names is there, and what is there it names."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.gateway.contract.scenarios import NOT_OVER, OWN_WAYS, SCENARIOS, SPOT_CHECK, ways_of
from tests.gateway.ways import ALL, WATCHERS, Way

_HERE = Path(__file__).parent


def _served() -> list[ast.AsyncFunctionDef]:
    """List the tests of this folder that are served by `gateway`."""
    modules = [ast.parse(file.read_bytes()) for file in sorted(_HERE.glob("test_*.py"))]
    tests = [each for module in modules for each in module.body]
    return [each for each in tests if isinstance(each, ast.AsyncFunctionDef) and _is_served(each)]


def _is_served(test: ast.AsyncFunctionDef) -> bool:
    named = [argument.arg for argument in test.args.args]
    return test.name.startswith("test_") and "gateway" in named


def _chooses_ways(test: ast.AsyncFunctionDef) -> bool:
    return any("'mode'" in ast.unparse(each) for each in test.decorator_list)


def test_every_scenario_names_tests_and_every_served_test_is_named_once() -> None:
    named = [test for tests in SCENARIOS.values() for test in tests]
    assert all(SCENARIOS.values())
    assert sorted(named) == sorted(test.name for test in _served())


def test_only_what_the_table_excepts_chooses_its_ways_itself() -> None:
    assert {test.name for test in _served() if _chooses_ways(test)} == set(OWN_WAYS)


def test_what_runs_not_over_all_ways_is_named_with_its_reason() -> None:
    """No exception for a test or a transport that is not there, none for all of them."""
    named = {test.name for test in _served()} - set(OWN_WAYS)
    assert set(NOT_OVER) <= named
    for test, reasons in NOT_OVER.items():
        assert set(reasons) < set(WATCHERS), test
        assert all(reasons.values()), test
        left = {Way.named(way).transport for way in ways_of(test)}
        assert left == set(WATCHERS) - set(reasons), test


def test_the_spot_check_runs_over_all_ways_at_one_gateway_and_at_two() -> None:
    assert ways_of(SPOT_CHECK) == ALL
    assert len(set(ALL)) == len(WATCHERS) * 4
    assert [str(Way.named(way)) for way in ALL] == ALL
