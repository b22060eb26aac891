"""A file of one process at a time, by flock: who dies lets go of it, and another may take it."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Self


class LockedFile:
    """A file that this process has locked. Every method may raise OSError."""

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self.path, self.size = path, size
        self._descriptor = descriptor

    @classmethod
    def create(cls, path: Path, head: bytes) -> Self:
        """Make the file, which begins with *head*; it is locked before it gets its name."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        making = path.with_name(f".{path.name}.making")
        descriptor = os.open(making, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        file = cls(path, descriptor, 0)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.append(head)
            making.rename(path)
        except OSError:
            file.close()
            making.unlink(missing_ok=True)
            raise
        return file

    @classmethod
    def take_over(cls, path: Path) -> Self | None:
        """Lock a file that is there; None if somebody has it, or has just deleted it."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            about = os.fstat(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if about.st_nlink == 0:
            os.close(descriptor)
            return None
        return cls(path, descriptor, about.st_size)

    def append(self, data: bytes) -> int:
        """Write *data* whole or not at all; return where it begins."""
        begin, written = self.size, 0
        try:
            while written < len(data):
                written += os.pwrite(self._descriptor, data[written:], begin + written)
        except OSError:
            with suppress(OSError):  # a torn tail is recognised, and overwritten by the next entry
                os.ftruncate(self._descriptor, begin)
            raise
        self.size += written
        return begin

    def read(self, offset: int, length: int) -> bytes:
        """Read *length* bytes at *offset*, fewer only at the end of the file."""
        parts: list[bytes] = []
        while length > 0 and (part := os.pread(self._descriptor, length, offset)):
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)

    def delete(self) -> None:
        """Delete and unlock it."""
        try:
            self.path.unlink(missing_ok=True)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of it; in a forked child the parent keeps the lock."""
        os.close(self._descriptor)
