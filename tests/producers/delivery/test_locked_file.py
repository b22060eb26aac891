"""One process at a time has the file: who lives keeps it, who dies lets go of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtail.delivery.locked_file import LockedFile

HEAD = b"head\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "file.spill"


def test_nobody_takes_a_file_that_its_maker_has(path: Path) -> None:
    made = LockedFile.create(path, HEAD)
    assert LockedFile.take_over(path) is None
    made.close()
    taken = LockedFile.take_over(path)
    assert taken is not None
    assert taken.size == len(HEAD)
    taken.close()


def test_of_two_takers_one_gets_it(path: Path) -> None:
    LockedFile.create(path, HEAD).close()
    first = LockedFile.take_over(path)
    assert first is not None
    assert LockedFile.take_over(path) is None
    first.close()


def test_it_has_no_name_before_it_is_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    write = os.pwrite

    def watched(descriptor: int, data: bytes, offset: int) -> int:
        seen.append(path.exists())
        return write(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", watched)
    LockedFile.create(path, HEAD).close()
    assert seen == [False]
    assert path.read_bytes() == HEAD


def test_a_file_that_its_taker_deleted_meanwhile_is_not_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LockedFile.create(path, HEAD).close()
    opened = os.open

    def late(name: Path, flags: int) -> int:
        descriptor = opened(name, flags)
        monkeypatch.undo()
        taken = LockedFile.take_over(path)  # somebody else is faster, and done with it
        assert taken is not None
        taken.delete()
        return descriptor

    monkeypatch.setattr(os, "open", late)
    assert LockedFile.take_over(path) is None
    assert LockedFile.take_over(path) is None  # nothing is there any more


def test_a_write_that_the_disk_refuses_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = LockedFile.create(path, HEAD)
    write = os.pwrite

    def half(descriptor: int, data: bytes, offset: int) -> int:
        if offset > len(HEAD):
            raise OSError(28, "no space left on device")
        return write(descriptor, data[: len(data) // 2], offset)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(OSError, match="no space"):
        file.append(b"a longer entry")
    assert path.read_bytes() == HEAD
    monkeypatch.undo()
    assert file.append(b"next") == len(HEAD)
    assert path.read_bytes() == HEAD + b"next"
    assert file.read(len(HEAD), 99) == b"next"
    file.close()
