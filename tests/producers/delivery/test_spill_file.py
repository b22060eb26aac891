"""The spill file's format: what was written comes back, what is not whole ends the file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail.delivery.ask import Leave, Opening
from runtail.delivery.held import Sealed
from runtail.delivery.spill_file import (
    MAGIC,
    MAX_ENTRY_BYTES,
    CorruptSpill,
    Written,
    entries,
    packed,
    unpacked,
)
from runtail_broker.script import Batch

OPENING = Opening("p", "p.2", "run", "run.2", "owner", "wf", "2026-01-01", 2, True, "node", 3, 9, 1)
BATCH = Batch(4, 9, 2, 77, 0, (0, 2, 0, 0), 40, 0, "", b"frame")
WRITTEN = st.one_of(
    st.just(OPENING),
    st.builds(Leave, st.text(max_size=9), st.text(max_size=9), st.booleans()),
    st.builds(
        lambda number, frame: Sealed(replace(BATCH, number=number, frame=frame), 2, 3, 40),
        st.integers(1, 2**53),
        st.binary(max_size=60),
    ),
)


def walked(data: bytes) -> list[tuple[int, Written]]:
    found = entries(lambda offset, length: data[offset : offset + length])
    return [(entry.journal, entry.written) for entry in found]


@given(st.lists(st.tuples(st.integers(1, 9), WRITTEN), max_size=8))
def test_what_was_written_always_comes_back(written: list[tuple[int, Written]]) -> None:
    assert walked(MAGIC + b"".join(packed(*one) for one in written)) == written


@given(st.lists(st.tuples(st.integers(1, 9), WRITTEN), min_size=1, max_size=5), st.data())
def test_a_file_that_was_cut_always_gives_what_was_whole(
    written: list[tuple[int, Written]], data: st.DataObject
) -> None:
    whole = [packed(*one) for one in written]
    file = MAGIC + b"".join(whole)
    cut = data.draw(st.integers(0, len(file)))
    count = sum(len(MAGIC) + sum(map(len, whole[: n + 1])) <= cut for n in range(len(whole)))
    assert walked(file[:cut]) == written[:count]


@given(WRITTEN, st.data())
def test_a_byte_that_changed_is_always_noticed(written: Written, data: st.DataObject) -> None:
    whole = bytearray(packed(1, written))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CorruptSpill):
        unpacked(bytes(whole))


@given(st.lists(st.tuples(st.integers(1, 9), WRITTEN), min_size=1, max_size=5), st.data())
def test_an_entry_whose_content_was_spoiled_is_always_skipped_alone(
    written: list[tuple[int, Written]], data: st.DataObject
) -> None:
    whole = [bytearray(packed(*one)) for one in written]
    spoiled = data.draw(st.integers(0, len(whole) - 1))
    place = data.draw(st.integers(4, len(whole[spoiled]) - 1))  # behind its length
    whole[spoiled][place] ^= data.draw(st.integers(1, 255))
    rest = [one for n, one in enumerate(written) if n != spoiled]
    assert walked(MAGIC + b"".join(whole)) == rest


def test_a_file_of_zeros_ends_at_once() -> None:
    assert walked(MAGIC + bytes(1000) + packed(1, OPENING)) == []


def test_a_file_of_something_else_holds_nothing() -> None:
    assert walked(b"something else entirely") == []
    assert walked(b"another format 1\n"[: len(MAGIC)] + packed(1, OPENING)) == []


def test_a_length_that_was_spoiled_does_not_ask_for_gigabytes() -> None:
    asked: list[int] = []
    file = MAGIC + b"\xff" * 8 + packed(1, OPENING)

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return file[offset : offset + length]

    assert list(entries(read)) == []
    assert max(asked) <= MAX_ENTRY_BYTES


def test_an_entry_finds_its_own_place() -> None:
    one, two = packed(1, OPENING), packed(2, Leave("failed"))
    file = MAGIC + one + two
    _, entry = entries(lambda offset, length: file[offset : offset + length])
    assert unpacked(file[entry.offset : entry.offset + entry.length]).written == Leave("failed")
