"""`runtail.read` against a gateway that follows a script, by `for` and by `async for`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from tests.producers.fake_gateway import (
    Close,
    Cut,
    FakeGateway,
    Hold,
    Step,
    beat,
    cursor,
    end,
    gap,
    hello,
    log,
    records,
    reset,
)

import runtail
from runtail.watching.reading import Reading
from runtail_broker.errors import InvalidCursor, InvalidExecutionId

All = Callable[[Reading], list[dict[str, Any]]]


async def _gathered(reading: Reading) -> list[dict[str, Any]]:
    return [record async for record in reading]


def _gathered_by_loop(reading: Reading) -> list[dict[str, Any]]:
    return asyncio.run(_gathered(reading))


@pytest.fixture(params=[list, _gathered_by_loop], ids=["for", "async for"])
def everything(request: pytest.FixtureRequest) -> All:
    """Read to the end, either way."""
    found: All = request.param
    return found


def seqs(shown: list[dict[str, Any]]) -> list[int]:
    return [record["seq"] for record in shown]


def test_it_gives_each_record_and_ends_with_the_execution(everything: All) -> None:
    script: list[Step] = [
        hello(),
        records(log(1), log(2)),
        records(log(3)),
        end(3, "failed"),
        Close(1000),
    ]
    with FakeGateway(script) as gateway:
        reading = runtail.read(gateway.url, "run-1")
        assert seqs(everything(reading)) == [1, 2, 3]
    assert reading.status == "failed"
    assert reading.totals["records"] == 3


def test_a_cut_connection_is_resumed_after_the_last_record(everything: All) -> None:
    first: list[Step] = [hello(), records(log(1), log(2)), Cut()]
    second: list[Step] = [hello(2), records(log(2), log(3)), end(3), Close(1000)]
    with FakeGateway(first, second) as gateway:
        assert seqs(everything(runtail.read(gateway.url, "run-1"))) == [1, 2, 3]
        assert gateway.queries[1]["after"][0] == cursor(2)


def test_what_is_gone_or_replaced_is_told_in_its_place(everything: All) -> None:
    script: list[Step] = [
        hello(),
        gap(0, 3, 2),
        records(log(3), log(4)),
        reset(3),
        records(log(4, "other"), tag=9),
        end(4),
        Close(1000),
    ]
    with FakeGateway(script) as gateway:
        shown = everything(runtail.read(gateway.url, "run-1"))
    assert [record.get("kind", record.get("message")) for record in shown] == [
        *("gap", "line 3", "line 4", "reset", "other")
    ]
    assert shown[0] | {"reason": ""} == {
        "kind": "gap",
        "after_seq": 0,
        "before_seq": 3,
        "lost": 2,
        "reason": "",
    }
    assert shown[3]["seq"] == 3


def test_a_refusal_is_raised_with_its_code(everything: All) -> None:
    told = {"type": "error", "code": "not_found", "message": "no execution 'run-1'"}
    with (
        FakeGateway([told, Close(4404, "not_found")]) as gateway,
        pytest.raises(runtail.ReadRefused, match="no execution 'run-1'"),
    ):
        everything(runtail.read(gateway.url, "run-1"))


def test_what_is_no_message_of_the_protocol_makes_it_connect_again(everything: All) -> None:
    again: list[Step] = [hello(1), records(log(2)), end(2), Close(1000)]
    with FakeGateway([hello(), records(log(1)), "not JSON", Hold()], again) as gateway:
        assert seqs(everything(runtail.read(gateway.url, "run-1"))) == [1, 2]


def test_lines_that_did_not_arrive_make_it_connect_again(everything: All) -> None:
    again: list[Step] = [hello(1), records(log(2), log(3)), end(3), Close(1000)]
    with FakeGateway([hello(), records(log(1)), records(log(3)), Hold()], again) as gateway:
        assert seqs(everything(runtail.read(gateway.url, "run-1"))) == [1, 2, 3]


def test_its_cursor_is_the_place_behind_the_record_given_last() -> None:
    with FakeGateway([hello(), records(log(1), log(2), log(3)), beat(3), Hold()]) as gateway:
        reading = runtail.read(gateway.url, "run-1")
        given = iter(reading)
        assert seqs(list(islice(given, 2))) == [1, 2]
        assert reading.cursor == log(2)["id"]
        given.close()


def test_once_all_of_a_message_is_given_its_cursor_is_proved() -> None:
    with FakeGateway([hello(), records(log(1)), end(1), Close(1000)]) as gateway:
        reading = runtail.read(gateway.url, "run-1")
        list(reading)
    assert reading.cursor == cursor(1)


def test_leaving_the_loop_leaves_the_gateway() -> None:
    with FakeGateway([hello(), records(log(1)), Hold()]) as gateway:  # its end waits for us
        for record in runtail.read(gateway.url, "run-1"):
            assert record["seq"] == 1
            break


async def test_a_task_that_is_cancelled_leaves_the_gateway() -> None:
    with FakeGateway([hello(), records(log(1)), Hold()]) as gateway:
        reading = runtail.read(gateway.url, "run-1")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await _gathered(reading)
    assert reading.cursor == cursor(1)


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({}, {}),
        ({"after": cursor(5)}, {"after": [cursor(5)]}),
        ({"after": "$"}, {"after": ["$"]}),
        ({"tail": 20, "wait": True}, {"tail": ["20"], "wait": ["true"]}),
    ],
)
def test_it_asks_for_what_it_was_told(options: dict[str, Any], asked: dict[str, list[str]]) -> None:
    with FakeGateway([hello(5), end(5), Close(1000)]) as gateway:
        assert list(runtail.read(gateway.url + "/", "run-1", **options)) == []
        assert gateway.queries == [asked]


def test_bad_input_is_refused_before_anything_connects() -> None:
    with pytest.raises(InvalidExecutionId, match="no/id"):
        runtail.read("http://localhost:1", "no/id")
    with pytest.raises(InvalidCursor, match="yesterday"):
        runtail.read("http://localhost:1", "run-1", after="yesterday")
