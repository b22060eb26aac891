"""Where an archive lies: a folder and a bucket keep the same promises."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.broker.bucket import bucket
from tests.broker.shelf import ended, shelf_at

from runtail_broker.archives.store import FolderStore, Store, store_at
from runtail_broker.connections.client import Nodes
from runtail_broker.cursor import START
from runtail_broker.errors import ArchiveMissing, ArchiveUnavailable
from runtail_broker.proof import Continues

NAME = "a~b+c:d@e..f/0a0b0c0d/1-2-3-4-5.ndjson.zst"


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.full)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a store is, of each kind."""
    if request.param == "folder":
        yield str(tmp_path / "archive")
        return
    with bucket() as url:
        yield f"{url}/some/prefix"


@pytest.fixture
def store(place: str) -> Store:
    return store_at(place)


async def parts(*some: bytes, fails: bool = False) -> AsyncIterator[bytes]:
    for part in some:
        yield part
    if fails:
        raise ValueError("half way")


async def test_an_object_is_read_back_in_ranges_and_from_its_end(store: Store) -> None:
    await store.put(NAME, parts(b"hello ", b"world"))
    assert await store.read(NAME, 3, 5) == b"lo wo"
    assert await store.tail(NAME, 5) == b"world"
    assert await store.tail(NAME, 1000) == b"hello world"


async def test_an_object_that_is_put_again_is_replaced(store: Store) -> None:
    await store.put(NAME, parts(b"hello world"))
    await store.put(NAME, parts(b"other"))
    assert await store.tail(NAME, 1000) == b"other"


@pytest.mark.parametrize("size", [10, 6_000_000])
async def test_what_breaks_off_stores_nothing(store: Store, size: int) -> None:
    """Also if much of it was sent already, and what was there before stays."""
    with pytest.raises(ValueError, match="half way"):
        await store.put(NAME, parts(bytes(size), bytes(size), fails=True))
    with pytest.raises(ArchiveMissing):
        await store.tail(NAME, 10)
    await store.put(NAME, parts(b"old"))
    with pytest.raises(ValueError, match="half way"):
        await store.put(NAME, parts(bytes(size), fails=True))
    assert await store.tail(NAME, 10) == b"old"


async def test_what_is_not_there_is_missing(store: Store) -> None:
    for read in (store.read(NAME, 0, 1), store.tail(NAME, 1)):
        with pytest.raises(ArchiveMissing):
            await read


async def test_a_folder_is_cleared_and_its_neighbours_stay(store: Store) -> None:
    for name in ("a/1/x", "a/1/y", "a/12/x", "ab/1/x"):
        await store.put(name, parts(b"."))
    await store.clear("a/1")
    await store.clear("a/1")  # it may be gone
    await store.remove("a/12/x")
    await store.remove("a/12/x")
    for name in ("a/1/x", "a/1/y", "a/12/x"):
        with pytest.raises(ArchiveMissing):
            await store.tail(name, 1)
    assert await store.tail("ab/1/x", 1) == b"."


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
async def test_executions_are_archived_and_read_there(place: str, nodes: Nodes) -> None:
    """What `test_log_reader` tests in a folder, from one end to the other on each kind."""
    shelf = shelf_at(nodes, place)
    execution = await ended(nodes, "run", frames=12)
    last = (await execution.entries())[-1].end
    await shelf.put_away(execution)
    cursor = START
    while cursor != last:
        verdict, _ = await shelf.reader.after("run", cursor, 3)
        assert isinstance(verdict, Continues)
        cursor = verdict.entries[-1].end


async def test_a_folder_that_went_away_is_unavailable_and_not_missing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "archive")
    (tmp_path / "archive").rmdir()
    for read in (store.read(NAME, 0, 1), store.tail(NAME, 1)):
        with pytest.raises(ArchiveUnavailable):
            await read
    with pytest.raises(ArchiveUnavailable):
        await store.put(NAME, parts(b"."))
    assert os.listdir(tmp_path) == []


@pytest.mark.full
async def test_a_bucket_that_is_not_there_or_does_not_answer_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with bucket() as url:
        store = store_at(url.replace("runs", "others"))
        with pytest.raises((ArchiveUnavailable, ArchiveMissing)):
            await store.put(NAME, parts(b"."))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    store = store_at("s3://runs/prefix")
    with pytest.raises(ArchiveUnavailable):
        await store.tail(NAME, 1)


@pytest.mark.parametrize("place", ["s3://", "gs://bucket", "ftp://x/y"])
def test_a_place_that_is_none_is_refused_with_what_was_expected(place: str) -> None:
    with pytest.raises(ValueError, match=r"expected a folder or s3://<bucket>/<prefix>"):
        store_at(place)


def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be a folder"):
        store_at(str(tmp_path / "file" / "archive"))
