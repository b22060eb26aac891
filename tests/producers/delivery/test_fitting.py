"""What is sealed fits what a gateway takes, and nothing of it is lost."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from runtail.delivery.fitting import fitted, shrunk_by
from runtail.delivery.pending import Bundle, Item, Loss, Progress, size_of
from runtail_broker.records.record import Record, encode
from runtail_broker.records.spoken import Bounds

BOUNDS = Bounds(record_bytes=1024, batch_records=5, batch_bytes=3000, calls=8, body_bytes=8192)


def record(text: str, **fields: object) -> Record:
    return encode("e", {"message": text, **fields})


def bundle(*texts: str) -> Bundle:
    json = [record(text).json for text in texts]
    return Bundle(json, (0, len(json), 0, 0), sum(map(len, json)))


def json_of(item: Item) -> list[bytes]:
    match item:
        case Bundle():
            return item.json
        case Loss():
            return [b"lost"]
        case _:
            return [item.json]


texts = st.text(max_size=2000)
items = st.lists(
    st.one_of(
        texts.map(record),
        st.lists(texts, min_size=1, max_size=12).map(lambda some: bundle(*some)),
        st.integers(1, 9).map(Loss),
    ),
    max_size=12,
)


@given(items)
def test_every_batch_is_within_the_bounds_and_nothing_is_left_out(items: list[Item]) -> None:
    batches = fitted(items, BOUNDS)
    for batch in batches:
        json = [each for item in batch for each in json_of(item)]
        assert len(json) <= 5
        assert sum(map(len, json)) <= 3000
        assert max(map(len, json), default=0) <= 1024
    before = [each for item in items for each in json_of(item)]
    after = [each for batch in batches for item in batch for each in json_of(item)]
    assert len(before) == len(after)
    short = [(a, b) for a, b in zip(before, after, strict=True) if len(a) < 1000]
    assert all(a == b for a, b in short)


@given(items)
def test_what_cutting_took_away_is_counted(items: list[Item]) -> None:
    batches = fitted(items, BOUNDS)
    left = sum(size_of(item) for batch in batches for item in batch)
    assert shrunk_by(items, batches) == sum(map(size_of, items)) - left >= 0


def test_without_a_gateway_nothing_changes() -> None:
    some: list[Item] = [record("x" * 5000), bundle(*"abcdefgh"), Loss(3)]
    assert fitted(some, None) == [some]


def test_what_fits_is_kept_as_one_batch_and_as_one_bundle() -> None:
    some: list[Item] = [bundle("a", "b"), record("c"), Loss(3)]
    assert fitted(some, BOUNDS) == [some]


def test_progress_that_is_cut_stays_progress() -> None:
    fields = {"progress": 5, "note": "x" * 3000}
    long = Progress(encode("e", fields, kind="progress").json, None, "5")
    ((cut,),) = fitted([long], BOUNDS)
    assert isinstance(cut, Progress)
    assert (cut.progress, cut.level, len(cut.json) <= 1024) == ("5", None, True)


def test_a_record_of_too_many_fields_says_so_in_its_place() -> None:
    many = record("hello", level="error", **{f"field_{n}": n for n in range(500)})
    ((short,),) = fitted([many], BOUNDS)
    assert isinstance(short, Record)
    fields = orjson.loads(short.json)
    assert (fields["message"], fields["level"], short.level) == ("hello", "error", 3)
    assert fields["note"].startswith("left out: record has 50")
