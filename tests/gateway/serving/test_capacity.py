"""The formula agrees with what the benchmark measured, and with the figures of its guide."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.bench.results import Results

from runtail.command import main
from runtail_gateway.serving.capacity import FULL, Load, gateway_cores, heard, need, store_cores

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "deploy" / "capacity.md").read_text()
MEASURED = Results.read(ROOT / "tests" / "bench" / "report" / "results.jsonl")
AGREES = 2.0  # times: another machine, another hour


def measured(workload: str, who: str, quantity: str) -> float:
    value = MEASURED.median(workload, who, quantity)
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("load", "workload", "who", "quantity", "per_second"),
    [
        (Load(1, 100, 200), "W2", "runtail", "server", 20_000),
        (Load(200, 2000, 200), "W3", "runtail", "server", 2000),
        (Load(1, 20, 10), "W9", "viewers", "10", 200),
        (Load(1, 20, 100), "W9", "viewers", "100", 2000),
        (Load(1, 20, 1000), "W9", "viewers", "1000", 20_000),
        (Load(1, 20, 5000), "W9", "viewers", "5000", 100_000),
        (Load(100, 200, 100), "W9", "executions", "100", 200),
        (Load(1000, 200, 1000), "W9", "executions", "1000", 200),
    ],
)
def test_a_gateway_uses_what_was_measured(
    load: Load, workload: str, who: str, quantity: str, per_second: float
) -> None:
    """Within a factor of two, over sizes that lie a thousandfold apart (µs a delivery)."""
    expected = measured(workload, who, quantity) * 1e-6 * per_second
    assert expected / AGREES <= gateway_cores(load, 1) <= expected * AGREES


def test_cores_grow_with_viewers_as_the_formula_has_it() -> None:
    """A line through 10 and 1,000 measured viewers meets what 100 used, and so does the formula."""
    used = {n: measured("W9", "viewers", str(n)) * 1e-6 * 20 * n for n in (10, 100, 1000)}
    line = used[10] + 90 * (used[1000] - used[10]) / 990
    for foretold in (line, gateway_cores(Load(1, 20, 100), 1)):
        assert foretold == pytest.approx(used[100], rel=0.3)


def test_the_engine_uses_what_was_measured() -> None:
    each = measured("W3", "runtail", "all") - measured("W3", "runtail", "server")
    expected = each * 1e-6 * 2000
    assert expected / AGREES <= store_cores(Load(200, 2000, 200), 1) <= expected * AGREES


def test_the_figures_of_the_guide_are_those_of_the_formula() -> None:
    asked = r"^\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| (\d+) \| (yes|no) \| (.*) \|$"
    rows = re.findall(asked, GUIDE, re.M)
    assert len(rows) >= 5
    for executions, records, viewers, together_in, together, told in rows:
        load = Load(
            _number(executions),
            _number(records),
            _number(viewers),
            int(together_in),
            together == "yes",
        )
        found = need(load)
        assert told == (
            f"{found.gateways:,} | {found.gateway_bytes / 1e6:,.0f} MB | "
            f"{found.gateway_sent_bytes * 8 / 1e6:,.0f} Mbit/s | {found.shards:,}"
        )


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def test_no_core_is_planned_fuller_than_it_may_be() -> None:
    for viewers in (0, 1, 1000, 50_000):
        for records in (1, 1000, 100_000):
            found = need(Load(500, records, viewers, 10, together=True))
            assert found.gateway_cores <= FULL
            assert found.shard_cores <= FULL


def test_viewers_of_one_execution_at_one_gateway_are_heard_for_once() -> None:
    load = Load(10, 100, 1000)
    assert heard(load, 5) == pytest.approx(100)
    assert heard(Load(10, 100, 1000, together=True), 5) == pytest.approx(20)


@pytest.mark.parametrize("name", ["executions", "records", "frame_records", "viewers_per_gateway"])
def test_what_makes_no_sense_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 0, expected more than 0"):
        replace(Load(1, 1, 1), **{name: 0})  # type: ignore[arg-type]


def test_the_command_says_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capacity", "--executions", "200", "--records", "2000", "--viewers", "500"]) == 0
    assert re.search(r"^gateways +1  each \d+% of a core$", capsys.readouterr().out, re.M)
    assert main(["capacity", "--executions", "0", "--records", "1", "--viewers", "1"]) == 2
    assert "executions is 0, expected more than 0" in capsys.readouterr().err
