"""Know what an exported file holds: how far it goes, and whether anything is missing.

Pure but for the file that is read. Each line of it is a record, or a notice of what is gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

MOST_HOLES: Final = 20
_MOST_LINE_BYTES: Final = 16 * 1024 * 1024


class NotAnExport(ValueError):
    """A file that holds something else than lines of an export; *line* is where that begins."""

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        super().__init__(f"line {line} is {why}")


@dataclass(slots=True)
class Exported:
    """The records taken so far: *last_id* to go on after, *status* once the end is there."""

    execution_id: str | None = None
    last_id: str | None = None
    last_seq: int = 0
    records: int = 0
    status: str | None = None
    size: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)

    def take(self, line: bytes, number: int) -> None:
        """Take one whole line; raise NotAnExport for what is none."""
        try:
            told: dict[str, Any] = json.loads(line)
            if told.get("kind") not in ("gap", "reset") or "seq" in told:
                self._record(int(told["seq"]), str(told["id"]), told)
            # else the hole in the numbers says it
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise NotAnExport(number, "no record of an execution") from error
        self.size += len(line)

    def _record(self, seq: int, record_id: str, told: dict[str, Any]) -> None:
        if self.execution_id is None:
            self.execution_id = told.get("execution_id")
        if seq != self.last_seq + 1 and len(self.holes) < MOST_HOLES:
            self.holes.append((self.last_seq + 1, seq - 1))
        self.last_seq, self.last_id, self.records = seq, record_id, self.records + 1
        # what comes late, after an end, is followed by another one
        self.status = str(told.get("status")) if told.get("kind") == "end" else None

    def summary(self) -> str:
        """Say how complete it is."""
        count = f"{self.records} lines"
        if self.holes:
            holes = ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in self.holes)
            more = " and more" if len(self.holes) == MOST_HOLES else ""
            missing = f"lines {holes}{more} are missing: they are not kept any more"
        else:
            missing = "complete" if self.status else "nothing is missing so far"
        return f"{self.status or 'not ended'}: {count}, {missing}"


def read_export(file: BinaryIO) -> Exported:
    """Read a file to its last whole line; raise NotAnExport for another kind of file."""
    exported = Exported()
    for number, line in enumerate(_whole_lines(file), 1):
        exported.take(line, number)
    return exported


def _whole_lines(file: BinaryIO) -> Iterable[bytes]:
    while line := file.readline(_MOST_LINE_BYTES):
        if not line.endswith(b"\n"):
            return  # a line that was cut
        yield line
