"""Delete executions: what the engine holds of one, its place in the list, and its viewers told."""

from __future__ import annotations

from contextlib import suppress

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.archives.archiving import Archiving
from runtail_broker.connections.client import Nodes
from runtail_broker.errors import ArchiveUnavailable, ExecutionNotFound, RuntailError
from runtail_broker.keys import checked, index_of
from runtail_broker.script import delete_call
from runtail_broker.stream import StreamReader
from runtail_gateway.access.access import Access
from runtail_gateway.access.origin import require_allowed
from runtail_gateway.executions.list_watch import tell_all
from runtail_gateway.protocol.problem import BadRequest, Conflict
from runtail_gateway.settings import GatewaySettings


class Deletion:
    """The endpoint. Errors are problem+json (see protocol/problem.py)."""

    def __init__(
        self,
        nodes: Nodes,
        reader: StreamReader,
        archiving: Archiving | None,
        settings: GatewaySettings,
        access: Access,
    ) -> None:
        self._nodes, self._reader, self._archiving = nodes, reader, archiving
        self._settings, self._access = settings, access

    async def delete(self, request: Request) -> Response:
        """`DELETE /executions/{execution_id}?force=`: remove one that has ended, or any."""
        require_allowed(request, self._settings.allowed_origins)
        execution_id = checked(request.path_params["execution_id"])
        await self._access.require(request, "admin", execution_id)
        await self._delete(execution_id, force=_flag(request.query_params.get("force")))
        body = orjson.dumps({"execution_id": execution_id, "deleted": True})
        return Response(body, media_type="application/json")

    async def _delete(self, execution_id: str, *, force: bool) -> None:
        """Remove the execution first: a place in the list that leads nowhere is harmless."""
        archived = await self._archived(execution_id)
        if archived and self._archiving:
            await self._archiving.erasing({execution_id: archived})
        seconds = self._settings.deleted_seconds
        call = delete_call(execution_id, force=force, remembered_seconds=seconds)
        (answer,) = await self._nodes.run_all([call], replicated=True)
        if isinstance(answer, RuntailError):
            raise answer
        if answer.word == "running":
            has = f"execution {execution_id!r} is {answer.status} and has not ended"
            raise Conflict(f"{has}: expected one that has, or force=true")
        key = index_of(execution_id)
        await self._nodes.at(key, lambda node: node.zrem(key, execution_id))
        await tell_all(self._nodes, [execution_id])
        if answer.word == "unknown":
            raise ExecutionNotFound(execution_id)
        if archived and self._archiving:
            with suppress(ArchiveUnavailable):  # it is noted: whoever keeps house does it
                await self._archiving.erase(execution_id, archived)

    async def _archived(self, execution_id: str) -> int | None:
        """Name the epoch of what must be erased from the archive too; None for nothing."""
        bounds = await self._reader.bounds(execution_id)
        if not bounds.archive:
            return None
        if self._archiving is None:
            raise ArchiveUnavailable(
                f"records of execution {execution_id!r} lie in an archive, which this gateway was "
                "not given: expected --archive"
            )
        return bounds.epoch


def _flag(text: str | None) -> bool:
    if text in (None, "false", "0"):
        return False
    if text in ("true", "1"):
        return True
    raise BadRequest(f"force is {text[:40]!r}, expected true or false")
