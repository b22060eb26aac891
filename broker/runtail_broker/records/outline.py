"""Outline a batch: what the engine keeps of its records so that nobody must read them for it.

That is its last error, and how often which steps ended and how long they took. Made once, when the
batch is sealed, by the worker or by the gateway that reads it; the scripts cannot read frames.
Pure: no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

Outline = tuple[str, ...]
"""What publish.lua takes behind the frame: the last error, then name and ends of each step."""

MESSAGE_CHARS: Final = 200
STEPS_AT_MOST: Final = 64  # names in one batch
DURATIONS_AT_MOST: Final = 16  # of one step, in a batch as in an execution; see publish.lua
_NAME_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class LastError:
    """The last log of level error: its first line, and when the worker made it."""

    seq: int
    step_name: str | None
    message: str
    at: str | None

    @classmethod
    def read(cls, stored: bytes) -> LastError | None:
        """Read what publish.lua stores; None for nothing."""
        seq, _, json = stored.partition(b" ")
        return cls(int(seq), **orjson.loads(json)) if json else None


@dataclass(frozen=True, slots=True)
class StepEnds:
    """How often a step ended, completed or failed, and how long it took (ms), the last ones."""

    name: str
    runs: int
    failed: int
    durations: tuple[float, ...]

    @classmethod
    def read(cls, name: bytes, stored: bytes) -> StepEnds:
        """Read a field of the steps' hash."""
        runs, failed, *durations = stored.decode().split()
        return cls(name.decode(), int(runs), int(failed), tuple(map(float, durations)))


def outline(json: Sequence[bytes], *, errors: int, others: Iterable[int]) -> Outline:
    """Outline a batch of these records, of which *errors* are logs of level error.

    *others* are the places of those that are no logs.
    """
    error = _last_error(json) if errors else ""
    steps = _step_ends(_read(json[place]) for place in others if _is_step(json[place]))
    return (error, *steps) if error or steps else ()


def _read(json: bytes) -> Mapping[str, Any]:
    """Read a record; what cannot be read (nested too deep, say) is not outlined."""
    try:
        record = orjson.loads(json)
    except orjson.JSONDecodeError:
        return {}
    return record if isinstance(record, dict) else {}


def _is_step(json: bytes) -> bool:
    return b'"kind":"step"' in json


def _last_error(json: Sequence[bytes]) -> str:
    """Write where in the batch it is, counted from 0, and what the state says of it."""
    for place in range(len(json) - 1, -1, -1):
        if b"error" not in json[place]:
            continue
        record = _read(json[place])
        if record.get("level") == "error" and record.get("kind", "log") == "log":
            return f"{place} {orjson.dumps(_shortened(record)).decode()}"
    return ""


def _shortened(record: Mapping[str, Any]) -> dict[str, str | None]:
    said = _text(record.get("message")) or _text(record.get("error_message")) or ""
    return {
        "step_name": (_text(record.get("step_name")) or "")[:_NAME_CHARS] or None,
        "message": said.strip().partition("\n")[0][:MESSAGE_CHARS],
        "at": _text(record.get("timestamp")),
    }


def _step_ends(records: Iterable[Mapping[str, Any]]) -> list[str]:
    ends: dict[str, tuple[list[int], list[str]]] = {}
    for record in records:
        name, status = _text(record.get("step_name")), record.get("status")
        if record.get("kind") != "step" or not name or status not in ("completed", "failed"):
            continue
        name = name[:_NAME_CHARS]
        if name not in ends and len(ends) == STEPS_AT_MOST:
            continue
        counts, durations = ends.setdefault(name, ([0, 0], []))
        counts[0] += 1
        counts[1] += status == "failed"
        took = record.get("duration_ms")
        if isinstance(took, int | float) and 0 <= took < 1e12:
            durations.append(format(took, ".6g"))
    return [
        text
        for name, (counts, durations) in ends.items()
        for text in (name, " ".join(map(str, [*counts, *durations[-DURATIONS_AT_MOST:]])))
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
