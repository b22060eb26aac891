"""Show what JSON cannot hold: a readable stand-in, bounded in size, depth and number of items.

Nothing here raises, whatever the value's own code does, nor calls what has no end: a generator is
named, not run. Pure: no I/O.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeVar
from uuid import UUID

MAX_DEPTH: Final = 32
"""Containers inside each other; what is deeper becomes `…`."""
MAX_ITEMS: Final = 10_000
"""Values shown of one value that orjson cannot write as it is, all levels together."""
MAX_ARRAY_ITEMS: Final = 100
"""Numbers shown of a larger array (numpy, `array`), beside its type and shape."""
MAX_TEXT: Final = 1000
"""Characters of the text that stands for one object, or for bytes."""

_T = TypeVar("_T")
_MOST_READ: Final = 100_000  # characters of an object's text that are masked before it is cut


def stand_in(value: object, mask: Callable[[str], str] | None = None) -> Any:
    """Show *value* as what orjson knows; *mask* a text before it is cut in two."""
    return Plain(mask).of(value)


def holds_nan(value: Any, depth: int = 0) -> bool:
    """Whether *value* may hold NaN or infinity, which orjson writes as null without a word."""
    kind = type(value)  # isinstance would run the value's own code
    if issubclass(kind, float):
        return not math.isfinite(value)
    if depth >= MAX_DEPTH:
        return True
    if issubclass(kind, dict):
        return any(holds_nan(item, depth + 1) for item in value.values())
    if issubclass(kind, list | tuple):
        return any(holds_nan(item, depth + 1) for item in value)
    return False


class Plain:
    """Rebuilds one value from what JSON can hold."""

    __slots__ = ("_inside", "_left", "_mask")

    def __init__(self, mask: Callable[[str], str] | None = None) -> None:
        self._mask = mask
        self._left = MAX_ITEMS
        self._inside: set[int] = set()  # containers that the current value is part of

    def of(self, value: object) -> Any:
        """Return None, a bool, number, str, or a list or dict of these."""
        try:
            return self._of(value)
        except Exception as error:  # noqa: BLE001 - somebody's value may raise anything
            return f"<{type(value).__name__}: its code raised {type(error).__name__}>"

    def _of(self, value: object) -> Any:
        if isinstance(value, Enum):
            value = value.value
        match value:
            case None | bool():
                return value
            case str():
                return _whole(value)
            case int():
                return int(value) if -(2**63) <= value < 2**64 else _big(value)
            case float():
                return float(value) if math.isfinite(value) else str(float(value))
        text = _text_of(value)
        return self._parts_of(value) if text is None else self._short(text)

    def _short(self, text: str) -> str:
        text = _whole(text[:_MOST_READ])
        if self._mask is not None:
            text = self._mask(text)
        return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"

    def _parts_of(self, value: object) -> Any:
        if id(value) in self._inside:
            return f"<{type(value).__name__}: itself again>"
        if len(self._inside) >= MAX_DEPTH:
            return "…"
        self._inside.add(id(value))
        try:
            return self._container(value)
        finally:
            self._inside.discard(id(value))

    def _container(self, value: object) -> Any:
        if isinstance(value, Mapping):
            return self._fields(value.items(), len(value))
        if isinstance(value, set | frozenset):
            return self._items(_sorted(value), len(value))
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return self._fields(zip(value._fields, value, strict=False), len(value))
        if isinstance(value, list | tuple | deque):
            return self._items(value, len(value))
        if isinstance(value, type):
            return self._short(_object(value))
        if is_dataclass(value):
            pairs = [(f.name, getattr(value, f.name, "<not set>")) for f in fields(value)]
            return self._fields(pairs, len(pairs))
        if callable(dump := getattr(type(value), "model_dump", None)):
            return self.of(dump(value))
        if callable(getattr(type(value), "tolist", None)):
            return self._array(value)
        return self._short(_object(value))

    def _fields(self, pairs: Iterable[tuple[object, object]], length: int) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for name, value in self._bounded(pairs):
            text = _free(str(self.of(name)), shown)
            shown[text] = self.of(value)
        if len(shown) < length:
            shown[_free("…", shown)] = f"{length - len(shown)} more"
        return shown

    def _items(self, values: Iterable[object], length: int) -> list[Any]:
        shown = [self.of(value) for value in self._bounded(values)]
        return shown if len(shown) == length else [*shown, f"… {length - len(shown)} more"]

    def _array(self, value: Any) -> Any:
        size = getattr(value, "size", None)
        size = size if isinstance(size, int) else len(value)
        if size <= MAX_ARRAY_ITEMS:
            return self.of(value.tolist())
        kind = getattr(value, "dtype", getattr(value, "typecode", "?"))
        shape = getattr(value, "shape", (size,))
        first = getattr(value, "flat", value)[:MAX_ARRAY_ITEMS]
        note = f"<{type(value).__name__} of {kind}, shape {tuple(shape)}>"
        return {"array": self._short(note), "first": self.of(first.tolist())}

    def _bounded(self, values: Iterable[_T]) -> Iterator[_T]:
        for value in values:
            if self._left <= 0:
                return
            self._left -= 1
            yield value


def _text_of(value: object) -> str | None:
    """Write in full what reads best as a text."""
    match value:
        case datetime():
            return _time(value)
        case date() | clock_time():
            return value.isoformat()
        case timedelta() | UUID() | Decimal():
            return str(value)
        case os.PathLike():
            return os.fsdecode(os.fspath(value))
        case bytes() | bytearray() | memoryview():
            return bytes(value[:_MOST_READ]).decode(errors="backslashreplace")
        case BaseException():
            return f"{type(value).__name__}: {value}"
    return None


def _whole(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _time(value: datetime) -> str:
    try:
        zoned = value if value.tzinfo is None else value.astimezone(UTC)
        return zoned.isoformat().replace("+00:00", "Z")
    except Exception as error:  # noqa: BLE001 - somebody's tzinfo may raise anything
        return f"<{type(value).__name__}: its zone raised {type(error).__name__}>"


def _big(value: int) -> str:
    return str(value) if value.bit_length() < 4096 else f"<int of {value.bit_length()} bits>"


def _sorted(values: set[Any] | frozenset[Any]) -> Iterable[object]:
    if len(values) > MAX_ITEMS:
        return values
    try:
        return sorted(values)
    except Exception:  # noqa: BLE001 - most mixtures cannot be compared
        return sorted(values, key=lambda value: (type(value).__name__, _object(value)))


def _object(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - somebody's __repr__ may raise anything
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"


def _free(name: str, taken: Mapping[str, object]) -> str:
    while name in taken:
        name += "_"
    return name
