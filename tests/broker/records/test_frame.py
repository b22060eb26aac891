"""Packing records into frames, and what damaged, foreign and hostile frames come to."""

from __future__ import annotations

import contextlib
import random
import sys
from concurrent.futures import ThreadPoolExecutor

import msgpack
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtail_broker.errors import InvalidFrame, NewerFormat
from runtail_broker.records.frame import MAX_EXPANDED_BYTES, decode_frame, encode_frame, lines_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PLAIN, PACKED, LINES = b"\x10", b"\x11", b"\x12"
TEXT = [b'{"message":"%d"}' % i for i in range(200)]


@given(st.lists(st.binary(max_size=300), max_size=60))
def test_a_frame_gives_back_the_records_it_was_made_of(records: list[bytes]) -> None:
    assert decode_frame(encode_frame(records)) == records


def test_many_records_are_compressed_and_one_is_not() -> None:
    assert encode_frame(TEXT)[:1] == LINES
    assert len(encode_frame(TEXT)) * 3 < sum(map(len, TEXT))
    assert encode_frame(TEXT[:1])[:1] == PLAIN


def test_what_compression_would_make_larger_stays_plain() -> None:
    noise = random.Random(1).randbytes(2000)
    assert encode_frame([noise])[:1] == PLAIN


objects = st.dictionaries(st.text(), st.text(), min_size=1).map(orjson.dumps)


@given(st.lists(objects, min_size=1, max_size=40))
def test_the_lines_of_a_frame_are_its_records_without_their_closing_braces(
    records: list[bytes],
) -> None:
    assert [line + b"}" for line in lines_of(encode_frame(records)).split(b"\n")] == records


@given(st.binary(max_size=200))
@example(b"")
@example(PLAIN)
@example(PACKED)
@example(PLAIN + b"\xc1")
@example(PLAIN + b"\x91\x81\x90\x01")
@example(PLAIN + b"\x91\xd6\xff\xff\xff\xff\xff")
@example(PLAIN + b"\xdd\xff\xff\xff\xff")
@example(PLAIN + b"\x91" * 5000)
@example(PACKED + b"\x28\xb5\x2f\xfd")
def test_any_bytes_are_records_or_an_invalid_frame(data: bytes) -> None:
    for frame in (
        data,
        PLAIN + data,
        PACKED + data,
        PACKED + zstd.compress(data, 1),
        LINES + zstd.compress(data, 1),
    ):
        with contextlib.suppress(InvalidFrame, NewerFormat):
            assert all(type(record) is bytes for record in decode_frame(frame))
        with contextlib.suppress(InvalidFrame, NewerFormat):
            assert type(lines_of(frame)) is bytes


@given(st.data())
def test_a_mutated_frame_is_records_or_an_invalid_frame(data: st.DataObject) -> None:
    frame = bytearray(encode_frame(data.draw(st.sampled_from([TEXT, TEXT[:3], [b"x" * 900]]))))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidFrame, NewerFormat):
        assert all(type(record) is bytes for record in decode_frame(bytes(frame)))


@pytest.mark.parametrize("records", [TEXT, TEXT[:3]])
def test_every_truncation_is_refused(records: list[bytes]) -> None:
    frame = encode_frame(records)
    for end in range(len(frame)):
        with pytest.raises(InvalidFrame):
            decode_frame(frame[:end])


@pytest.mark.parametrize("first", [0x00, 0x0F, 0x13, 0x1F])
def test_another_version_or_codec_is_refused_by_number(first: int) -> None:
    with pytest.raises(InvalidFrame, match=f"version {first >> 4} and codec {first & 15}"):
        decode_frame(bytes([first]) + encode_frame(TEXT)[1:])


@pytest.mark.parametrize("first", [0x20, 0x21, 0xFF])
def test_a_newer_version_is_no_damage(first: int) -> None:
    with pytest.raises(NewerFormat, match=f"frame has version {first >> 4}, expected at most 1"):
        decode_frame(bytes([first]) + encode_frame(TEXT)[1:])


@pytest.mark.parametrize("value", [None, 1, b"x", {b"a": b"b"}, [1], [b"x", None], [[b"x"]]])
def test_anything_but_an_array_of_byte_strings_is_refused(value: object) -> None:
    with pytest.raises(InvalidFrame):
        decode_frame(PLAIN + msgpack.packb(value))


def test_a_bomb_is_refused_without_being_expanded() -> None:
    bomb = zstd.compress(b"\0" * (256 * 1024 * 1024), 1)
    for codec in (PACKED, LINES):
        for unpack in (decode_frame, lines_of):
            with pytest.raises(InvalidFrame, match=f"more than {MAX_EXPANDED_BYTES} bytes"):
                unpack(codec + bomb)


@pytest.mark.parametrize("over", [0, 1])
def test_the_bound_of_expanding_holds_at_its_edge(over: int) -> None:
    records = [b"a" * 5000]
    bound = len(msgpack.packb(records)) - over
    for frame in (PLAIN + msgpack.packb(records), encode_frame(records)):
        if over:
            with pytest.raises(InvalidFrame):
                decode_frame(frame, bound)
        else:
            assert decode_frame(frame, bound) == records


def streamed(data: bytes) -> bytes:
    """Compress as who does not know the size before: nothing in the frame says it."""
    compressor = zstd.ZstdCompressor(level=1)
    packed = compressor.compress(data, zstd.ZstdCompressor.FLUSH_BLOCK) + compressor.flush()
    assert zstd.get_frame_info(packed).decompressed_size is None
    return packed


def test_a_frame_that_does_not_say_its_size_is_read_within_the_bound() -> None:
    lines = b"\n".join(record[:-1] for record in TEXT)
    assert decode_frame(LINES + streamed(lines)) == TEXT
    assert decode_frame(LINES + streamed(lines), len(lines)) == TEXT
    with pytest.raises(InvalidFrame):
        decode_frame(LINES + streamed(lines), len(lines) - 1)
    with pytest.raises(InvalidFrame):
        lines_of(LINES + streamed(b"\0" * (256 * 1024 * 1024)))


def test_threads_that_pack_and_unpack_at_once_are_not_in_each_others_way() -> None:
    def there_and_back(number: int) -> bool:
        chance = random.Random(number)
        texts = [chance.randbytes(200).hex().encode() for _ in range(500)]
        records = [b'{"n":%d,"text":"%b"}' % (number, text) for text in texts]
        return all(decode_frame(encode_frame(records)) == records for _ in range(40))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(there_and_back, range(4)))
