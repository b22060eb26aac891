"""What a viewer is told when it comes with a cursor, late, or to an execution that others left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from tests.e2e.conftest import private_folder
from tests.e2e.processes import Gateway, gateways
from tests.e2e.rows import Hole, objections, read_stream, total_objections
from tests.e2e.watcher import Watcher
from tests.e2e.watching import watched, watching

from runtail import Publisher
from runtail.run import Execution
from runtail_broker.cursor import Cursor
from runtail_broker.engines.engine import Engine, start_engine


@pytest.fixture(scope="module")
def shared_place() -> Iterator[Path]:
    """A place for all of these tests: none of them kills anything."""
    with private_folder() as place:
        yield place


@pytest.fixture(scope="module")
def own_engine(shared_place: Path) -> Iterator[Engine]:
    with start_engine(shared_place / "data") as engine:
        yield engine


@pytest.fixture(scope="module")
def both(shared_place: Path, own_engine: Engine) -> Iterator[list[Gateway]]:
    with gateways(own_engine.url, shared_place, 2) as both:
        yield both


@pytest.fixture(autouse=True)
def _no_limits_stay(own_engine: Engine) -> Iterator[None]:
    yield
    with redis.Redis.from_url(own_engine.url) as client:
        client.delete("runtail:settings")


@pytest.fixture
def publisher(own_engine: Engine) -> Iterator[Publisher]:
    with Publisher(own_engine.url) as publisher:
        yield publisher


def keep_at_most(engine: Engine, records: int) -> None:
    with redis.Redis.from_url(engine.url) as client:
        client.hset("runtail:settings", "max_records", records)


async def log(publisher: Publisher, run: Execution, count: int) -> None:
    for number in range(count):
        run.info(f"line {number}")
        assert await asyncio.to_thread(publisher.flush, 10)


async def resumed(both: list[Gateway], execution_id: str, *cursors: str) -> Watcher:
    """Watch to the end from *cursors*, given oldest first."""
    watcher = Watcher(execution_id)
    for cursor in cursors:
        watcher.memory.add(Cursor.parse(cursor))
    return await watched(both, watcher)


async def test_a_trimmed_cursor_gets_a_gap_with_the_exact_number(
    own_engine: Engine, both: list[Gateway], publisher: Publisher, execution_id: str
) -> None:
    keep_at_most(own_engine, 50)
    watcher = Watcher(execution_id, cuts=[11])
    with publisher.execution(execution_id) as run:
        await log(publisher, run, 10)
        async with watching(both[:1], watcher):
            await watcher.until_it_holds(11)
        held = len(watcher.rows)
        await log(publisher, run, 200)
    publisher.flush()
    await watched(both[1:], watcher)
    stream = read_stream(own_engine.url, execution_id)
    first = stream[0].seq
    assert 150 < first < 170
    (gap,) = watcher.gaps
    told = {name: gap[name] for name in ("after_seq", "before_seq", "lost", "proved")}
    assert told == {
        "after_seq": held,
        "before_seq": first,
        "lost": first - held - 1,
        "proved": False,
    }
    assert objections(watcher.rows[held:], stream) == []
    assert watcher.faults == []


async def test_from_the_beginning_of_a_trimmed_log_the_gap_is_proved(
    own_engine: Engine, both: list[Gateway], publisher: Publisher, execution_id: str
) -> None:
    keep_at_most(own_engine, 50)
    with publisher.execution(execution_id) as run:
        await log(publisher, run, 100)
    publisher.flush()
    watcher = await watched(both, Watcher(execution_id))
    stream = read_stream(own_engine.url, execution_id)
    (gap,) = watcher.gaps
    assert (gap["lost"], gap["before_seq"], gap["proved"]) == (
        stream[0].seq - 1,
        stream[0].seq,
        True,
    )
    assert objections(watcher.rows, stream, [Hole(0, stream[0].seq)]) == []
    assert watcher.end is not None
    assert watcher.end["totals"]["first"] == stream[0].seq


@pytest.mark.parametrize(
    "cursor", ["1700000000000-5:6:0badcafe", "9700000000000-5:900:0badcafe", "0-0:0:0badcafe"]
)
async def test_a_cursor_that_the_stream_never_held_is_reset_to_the_start(
    own_engine: Engine, both: list[Gateway], publisher: Publisher, execution_id: str, cursor: str
) -> None:
    with publisher.execution(execution_id) as run:
        await log(publisher, run, 10)
    publisher.flush()
    watcher = await resumed(both, execution_id, cursor)
    assert [reset["cursor"].split(":")[1] for reset in watcher.resets] == ["0"]
    assert objections(watcher.rows, read_stream(own_engine.url, execution_id)) == []


@pytest.mark.parametrize("where", ["inside", "at the end"])
async def test_a_cursor_of_another_history_is_reset_though_its_id_and_seq_are_the_streams_own(
    own_engine: Engine, both: list[Gateway], publisher: Publisher, execution_id: str, where: str
) -> None:
    watcher = Watcher(execution_id)
    with publisher.execution(execution_id) as run:
        async with watching(both, watcher):
            await log(publisher, run, 10)
            await watcher.until_it_holds(11)
    publisher.flush()
    if where == "at the end":
        await watched(both, watcher)
    true = watcher.memory.newest_first()[0]
    assert true.tag is not None
    false = true._replace(tag=true.tag ^ 1)
    second = await resumed(both, execution_id, str(false))
    assert [reset["cursor"].split(":")[1] for reset in second.resets] == ["0"]
    assert objections(second.rows, read_stream(own_engine.url, execution_id)) == []


async def test_an_older_cursor_that_can_be_proved_keeps_the_reset_short(
    own_engine: Engine, both: list[Gateway], publisher: Publisher, execution_id: str
) -> None:
    watcher = Watcher(execution_id)
    with publisher.execution(execution_id) as run:
        async with watching(both, watcher):
            await log(publisher, run, 10)
            await watcher.until_it_holds(11)
        true = watcher.memory.newest_first()[0]
        false = Cursor.parse(f"{true.id.ms + 1}-3:{true.number + 4}:0badcafe")
        watcher.memory.add(false)
        await log(publisher, run, 10)
    publisher.flush()
    await watched(both, watcher)
    assert [reset["cursor"] for reset in watcher.resets] == [str(true)]
    assert objections(watcher.rows, read_stream(own_engine.url, execution_id)) == []


async def test_a_finished_execution_gives_everything_then_the_end_then_close_1000(
    own_engine: Engine, both: list[Gateway], publisher: Publisher, execution_id: str
) -> None:
    with publisher.execution(execution_id) as run:
        run.write([{"message": f"line {number}"} for number in range(5000)])
    publisher.flush()
    watcher = await watched(both, Watcher(execution_id))
    stream = read_stream(own_engine.url, execution_id)
    assert len(stream) == 5003
    assert objections(watcher.rows, stream) == []
    assert watcher.end is not None
    assert watcher.end["status"] == "completed"
    assert total_objections(watcher.end["totals"], stream) == []
    assert (watcher.close_code, watcher.connections) == (1000, 1)


async def test_the_tail_of_a_log_is_its_last_records(
    own_engine: Engine, both: list[Gateway], publisher: Publisher, execution_id: str
) -> None:
    with publisher.execution(execution_id) as run:
        run.write([{"message": f"line {number}"} for number in range(2000)])
    publisher.flush()
    watcher = await watched(both, Watcher(execution_id), tail="7")
    assert objections(watcher.rows, read_stream(own_engine.url, execution_id)[-7:]) == []


async def test_a_viewer_that_came_before_the_execution_gets_it_from_its_first_record(
    own_engine: Engine, both: list[Gateway], publisher: Publisher, execution_id: str
) -> None:
    watcher = Watcher(execution_id)
    async with watching(both, watcher):
        await watcher.until(lambda: watcher.caught_up > 0)
        with publisher.execution(execution_id) as run:
            await log(publisher, run, 10)
        await asyncio.to_thread(publisher.flush)
        await watcher.until_it_ended()
    assert objections(watcher.rows, read_stream(own_engine.url, execution_id)) == []
    assert watcher.resets == []


async def test_a_finished_id_opened_again_becomes_another_execution(
    own_engine: Engine, both: list[Gateway], publisher: Publisher, execution_id: str
) -> None:
    for text in ("first", "second", "third"):
        with publisher.execution(execution_id) as run:
            run.info(text)
        publisher.flush()
    for name, text in (("", "first"), (".2", "second"), (".3", "third")):
        watcher = await watched(both, Watcher(execution_id + name))
        assert [row.text for row in watcher.rows if row.level] == [text]
    assert run.id == f"{execution_id}.3"


async def test_when_the_owner_leaves_first_viewers_stay_until_the_participant_has_left(
    own_engine: Engine, both: list[Gateway], execution_id: str
) -> None:
    watcher = Watcher(execution_id)
    with Publisher(own_engine.url) as first, Publisher(own_engine.url) as second:
        owner = first.execution(execution_id)
        owner.opened()
        participant = second.join(execution_id)
        participant.opened()
        async with watching(both, watcher):
            owner.finish("failed", "the owner knows")
            assert await asyncio.to_thread(first.close)
            await watcher.until(lambda: "status" in [row.text for row in watcher.rows[1:]])
            await log(second, participant, 5)
            await watcher.until_it_holds(7)
            assert watcher.end is None
            assert "end" not in [row.text for row in watcher.rows]
            assert await asyncio.to_thread(second.close)
            await watcher.until_it_ended()
    assert watcher.end is not None
    assert watcher.end["status"] == "failed"
    stream = read_stream(own_engine.url, execution_id)
    assert objections(watcher.rows, stream) == []
    assert [row.seq for row in stream if row.text == "end"] == [8]
