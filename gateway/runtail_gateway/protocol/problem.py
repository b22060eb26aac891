"""Turn every error into one shape: problem+json (RFC 9457), with the value in its detail."""

from __future__ import annotations

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.errors import (
    ArchiveDamaged,
    ExecutionNotFound,
    InvalidCursor,
    InvalidExecutionId,
    NewerFormat,
    RuntailError,
)
from runtail_gateway.protocol.refused import Refused


class BadRequest(RuntailError):
    """A parameter that says nothing."""


class Conflict(RuntailError):
    """What is asked for contradicts what there is."""


class Foreign(RuntailError):
    """A page of another origin asks for a change."""


class Deleted(RuntailError):
    """An execution that somebody deleted, not long ago."""

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"execution {execution_id!r} was deleted")


class NoteNotFound(RuntailError):
    """A note that is not there, or not any more."""

    def __init__(self, note_id: str) -> None:
        super().__init__(f"note {note_id[:40]!r} does not exist")


class TooLarge(RuntailError):
    """A body, a batch or a frame over its bound."""


class UnknownCoding(RuntailError):
    """A Content-Encoding that is not taken."""


class TooMany(RuntailError):
    """A bound is reached; come again later."""


class UrlTooLong(RuntailError):
    """An address beyond the bound."""


class HeadTooLarge(RuntailError):
    """An address and headers beyond the bound."""


class TooSlow(RuntailError):
    """A body that does not come."""


class Draining(RuntailError):
    """This process is about to end."""


class Unready(RuntailError):
    """This gateway should not be sent viewers now."""


_STATUS: dict[type[RuntailError], tuple[int, str]] = {
    InvalidExecutionId: (400, "bad_execution_id"),
    InvalidCursor: (400, "bad_cursor"),
    BadRequest: (400, "bad_request"),
    Foreign: (403, "foreign_origin"),
    ExecutionNotFound: (404, "not_found"),
    NoteNotFound: (404, "not_found"),
    Conflict: (409, "conflict"),
    Deleted: (410, "deleted"),
    TooSlow: (408, "too_slow"),
    TooLarge: (413, "too_large"),
    UrlTooLong: (414, "url_too_long"),
    UnknownCoding: (415, "unknown_coding"),
    HeadTooLarge: (431, "head_too_large"),
    TooMany: (429, "too_many"),
    ArchiveDamaged: (500, "damaged"),
    NewerFormat: (501, "newer_format"),
    Draining: (503, "draining"),
    RuntailError: (503, "unavailable"),
}


async def answer(_: Request, error: Exception) -> Response:
    """Answer a RuntailError: its class says the status."""
    status, code = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    return problem(status, code, str(error))


async def answer_refused(_: Request, error: Exception) -> Response:
    """Answer a Refused: it says the status itself."""
    assert isinstance(error, Refused)
    return problem(error.status, error.code, error.message)


async def answer_http(_: Request, error: Exception) -> Response:
    """Answer what Starlette raises itself (404, 405)."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "http", str(error.detail))


def problem(status: int, code: str, detail: str, **more: object) -> Response:
    """Make the answer, with *more* members beside the usual ones; 204 has no body."""
    if status == 204:
        return Response(status_code=204)
    body = {"type": "about:blank", "status": status, "code": code, "detail": detail} | more
    headers = {"Retry-After": "2"} if status in (429, 503) else {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="runtail"'
    return Response(orjson.dumps(body), status, headers, "application/problem+json")
