"""Show what an execution's state hash says, as operators and viewers read it. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import orjson

from runtail_broker.proof import require_known
from runtail_broker.records.outline import LastError
from runtail_broker.records.record import TERMINAL


@dataclass(frozen=True, slots=True)
class Workers:
    """How many publishers have the execution open, and how many of them are marked lost."""

    open: int
    silent: int = 0


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """One execution as `GET /executions/{id}` shows it; times are RFC 3339 in UTC."""

    id: str
    workflow_id: str | None
    status: str
    reason: str | None
    created_at: str | None
    started_at: str | None
    ended_at: str | None
    progress: float | None
    epoch: str
    first_seq: int
    last_seq: int
    levels: dict[str, int]
    dropped: int
    records_kept: int
    bytes_kept: int
    archived_seq: int
    cancel_requested: bool
    ended: bool
    workers: Workers
    last_error: LastError | None = None
    notes: int = 0
    cancellable: bool = False

    def json(self) -> dict[str, object]:
        """Make the JSON object of it."""
        return asdict(self)

    @classmethod
    def read(cls, execution_id: str, stored: Mapping[bytes, bytes]) -> ExecutionState | None:
        """Read what HGETALL answers; None when the execution does not exist.

        Raises NewerFormat for what a newer runtail wrote.
        """
        if b"epoch" not in stored:
            return None
        require_known(stored.get(b"format"))
        return cls(
            id=execution_id,
            workflow_id=_text(stored, b"workflow"),
            status=_text(stored, b"status") or "running",
            reason=_text(stored, b"reason"),
            created_at=_time(stored, b"created"),
            started_at=_time(stored, b"started"),
            ended_at=_time(stored, b"ended_at"),
            progress=orjson.loads(stored.get(b"progress", b"null")),
            epoch=format(int(stored[b"epoch"]), "08x"),
            first_seq=_number(stored, b"first"),
            last_seq=_number(stored, b"seq"),
            levels={
                level: _number(stored, level.encode())
                for level in ("debug", "info", "warning", "error")
            },
            dropped=_number(stored, b"dropped"),
            records_kept=_number(stored, b"records"),
            bytes_kept=_number(stored, b"bytes"),
            archived_seq=_number(stored, b"archived"),
            cancel_requested=stored.get(b"cancel") == b"1",
            ended=bool(stored.get(b"end")),
            workers=Workers(_number(stored, b"open"), _number(stored, b"lost")),
            last_error=LastError.read(stored.get(b"last_error", b"")),
            notes=_number(stored, b"notes"),
            cancellable=_number(stored, b"listening") > 0
            and stored.get(b"status", b"").decode() not in TERMINAL,
        )


def _text(stored: Mapping[bytes, bytes], name: bytes) -> str | None:
    return stored.get(name, b"").decode() or None


def _number(stored: Mapping[bytes, bytes], name: bytes) -> int:
    return int(stored.get(name, b"0"))


def _time(stored: Mapping[bytes, bytes], name: bytes) -> str | None:
    ms = _number(stored, name)
    return rfc3339(ms) if ms else None


def rfc3339(ms: int) -> str:
    """Spell a time in ms since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
