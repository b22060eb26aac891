"""A publish whose answer is lost was stored all the same: it is retried, and stored once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.processes import gateways
from tests.e2e.rows import objections, read_stream
from tests.e2e.watcher import Watcher
from tests.e2e.watching import watched
from tests.proxy import proxy_to

from runtail import Publisher, PublisherSettings
from runtail_broker.engines.engine import Engine

SETTINGS = PublisherSettings(retry_min_seconds=0.01, retry_max_seconds=0.1)


@pytest.mark.parametrize("lost_in_a_row", [1, 3])
async def test_records_whose_answer_was_lost_are_stored_and_seen_once(
    place: Path, own_engine: Engine, execution_id: str, lost_in_a_row: int
) -> None:
    with gateways(own_engine.url, place, 1) as (gateway,), proxy_to(own_engine.url) as proxy:
        with Publisher(proxy.url, settings=SETTINGS) as publisher:
            with publisher.execution(execution_id) as run:
                for number in range(100):
                    if number % 20 == 10:
                        proxy.lose_answers(lost_in_a_row)
                    run.info(f"line {number}")
                    assert publisher.flush(10)
            assert proxy.lost == 5 * lost_in_a_row
            assert publisher.counters.retried > 0
        watcher = await watched([gateway], Watcher(execution_id))
    stream = read_stream(own_engine.url, execution_id)
    texts = [row.text for row in stream if row.level]
    assert texts == [f"line {number}" for number in range(100)]
    assert objections(watcher.rows, stream) == []
