"""Answer `/executions/{execution_id}/notes`: what people pin to lines, read and written."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.connections.client import Nodes
from runtail_broker.errors import ExecutionNotFound, RuntailError
from runtail_broker.keys import checked
from runtail_broker.notes import Note, Notes
from runtail_broker.script import note_call
from runtail_gateway.access.access import Access
from runtail_gateway.access.auth import Grant
from runtail_gateway.access.origin import require_allowed
from runtail_gateway.executions.list_watch import tell_all
from runtail_gateway.notes.text import (
    KEY_HEADER,
    edited,
    mark_of,
    new_note,
    removed,
    require_author,
    text_in,
)
from runtail_gateway.protocol.absent import absent
from runtail_gateway.protocol.problem import Conflict, NoteNotFound, Unready
from runtail_gateway.publishing.body import object_in
from runtail_gateway.publishing.request import body_of
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.hub import Hub

_TRIES: Final = 5  # of a change that meets another of the same note
Change = Callable[[Note], dict[str, Any]]
"""Makes what a note becomes; raises Refused for who may not."""


class NotesEndpoint:
    """The endpoints. Errors are problem+json (see protocol/problem.py)."""

    def __init__(self, nodes: Nodes, hub: Hub, settings: GatewaySettings, access: Access) -> None:
        self._nodes, self._hub, self._settings, self._access = nodes, hub, settings, access
        self._notes = Notes(nodes)

    async def list(self, request: Request) -> Response:
        """`GET …/notes?after=`: all of them, or none if nothing changed since that place."""
        execution_id = checked(request.path_params["execution_id"])
        await self._access.require(request, "read", execution_id)
        board = await self._notes.board(execution_id)
        if not board.exists:
            raise await absent(self._hub.reader, execution_id)
        known = request.query_params.get("after") == board.place
        notes = [] if known else in_order([note.fields for note in board.notes.values()])
        return _json({"notes": notes, "all": not known, "notes_cursor": board.place})

    async def add(self, request: Request) -> Response:
        """`POST …/notes`: pin a note to a line, or to those up to `to_seq`."""
        execution_id, grant, mark = await self._writer(request)
        state = await self._hub.executions.state(execution_id)
        if state is None:
            raise await absent(self._hub.reader, execution_id)
        given = object_in(await body_of(request, self._settings))
        most = self._settings.note_chars
        note = new_note(secrets.token_hex(6), given, grant, state.last_seq, most)
        if await self._keep(execution_id, "", orjson.dumps(note), mark) == "full":
            raise Conflict(f"execution {execution_id!r} has {self._settings.notes} notes, the most")
        return _json(note, 201)

    async def edit(self, request: Request) -> Response:
        """`PATCH …/notes/{note_id}`: put other words in its place, as its author."""
        execution_id, _, mark = await self._writer(request)
        given = object_in(await body_of(request, self._settings))
        text = text_in(given, self._settings.note_chars)

        def change(note: Note) -> dict[str, Any]:
            require_author(note, mark)
            return edited(note, text)

        return _json(await self._change(request, execution_id, change))

    async def remove(self, request: Request) -> Response:
        """`DELETE …/notes/{note_id}`: as its author, or as `admin` where people sign in."""
        execution_id, grant, mark = await self._writer(request)
        may = self._settings.auth is not None and grant.has("admin")

        def change(note: Note) -> dict[str, Any]:
            if not may:
                require_author(note, mark)
            return removed(note)

        return _json(await self._change(request, execution_id, change))

    async def _writer(self, request: Request) -> tuple[str, Grant, str]:
        """Find out who writes about which execution; raise Refused for who may not."""
        require_allowed(request, self._settings.allowed_origins)
        execution_id = checked(request.path_params["execution_id"])
        grant = await self._access.require(request, "publish", execution_id)
        return execution_id, grant, mark_of(grant, request.headers.get(KEY_HEADER), execution_id)

    async def _change(self, request: Request, execution_id: str, change: Change) -> dict[str, Any]:
        """Change a note as it is now: once more if somebody else was quicker."""
        note_id = request.path_params["note_id"]
        for _ in range(_TRIES):
            note = (await self._notes.board(execution_id)).notes.get(note_id)
            if note is None:
                raise NoteNotFound(note_id)
            fields = change(note)
            json = b"" if fields["removed"] else orjson.dumps(fields)
            if await self._keep(execution_id, note.entry, json, note.mark) == "noted":
                return fields
        raise Unready(f"note {note_id[:40]!r} is changed by others all the time")

    async def _keep(self, execution_id: str, entry: str, json: bytes, mark: str) -> str:
        """Store a change, on the replicas too; say what the script answered."""
        call = note_call(execution_id, entry, json, mark, self._settings.notes)
        (answer,) = await self._nodes.run_all([call], replicated=True)
        if isinstance(answer, RuntailError):
            raise answer
        if answer.word == "unknown":
            raise ExecutionNotFound(execution_id)
        await tell_all(self._nodes, [execution_id])
        return answer.word


def in_order(notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort notes by their line, then by when they were written."""
    return sorted(notes, key=lambda note: (note["seq"], note["created_at"], note["id"]))


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
