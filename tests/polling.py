"""Wait until something holds, with a deadline: the only place where tests sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.01
DEADLINE_SECONDS = 15.0


def until(check: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Poll *check* until it holds; fail with *what* after *seconds*."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"waited {seconds} s until {what}"
        time.sleep(POLL_SECONDS)


async def soon(check: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Do what `until` does, without blocking the event loop."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"waited {seconds} s until {what}"
        await asyncio.sleep(POLL_SECONDS)


async def eventually(
    check: Callable[[], Awaitable[object]], what: str, seconds: float = DEADLINE_SECONDS
) -> None:
    """Do what `soon` does, with a check that must be awaited."""
    deadline = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < deadline, f"waited {seconds} s until {what}"
        await asyncio.sleep(POLL_SECONDS)


async def a_moment() -> None:
    """Let others have the machine before the next look."""
    await asyncio.sleep(POLL_SECONDS)
