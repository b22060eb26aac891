"""Keep objects where an archive lies: in a folder, or in a bucket of an S3-compatible store.

An object appears whole or not at all, and is replaced in the same way.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from runtail_broker.errors import ArchiveMissing, ArchiveUnavailable

T = TypeVar("T")


class Store(Protocol):
    """What an archive needs of where it lies. Names are relative, with `/` between folders.

    Raises ArchiveUnavailable when the store does not answer or refuses, and ArchiveMissing when it
    answers that an object is not there.
    """

    async def put(self, name: str, parts: AsyncIterator[bytes]) -> None:
        """Store an object once *parts* has ended; if that raises, nothing is stored."""

    async def read(self, name: str, offset: int, length: int) -> bytes:
        """Read a range of an object; less than *length* if it ends before."""

    async def tail(self, name: str, length: int) -> bytes:
        """Read the last *length* bytes of an object, or all of it."""

    async def clear(self, folder: str) -> None:
        """Remove all objects of *folder*, if there are any."""

    async def remove(self, name: str) -> None:
        """Remove an object, if it is there."""

    def names(self) -> AsyncIterator[str]:
        """Name all objects, those of one folder together."""


def store_at(place: str, *, make: bool = True) -> Store:
    """Make the store at *place*, a folder or `s3://<bucket>/<prefix>`; nothing connects yet.

    A folder is made if it is not there, with *make*. Raises ValueError for a place that can be
    neither.
    """
    if "://" not in place:
        if not make and not Path(place).is_dir():
            raise ValueError(f"archive {place!r} is no folder")
        return FolderStore(Path(place))
    if not place.startswith("s3://") or place == "s3://":
        raise ValueError(f"archive {place!r}, expected a folder or s3://<bucket>/<prefix>")
    try:
        from runtail_broker.archives.store_s3 import S3Store
    except ImportError as error:
        raise ValueError(
            f"archive {place!r} needs the extra: pip install 'runtail[archive]' ({error})"
        ) from error
    return S3Store(place)


class FolderStore:
    """Objects as files below *root*."""

    def __init__(self, root: Path) -> None:
        self._root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"archive {str(root)!r} cannot be a folder: {error}") from error

    async def put(self, name: str, parts: AsyncIterator[bytes]) -> None:
        path = self._root / name
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.draft")
        try:
            file = await self._io(name, lambda: self._begin(draft))
            try:
                async for part in parts:
                    await self._io(name, partial(file.write, part))
                await self._io(name, lambda: _settle(file))
            finally:
                file.close()
            await self._io(name, lambda: _name(draft, path))
        except BaseException:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise

    async def read(self, name: str, offset: int, length: int) -> bytes:
        return await self._io(name, lambda: _read(self._root / name, offset, length))

    async def tail(self, name: str, length: int) -> bytes:
        path = self._root / name
        return await self._io(
            name, lambda: _read(path, max(path.stat().st_size - length, 0), length)
        )

    async def clear(self, folder: str) -> None:
        await self._io(folder, lambda: self._clear(self._root / folder))

    async def remove(self, name: str) -> None:
        await self._io(name, lambda: (self._root / name).unlink(missing_ok=True))

    async def names(self) -> AsyncIterator[str]:
        for folder in await self._io("", lambda: sorted(_folders(self._root))):
            for name in await self._io(folder, partial(_below, self._root, folder)):
                yield name

    def _begin(self, draft: Path) -> Any:
        if self._root.is_dir():  # one that went away must not come back as another, empty one
            draft.parent.mkdir(parents=True, exist_ok=True)
        return draft.open("wb")

    def _clear(self, folder: Path) -> None:
        if not folder.is_dir():
            return
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        folder.rmdir()
        with suppress(OSError):  # another history of the same execution may be there
            folder.parent.rmdir()

    async def _io(self, name: str, act: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(act)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and self._root.is_dir():
                raise ArchiveMissing(name) from error
            raise ArchiveUnavailable(f"the archive does not answer: {error}") from error


def _folders(root: Path) -> list[str]:
    return [entry.name for entry in os.scandir(root) if entry.is_dir()]


def _below(root: Path, folder: str) -> list[str]:
    """Name all that lies in *folder* and is whole; nothing if it was removed meanwhile."""
    paths = (path for path in (root / folder).rglob("*") if path.suffix != ".draft")
    return sorted(path.relative_to(root).as_posix() for path in paths if path.is_file())


def _settle(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _name(draft: Path, path: Path) -> None:
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)  # the name must survive a crash too
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
