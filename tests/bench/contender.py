"""What is compared: a way to carry records from workers to viewers, set up as its own guide says.

A contender is a module of `tests.bench.contenders` with one object `CONTENDER`. It starts its
servers, names the dialect in which viewers speak to them, and publishes through a feeder of its
own. Everything else (pace, load, counting, checking) is the same code for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from tests.bench.processes import Child

NAMES = ("runtail", "writer", "writer50", "naive", "socketio", "channels", "nats")
OURS, FLOOR, FLOOR50 = NAMES[:3]
FLOORS = NAMES[1:3]
PEERS = NAMES[3:]
Make = Callable[[str, int], bytes]  # the record of an execution that has a seq


@dataclass(frozen=True, slots=True)
class Engine:
    """The Redis or Valkey that a contender may use: empty when it begins."""

    url: str
    pid: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Served:
    """The servers of a contender, which listen."""

    dialect: str
    """In which viewers speak to it (see `dialects`)."""
    ports: tuple[int, ...]
    """Where viewers connect; one port for each gateway."""
    servers: tuple[Child, ...]
    """The processes between the engine and the viewers, in the order of the ports."""
    feed: Mapping[str, Any] = field(default_factory=dict)
    """What its feeder needs to find them."""
    store: Child | None = None
    """A server that keeps the records, where that is not the engine."""


class Contender(Protocol):
    """One way; see the module."""

    name: str
    about: str
    """What it is and how it is set up, in one line of the report."""
    share: float
    """The part of a burst that it is given: less for who would take minutes."""
    leaves_out: Mapping[str, str]
    """Workload → why it has no part in it."""
    remarks: Mapping[str, str]
    """Workload → what must be known to read its figures fairly."""

    def version(self) -> str:
        """Say which programs and packages it consists of; for one that is not missing."""

    def missing(self) -> str:
        """Say what is not installed here; empty if it can run."""

    def serving(
        self, engine: Engine, *, gateways: int = 1, history: int = 0
    ) -> AbstractContextManager[Served]:
        """Run it; *history* records are stored before, if it has to be told when it starts."""


class Feeder(Protocol):
    """Publish to a contender's servers, in a process of its own."""

    async def open(self, executions: Sequence[str]) -> None:
        """Make the executions ready to be written to."""

    async def publish(self, batches: Sequence[tuple[int, int, int]]) -> None:
        """Publish records (execution, first seq, count) and wait for what acknowledges them."""

    async def close(self) -> None:
        """Let go of everything."""


def contender(name: str) -> Contender:
    """Find a contender by its name."""
    found: Contender = import_module(f"tests.bench.contenders.{name}").CONTENDER
    return found


def feeder(name: str, feed: Mapping[str, Any], **made_by: Make) -> Feeder:
    """Make the feeder of a contender that runs; a peer's takes its records from `make` if given."""
    made: Feeder = import_module(f"tests.bench.contenders.{name}").Feeder(**feed, **made_by)
    return made
