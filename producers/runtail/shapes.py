"""Lay out the fields of progress, metric and link records. Pure: no I/O."""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import Final


class Ungiven(Enum):
    """What stands for an argument that was left out, where None means something."""

    UNGIVEN = "left out"


_URL: Final = re.compile(
    r"(?:https?://[^\s\x00-\x1f\x7f<>\"/?#][^\s\x00-\x1f\x7f<>\"]*|mailto:[^\s\x00-\x1f\x7f<>\"]+)",
    re.IGNORECASE,
)


def progress_fields(
    done: float | None, total: float | Ungiven | None = Ungiven.UNGIVEN
) -> dict[str, float | None]:
    """Make `progress` (percent; None: nobody knows), and `done` and `total` if those were given.

    Raises what float() does for values that are no numbers.
    """
    if total is Ungiven.UNGIVEN:
        return {"progress": _finite(done)}
    part, whole = _finite(done), _finite(total)
    percent = None
    if part is not None and whole is not None and whole > 0:
        percent = round(min(max(100 * part / whole, 0.0), 100.0), 2)
    return {"progress": percent, "done": part, "total": whole}


def metric_fields(name: str, value: object, unit: str | None) -> dict[str, object]:
    """Make `name`, `value` and `unit`; a value that is no number stays as text with a note."""
    fields: dict[str, object] = {"name": name}
    number = _number(value)
    if number is None:
        fields |= {"text": str(value), "note": "the value is not a finite number"}
    else:
        fields["value"] = number
    return fields if unit is None else fields | {"unit": unit}


def link_fields(name: str, url: object) -> dict[str, object]:
    """Make `name` and `url`; what is no http, https or mailto URL stays as text with a note."""
    text = str(url)
    if _URL.fullmatch(text):
        return {"name": name, "url": text}
    return {"name": name, "text": text, "note": "not shown as a link: no http, https or mailto URL"}


def _finite(value: float | None) -> float | None:
    if value is None or isinstance(value, int):
        return value
    number = float(value)
    return number if math.isfinite(number) else None


def _number(value: object) -> float | None:
    """Take a number of any library as one of Python's; None for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -(2**63) <= value < 2**64 else None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and not isinstance(value, str | bytes) else None
