"""Say why an execution is not there: nobody made it, or somebody deleted it."""

from __future__ import annotations

from runtail_broker.errors import ExecutionNotFound
from runtail_broker.stream import StreamReader
from runtail_gateway.protocol.problem import Deleted


async def absent(reader: StreamReader, execution_id: str) -> Deleted | ExecutionNotFound:
    """Make the error that says so of *execution_id*, which has no state."""
    if await reader.was_deleted(execution_id):
        return Deleted(execution_id)
    return ExecutionNotFound(execution_id)
