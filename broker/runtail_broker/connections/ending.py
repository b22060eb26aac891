"""End tasks for certain. Touches no engine."""

from __future__ import annotations

import asyncio
from typing import Any

_AGAIN_SECONDS = 0.1


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel *tasks* and wait until they have ended; what they raise is not looked at.

    One cancellation is not enough: up to Python 3.11 `asyncio.wait_for`, in which redis-py writes
    its commands, swallows one that comes just when the write is done.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
