"""Say how safe a record must be before its publisher is told that it is stored. Pure: no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Where = Literal["memory", "disk", "replicas"]

_WORDS: Final = re.compile(r"memory|disk|replicas:([1-9][0-9]?)")
SAFE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Acks:
    """What an acknowledgement waits for, and for how long at most.

    `memory`: the primary has it. `disk`: it is in the primary's append-only file, synchronised.
    `replicas`: so many replicas have it in their memory.
    """

    where: Where = "memory"
    replicas: int = 0
    seconds: float = SAFE_SECONDS

    @classmethod
    def read(cls, text: str, seconds: float = SAFE_SECONDS) -> Acks:
        """Read `memory`, `disk` or `replicas:N`; raise ValueError for anything else."""
        match = _WORDS.fullmatch(text)
        if match is None:
            raise ValueError(f"acks is {text!r}, expected memory, disk or replicas:N, N up to 99")
        if match[1]:
            return cls("replicas", int(match[1]), seconds)
        return cls("disk" if text == "disk" else "memory", 0, seconds)

    def __str__(self) -> str:
        return f"replicas:{self.replicas}" if self.where == "replicas" else self.where

    @property
    def command(self) -> tuple[str | int, ...]:
        """The command that waits; none for `memory`."""
        ms = int(self.seconds * 1000)
        match self.where:
            case "disk":
                return "WAITAOF", 1, 0, ms
            case "replicas":
                return "WAIT", self.replicas, ms
        return ()

    def missing(self, reply: object) -> str:
        """Read what the command answered: '' if it is safe, else what there is instead."""
        if self.where == "replicas" and isinstance(reply, int):
            return "" if reply >= self.replicas else f"{reply} of {self.replicas} replicas have it"
        if self.where == "disk" and isinstance(reply, list):
            return "" if int(reply[0]) >= 1 else "it is not on the primary's disk"
        return f"the engine answered {reply!r} to {self.command[0]}"


MEMORY: Final = Acks()
