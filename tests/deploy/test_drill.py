"""The operator's drill: nothing is lost, and the alerts tell what happened."""

from __future__ import annotations

import re

import pytest
from tests.deploy import drill
from tests.deploy.shipped import alerts


@pytest.mark.promtool
@pytest.mark.haproxy
@pytest.mark.full
@pytest.mark.timeout(500)
async def test_restarts_a_failover_a_full_disk_and_a_changed_key_lose_nothing() -> None:
    story = await drill.run()
    told = " ".join(text for _, text in story.lines)
    fired = re.findall(r"[*]{2}(Runtail\w+)[*]{2} fires", told)
    assert {"RuntailEngineErrors", "RuntailSignInsRefused"} <= set(fired)
    assert set(fired) <= set(alerts())
    for name in set(fired):
        assert told.count(f"{name} is over") == fired.count(name), told


def test_the_readme_tells_of_a_drill_that_went_through_every_step() -> None:
    table = drill.README.read_text().partition(drill.BEGIN)[2].partition(drill.END)[0]
    rows = re.findall(r"^\| (\d+) s \| (.+) \|$", table, re.MULTILINE)
    assert [int(second) for second, _ in rows] == sorted(int(second) for second, _ in rows)
    steps = ("are restarted", "is killed", "are full", "is changed", "each once")
    places = [next(n for n, (_, text) in enumerate(rows) if step in text) for step in steps]
    assert places == sorted(places)
