"""Ready records and plain lines travel in bundles; what must be looked at closely stays apart."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail.delivery.bundle import Bundler, Given, bundled
from runtail.delivery.pending import Bundle
from runtail.masks.masking import Masker
from runtail.settings import PublisherSettings
from runtail_broker.records.ready import level_of_ready


def ready(n: int, level: str = "info") -> bytes:
    return orjson.dumps(
        {"execution_id": "run-1", "timestamp": "2026-01-01T00:00:00Z", "level": level, "n": n}
    )


def of(records: list[Given], most: int = 3, max_bytes: int = 10_000) -> list[Bundle | Given]:
    return list(bundled("run-1", records, most=most, max_bytes=max_bytes, max_record_bytes=65_536))


def test_ready_records_travel_in_bundles_of_at_most_so_many() -> None:
    assert [len(b.json) for b in of([ready(n) for n in range(7)]) if isinstance(b, Bundle)] == [
        3,
        3,
        1,
    ]


def test_a_bundle_counts_its_records_by_level() -> None:
    (bundle,) = of([ready(1), ready(2, "error"), ready(3, "error")])
    assert isinstance(bundle, Bundle)
    assert bundle.levels == (0, 1, 0, 2)


def test_a_bundle_holds_no_more_bytes_than_a_frame_may() -> None:
    size = len(ready(1))
    bundles = of([ready(n) for n in range(4)], max_bytes=2 * size)
    assert [bundle.size for bundle in bundles if isinstance(bundle, Bundle)] == [2 * size] * 2


def test_what_is_not_ready_comes_out_as_it_was_in_its_place() -> None:
    odd: list[Given] = [b"nonsense", {"message": "a mapping"}, b'{"id":1}', b"{}", b"[1]"]
    for one in odd:
        before, between, behind = of([ready(1), one, ready(2)])
        assert between == one
        assert isinstance(before, Bundle)
        assert isinstance(behind, Bundle)


@given(st.lists(st.sampled_from([ready(1), ready(2, "debug"), b"none", b"{}"])), st.integers(1, 5))
def test_everything_always_comes_out_once_and_in_order(records: list[Given], most: int) -> None:
    out: list[Given] = []
    for item in of(records, most):
        out += item.json if isinstance(item, Bundle) else [item]
    assert out == records


def at_once(records: Sequence[Given], **settings: int) -> list[Bundle | Sequence[Given]]:
    return list(Bundler(Masker(), PublisherSettings(**settings)).ready("run-1", records))  # type: ignore[arg-type]


def test_many_ready_records_are_bundled_at_once() -> None:
    found = at_once([ready(n, "error" if n == 3 else "info") for n in range(300)])
    assert [item.levels for item in found if isinstance(item, Bundle)] == [
        (0, 249, 0, 1),
        (0, 50, 0, 0),
    ]


def test_many_large_records_are_bundled_by_their_bytes() -> None:
    records = [ready(n) for n in range(8)]
    found = at_once(records, max_frame_bytes=3 * len(records[0]))
    assert [len(item.json) for item in found if isinstance(item, Bundle)] == [2, 2, 2, 2]


WHOLE = ready(1)
ODD: list[Given] = [
    b"nonsense",
    b"",
    b"[1]",
    b"{}",
    b'{"id":1}',
    {"message": "a mapping"},
    ready(1)[:-1] + b',"seq":1}',
    ready(1)[:-1] + b',"kind":"end"}',
    ready(1).replace(b"run-1", b"run-2"),
    ready(1).replace(b"timestamp", b"time"),
    ready(1, "loud"),
    ready(1) + b" ",
    ready(1) + b"\n",
    ready(1).replace(b",", b",\n"),
    ready(1) + b"," + ready(1),
    ready(1)[:-1] + b',"long":"' + b"x" * 70_000 + b'"}',
    bytearray(ready(1)),  # type: ignore[list-item]
]


@pytest.mark.parametrize("odd", ODD)
def test_one_that_is_not_ready_keeps_its_bundle_from_being_taken_as_it_is(odd: Given) -> None:
    for place in range(3):
        records: list[Given] = [WHOLE, WHOLE]
        records.insert(place, odd)
        assert at_once(records) == [records]


def test_records_that_are_whole_only_together_are_not_ready() -> None:
    halves = [WHOLE[:-1] + b',"a":[{}', b"{}]}", WHOLE[:-1] + b',"a":{"b":1}', b'"c":{}}']
    assert at_once(halves) == [halves]


@pytest.mark.parametrize("told", [b'"password":"hunter22"', b'"n":"redis://u:pw@host"'])
def test_one_that_holds_a_secret_keeps_its_bundle_from_being_taken_as_it_is(told: bytes) -> None:
    records = [WHOLE, WHOLE[:-1] + b"," + told + b"}", WHOLE]
    assert at_once(records) == [records]


@given(st.lists(st.sampled_from([WHOLE, *ODD[:14], b'{"token":1}'])), st.integers(1, 5))
def test_everything_given_at_once_always_comes_out_once_and_in_order(
    records: list[Given], most: int
) -> None:
    out: list[Given] = []
    for item in at_once(records, max_frame_records=most):
        if isinstance(item, Bundle):
            assert item.size == sum(map(len, item.json))
            assert all(level_of_ready("run-1", record) == 1 for record in item.json)
        out += item.json if isinstance(item, Bundle) else item
    assert out == records


def lines(texts: list[str], **settings: int) -> list[Bundle | Sequence[str]]:
    bundler = Bundler(Masker(), PublisherSettings(**settings))  # type: ignore[arg-type]
    return list(bundler.lines("run-1", texts, "error", {"stream": "stderr"}))


TEXTS = st.text(max_size=8) | st.sampled_from(['","', '\\"', "\\", '"', ",", "\n"])


@given(st.lists(TEXTS, min_size=1))
def test_any_lines_are_ready_records_with_these_messages(texts: list[str]) -> None:
    (bundle,) = lines(texts)
    assert isinstance(bundle, Bundle)
    assert [orjson.loads(record)["message"] for record in bundle.json] == texts
    assert {level_of_ready("run-1", record) for record in bundle.json} == {3}
    assert {orjson.loads(record)["stream"] for record in bundle.json} == {"stderr"}
    assert bundle.levels == (0, 0, 0, len(texts))
    assert bundle.size == sum(map(len, bundle.json))


def test_lines_that_need_a_closer_look_stay_as_they_are() -> None:
    for texts in (["a", "password=hunter22"], ["a", "x" * 2000]):
        assert lines(texts, max_record_bytes=1024) == [texts]
    assert lines(["a", "\ud800"]) == [["a", "\ud800"]]
    assert lines(["x" * 800] * 2, max_frame_bytes=1024) == [["x" * 800] * 2]
