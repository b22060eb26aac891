"""Bodies are expanded, and taken apart, within a bound of memory too."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgpack
import pytest

from runtail_broker.records.frame import decode_frame
from runtail_broker.records.spoken import Unspoken, unpack
from runtail_gateway.protocol.problem import BadRequest, TooLarge
from runtail_gateway.publishing.body import expanded, objects_in

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MEGABYTE = 1024 * 1024
PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Check that what runs inside takes at most *size* bytes of memory at any moment."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_bomb_takes_no_more_memory_than_its_bound(coding: str) -> None:
    bomb = PACKERS[coding](bytes(64 * MEGABYTE))
    with at_most(8 * MEGABYTE), pytest.raises(TooLarge):
        expanded(bomb, coding, MEGABYTE)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("more", [0, 1])
def test_the_bound_holds_to_the_byte_over_all_members(coding: str, more: int) -> None:
    pack = PACKERS[coding]
    body = pack(b"x" * 600) + pack(b"x" * (424 + more))
    if more:
        with pytest.raises(TooLarge):
            expanded(body, coding, 1024)
    else:
        assert expanded(body, coding, 1024) == b"x" * 1024


def test_calls_that_claim_to_be_many_get_no_room() -> None:
    claims = b"\xdd\x00\x10\x00\x00" * 50 + bytes(2 * MEGABYTE)  # a million items each, nested
    with at_most(MEGABYTE), pytest.raises(Unspoken):
        unpack(claims, 512)


def test_a_frame_that_claims_to_hold_many_gets_no_room() -> None:
    claims = b"\x10" + b"\xdd\x00\x10\x00\x00" * 50 + bytes(2 * MEGABYTE)
    with at_most(8 * MEGABYTE), pytest.raises(ValueError, match="more than 1000 records"):
        decode_frame(claims, max_records=1000)


def test_a_frame_of_maps_is_none() -> None:
    with pytest.raises(ValueError, match="damaged"):
        decode_frame(b"\x10" + msgpack.packb([{1: 2}]))


def test_one_object_over_several_lines_is_one_record() -> None:
    assert objects_in(b'{\n  "message": "hi"\n}\n', "", 9) == [{"message": "hi"}]


def test_lines_say_which_of_them_is_no_json() -> None:
    with pytest.raises(BadRequest, match="line 3 is not JSON"):
        objects_in(b'{"a":1}\n\n{"a":\n', "application/x-ndjson", 9)
