"""What the doctor says, a line each. Pure: no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from runtail_broker.engines.engine_health import Level


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the doctor's: where, what was found, and what to change and why."""

    level: Level
    place: str
    text: str
    advice: str = ""
