"""No value of a worker's crashes its process, whatever orjson would do with it."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict, namedtuple
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import pytest

from runtail_broker.records.hazards import is_harmless
from runtail_broker.records.record import encode


class Raising(Enum):
    A = 1

    @property
    def value(self) -> Any:
        raise RuntimeError("no value today")


class Usual(Enum):
    A = "a"


class Holding(Enum):
    RAISING = (Raising.A,)


Pair = namedtuple("Pair", "left right")
HALF_MADE = UUID.__new__(UUID)
CYCLE: list[Any] = [Usual.A]
CYCLE.append(CYCLE)
KNOT: list[Any] = []
KNOT += [KNOT, {"here": KNOT}, KNOT]  # more ways through it than there is memory
HAZARDS = [
    Raising.A,
    HALF_MADE,
    Holding.RAISING,
    {"deep": [{"in": (Raising.A,)}]},
    {Raising.A: 1},
    OrderedDict(a=[HALF_MADE]),
    Pair(1, Raising.A),
    [Raising.A, *range(100_000)],
]
# in a process of its own: what is tested for ends it
PROGRAM = """
import sys
sys.path[:0] = ["."]
from tests.broker.records.test_hazards import HAZARDS
from runtail_broker.records.record import encode
from runtail.masks.masking import masker
from runtail_broker.records.record import encode_plain
for hazard in HAZARDS:
    assert encode_plain("run-1", "info", {"message": hazard}, 65536, masker(())) is None
    print(encode("run-1", {"message": "m", "input_data": {"here": hazard}}).json.decode())
"""


@pytest.mark.parametrize("value", HAZARDS, ids=range(len(HAZARDS)))
def test_what_would_crash_is_told_wherever_it_is(value: object) -> None:
    assert not is_harmless(value)
    assert not is_harmless({"fields": [value]})


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text \ud800",
        {"a": [1, 2.5, {"b": (True,)}]},
        [Usual.A, UUID(int=1), datetime.now(UTC)],
        OrderedDict(a=Usual.A),
        CYCLE,
        KNOT,
        object(),
    ],
    ids=range(8),
)
def test_what_does_not_crash_is_left_to_orjson(value: object) -> None:
    assert is_harmless(value)


def test_a_record_with_such_a_value_shows_what_it_is() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(HAZARDS)
    assert "its code raised RuntimeError" in done.stdout


def test_enums_and_uuids_that_are_whole_are_written_as_ever() -> None:
    json = encode("run-1", {"message": "m", "kind_of": Usual.A, "of": UUID(int=1)}).json
    assert b'"kind_of":"a","of":"00000000-0000-0000-0000-000000000001"' in json
