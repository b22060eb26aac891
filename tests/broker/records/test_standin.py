"""Stand-ins for what JSON cannot hold: readable, bounded, and harmless to make."""

from __future__ import annotations

import array
import enum
import time
from collections import OrderedDict, UserDict, deque, namedtuple
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import orjson
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.records.record import encode
from runtail_broker.records.standin import MAX_ARRAY_ITEMS, MAX_DEPTH, MAX_ITEMS, MAX_TEXT, stand_in

NAN = float("nan")
UUID_TEXT = "12345678-1234-5678-1234-567812345678"
Point = namedtuple("Point", "x y")


@dataclass
class Order:
    """As orjson writes it without asking."""

    number: int
    extra: Any = field(default_factory=list)


@dataclass(slots=True)
class Half:
    there: int
    gone: int = 0


class Model(pydantic.BaseModel):
    name: str
    key: pydantic.SecretStr
    values: set[int]


class Level(enum.IntEnum):
    HIGH = 3


class Weird:
    """All of whose attributes raise, the class too."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Mute:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def shown(value: object) -> Any:
    record = encode("run-1", {"message": "m", "own": value})
    return orjson.loads(record.json)["own"]


def half() -> Half:
    value = Half(1)
    del value.gone
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NAN, "nan"),
        ([1.5, float("-inf")], [1.5, "-inf"]),
        ([None, NAN], [None, "nan"]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        (Order(1, {2}), {"number": 1, "extra": [2]}),
        (Order(1, NAN), {"number": 1, "extra": "nan"}),
        ([half(), 10**30], [{"there": 1, "gone": "<not set>"}, str(10**30)]),
        (Point(1, {2}), {"x": 1, "y": [2]}),
        (UserDict(a={1}), {"a": [1]}),
        (OrderedDict(a=NAN), {"a": "nan"}),
        (deque([1, 2]), [1, 2]),
        (Level.HIGH, 3),
        (Decimal("1.50"), "1.50"),
        (Fraction(1, 3), "Fraction(1, 3)"),
        (UUID(UUID_TEXT), UUID_TEXT),
        (Path("/tmp/x"), "/tmp/x"),
        (timedelta(seconds=90), "0:01:30"),
        (KeyError("k"), "KeyError: 'k'"),
        (b"caf\xc3\xa9 \xff", "café \\xff"),
        (memoryview(b"abc"), "abc"),
        (1 + 2j, "(1+2j)"),
        (range(3), "range(0, 3)"),
        (np.float64(1.5), 1.5),
        (np.float32("nan"), "nan"),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (np.array([1.0, NAN]), [1.0, "nan"]),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (array.array("i", [1, 2]), [1, 2]),
        (Model(name="n", key=pydantic.SecretStr("hush"), values={2, 1}), None),
    ],
)
def test_a_value_reads_well(value: object, expected: object) -> None:
    if isinstance(value, Model):
        expected = {"name": "n", "key": "SecretStr('**********')", "values": [1, 2]}
    assert shown(value) == expected


def test_a_set_that_cannot_be_sorted_is_told_in_one_order() -> None:
    values = [1, "a", None, (2, 3), b"x"]
    assert shown(set(values)) == shown({b"x", (2, 3), None, "a", 1})


def test_a_generator_is_named_and_not_run() -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 1

    generator = endless()
    assert shown(generator).startswith("<generator object")
    assert next(generator) == 1


def test_what_raises_is_told_by_its_class() -> None:
    assert "RuntimeError" in shown(Weird())
    assert shown([Weird(), {1}])[1] == [1]


def test_a_cycle_is_named_where_it_closes() -> None:
    value: dict[str, Any] = {"a": 1}
    value["self"] = [value, value]
    assert shown(value) == {"a": 1, "self": 2 * ["<dict: itself again>"]}


def test_a_thing_used_twice_is_no_cycle() -> None:
    same = {1}
    assert shown([same, same, 10**30]) == [[1], [1], str(10**30)]


def test_depth_is_bounded() -> None:
    value: Any = {1}
    for _ in range(MAX_DEPTH + 10):
        value = (value, {2})
    assert "…" in str(stand_in(value))


def test_items_are_bounded_and_the_rest_is_counted() -> None:
    items = stand_in([{1}] * MAX_ITEMS)
    assert len(items) < MAX_ITEMS
    assert items[-1] == f"… {MAX_ITEMS - len(items) + 1} more"
    fields = stand_in(dict.fromkeys(range(MAX_ITEMS + 5)))
    assert fields["…"] == "5 more"


def test_many_ways_through_few_objects_end_soon() -> None:
    value: list[Any] = [{1}]
    for _ in range(20):
        value = [value, value]
    begun = time.thread_time()
    stand_in(value)
    assert time.thread_time() - begun < 5


@pytest.mark.parametrize("big", [np.zeros((1000, 1000)), array.array("d", [0.5] * 10_000)])
def test_a_large_array_is_told_by_its_kind_and_its_head(big: Any) -> None:
    told = shown(big)
    assert len(told["first"]) == MAX_ARRAY_ITEMS
    assert "shape (1000" in told["array"]


@pytest.mark.parametrize("big", [b"x" * 10**7, ValueError("x" * 10**6), Decimal(10**5000)])
def test_a_long_text_is_bounded(big: object) -> None:
    told = shown(big)
    assert len(told) == MAX_TEXT + 1
    assert told.endswith("…")


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.decimals()
    | st.fractions()
    | st.uuids()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.timedeltas()
    | st.complex_numbers()
    | st.sampled_from([Level.HIGH, Level, Path("x"), ..., NAN, np.float32(1), int])
    | st.builds(Mute)
    | st.none().map(lambda _: 10**5000)
    | st.builds(ValueError, st.text())
    | st.lists(st.floats(width=32)).map(np.array)
)
keys = st.text(st.characters(exclude_categories=())) | st.integers() | st.floats() | st.uuids()
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.lists(inner).map(deque)
        | st.dictionaries(keys | st.none() | st.tuples(keys), inner)
        | st.sets(st.integers() | st.text() | st.none())
        | st.builds(Order, inner, inner)
        | st.builds(Point, inner, inner)
        | st.dictionaries(st.text(), inner).map(UserDict)
    ),
    max_leaves=25,
)


@given(anything, st.integers(700, 5000))
def test_any_value_is_valid_json_within_its_bound(value: Any, limit: int) -> None:
    record = encode("run-1", {"message": "m", "own": value}, max_bytes=limit)
    assert len(record.json) <= limit
    assert orjson.loads(record.json)["message"] == "m"


def test_an_id_that_orjson_stumbles_over_becomes_a_text() -> None:
    broken = UUID(int=1)
    object.__setattr__(broken, "int", 1 << 300)
    assert isinstance(shown(broken), str)
