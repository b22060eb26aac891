"""Answer those who publish by hand: what the script said, as JSON, and its HTTP status."""

from __future__ import annotations

import re
from typing import Final

import orjson
from starlette.responses import Response

from runtail_broker.errors import ExecutionNotFound
from runtail_broker.script import Answer
from runtail_gateway.protocol.problem import problem

_NUMBERED: Final = re.compile(r"(.+)\.([1-9]\d{0,5})", re.ASCII)
_REFUSED: Final = {
    "behind": (409, "batches before it are missing: send again what comes after last_batch"),
    "unopened": (409, "this publisher has not opened the execution: open it first"),
    "finished": (409, "the execution is over, and its id is never used again: open next_id"),
    "full": (429, "the execution has as many publishers as it may have"),
}


def answered(execution_id: str, answer: Answer, **more: object) -> Response:
    """Answer with what the script said; raise ExecutionNotFound if it knows no such execution."""
    if answer.word == "unknown":
        raise ExecutionNotFound(execution_id)
    said: dict[str, object] = {
        "word": answer.word,
        "execution_id": execution_id,
        "last_batch": answer.last_batch,
        "cursor": str(answer.last),
        "cancel_requested": answer.cancel,
        "execution_status": answer.status,
        "epoch": format(answer.epoch, "08x"),
    } | more
    if answer.word not in _REFUSED:
        return Response(orjson.dumps(said), 200, media_type="application/json")
    status, detail = _REFUSED[answer.word]
    if answer.word == "finished":
        said["next_id"] = next_id(execution_id)
    return problem(status, answer.word, detail, **said)


def next_id(execution_id: str) -> str:
    """Name the execution that follows one that is over: `<id>.2`, then `.3` …"""
    match = _NUMBERED.fullmatch(execution_id)
    if match and int(match[2]) > 1:
        return f"{match[1]}.{int(match[2]) + 1}"
    return f"{execution_id}.2"
