"""Decide how a block ended, and tell an exception in bounded text. Pure: no I/O."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

CANCELLATIONS: Final = (KeyboardInterrupt, GeneratorExit, asyncio.CancelledError)
_TOLD: Final = "__runtail_told__"
_MAX_REASON: Final = 1000  # characters; the state of the execution holds it too
_MOST_READ: Final = 100_000  # characters of an exception's own text

Ended = Literal["completed", "failed", "cancelled"]
Mask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Told:
    """Where an exception's traceback was published: the execution, and the step in it."""

    execution_id: str
    step_id: str
    step_name: str


def ended_by(error: BaseException | None) -> Ended:
    """Say how a block ended that *error*, if any, left; `sys.exit(0)` completes it."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "completed"
    return "cancelled" if isinstance(error, CANCELLATIONS) else "failed"


def reason_of(error: BaseException, mask: Mask = str) -> str:
    """Tell *error* in a line or two; never raises, whatever its own code does."""
    try:
        # masked before it is cut: half a secret is not known as one
        return mask(f"{type(error).__name__}: {error}"[:_MOST_READ])[:_MAX_REASON]
    except Exception as worse:  # noqa: BLE001 - an exception's own __str__ may raise anything
        return f"{type(error).__name__} (its text raised {type(worse).__name__})"


def traceback_of(error: BaseException, max_chars: int, mask: Mask = str) -> str:
    """Tell *error* with its traceback and its causes, the middle left out above *max_chars*."""
    try:
        text = mask("".join(traceback.format_exception(error)))
    except Exception:  # noqa: BLE001 - as above; the reason says what was raised
        return reason_of(error, mask)
    if len(text) <= max_chars:
        return text
    # the end says most: the last exception, and where it was raised
    head = max_chars // 3
    gone = len(text) - max_chars
    return f"{text[:head]}\n… [{gone} characters cut] …\n{text[len(text) - max_chars + head :]}"


def mark_told(error: BaseException, told: Told) -> None:
    """Remember on *error* itself, so that nothing keeps it alive, where it was told."""
    with contextlib.suppress(Exception):  # a class may refuse: then it is told twice, no harm
        setattr(error, _TOLD, (told.execution_id, told.step_id, told.step_name))


def told_of(error: BaseException, execution_id: str) -> Told | None:
    """Where *execution_id* has the traceback of *error* already; None if nowhere."""
    try:
        told = Told(*error.__dict__[_TOLD])
    except Exception:  # noqa: BLE001 - not marked, or by something else
        return None
    return told if told.execution_id == execution_id else None
