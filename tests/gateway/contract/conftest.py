"""Run every test of the contract over the ways that its table names."""

from __future__ import annotations

import pytest
from tests.gateway.contract.scenarios import SPOT_CHECK, ways_of
from tests.gateway.ways import PUSHED


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize `mode`, unless the test does so itself; all ways but one take their time."""
    own = any("mode" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "mode" not in metafunc.fixturenames or own:
        return
    test = metafunc.function.__name__
    short = (PUSHED, *(ways_of(test) if test == SPOT_CHECK else ways_of(test)[:1]))
    ways = [
        pytest.param(way, marks=() if way in short else pytest.mark.full) for way in ways_of(test)
    ]
    metafunc.parametrize("mode", ways, indirect=True)


@pytest.fixture
def mode(request: pytest.FixtureRequest) -> str:
    """The way that a test is served."""
    return str(request.param)
