"""Choose among records by level, step and text. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from runtail_broker.records.record import LEVELS
from runtail_gateway.protocol.problem import BadRequest

MAX_STEPS: Final = 20
MAX_TEXT: Final = 200  # characters
# where a reader looks for a word; an execution's id is in every record
_SEARCHED: Final = ("message", "error_message", "reason", "name", "input_data", "output_data")


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What a reader wants to see; a record must satisfy all that is set.

    *levels*: logs of these levels (records of other kinds have none). *steps*: records of these
    steps. *text*: it occurs, taken literally, upper and lower case alike, in the message, the
    error, a reason, a name or the data.
    """

    levels: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    text: str = ""

    @classmethod
    def parse(cls, levels: Iterable[str], steps: Iterable[str], text: str) -> LogFilter:
        """Read parameters; raise BadRequest with the value that is none."""
        chosen = frozenset(part for each in levels for part in each.split(",") if part)
        for level in chosen - set(LEVELS):
            raise BadRequest(f"level is {level[:40]!r}, expected one of {', '.join(LEVELS)}")
        named = frozenset(steps)
        if len(named) > MAX_STEPS:
            raise BadRequest(f"{len(named)} steps are named, expected at most {MAX_STEPS}")
        if len(text) > MAX_TEXT:
            raise BadRequest(f"q has {len(text)} characters, expected at most {MAX_TEXT}")
        return cls(chosen, named, text.casefold())

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.levels or self.steps or self.text)

    def keeps(self, line: bytes) -> bool:
        """Whether the record whose JSON is *line* is wanted."""
        record: dict[str, Any] = orjson.loads(line)
        if self.levels and ("kind" in record or not _is_of(record.get("level"), self.levels)):
            return False
        if self.steps and not _is_of(record.get("step_name"), self.steps):
            return False
        return not self.text or self._is_in(record, line)

    def _is_in(self, record: Mapping[str, Any], line: bytes) -> bool:
        try:
            return any(self.text in _text(record.get(name)) for name in _SEARCHED)
        except TypeError:  # nested deeper than orjson writes: look at all of it
            return self.text in line.decode(errors="replace").casefold()


def _is_of(value: object, chosen: frozenset[str]) -> bool:
    return isinstance(value, str) and value in chosen  # a list could not be looked up


def _text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text.casefold()
