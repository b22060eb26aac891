"""Run a program that others wrote, and note what it prints while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.polling import soon


class Printed:
    """The lines of one running program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[bytes] = []
        self.code: int | None = None  # once it has ended and all of it is read

    async def read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.lines.append(line.removesuffix(b"\n"))
        self.code = await self._process.wait()

    async def has(self, text: bytes) -> None:
        """Wait until a line has *text*."""
        await soon(lambda: any(text in line for line in self.lines), f"{text!r}: {self.lines}")

    async def ended(self) -> list[bytes]:
        """Wait until it ends, with success; return its lines."""
        await soon(lambda: self.code is not None, f"it ends: {self.lines}")
        assert self.code == 0, self.lines
        return self.lines


@asynccontextmanager
async def program(*command: str, cwd: Path | None = None) -> AsyncIterator[Printed]:
    """Run *command*; it is killed where it outlives the test."""
    pipe = asyncio.subprocess.PIPE
    limit = 1 << 20  # bytes in a line
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, cwd=cwd, limit=limit)
    printed = Printed(process)
    task = asyncio.create_task(printed.read())
    try:
        yield printed
    finally:
        if process.returncode is None:
            process.kill()
        await task
