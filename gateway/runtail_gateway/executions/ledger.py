"""Keep the tallies of the newest executions at hand: figures read only what may have changed.

A cache and nothing else: whatever is in it can be read again, so any gateway tells the same.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from runtail_broker.connections.client import Nodes
from runtail_broker.connections.shared_link import Command
from runtail_broker.executions import Executions, Listed
from runtail_broker.keys import ExecutionKeys
from runtail_broker.records.outline import StepEnds
from runtail_broker.tally import FIELDS, Tally
from runtail_gateway.settings import GatewaySettings

T = TypeVar("T")
log = logging.getLogger("runtail.gateway")


@dataclass(frozen=True, slots=True)
class Looked:
    """The *tallies* of all executions that were created at *since_ms* or later, newest first."""

    tallies: list[Tally]
    since_ms: int


@dataclass(frozen=True, slots=True)
class _Known:
    """A tally that is settled, of the execution *created* then; believed until a moment."""

    created: int
    tally: Tally
    until: float


class Ledger:
    """Tallies and steps of the newest executions. Raises what `Nodes` raises."""

    def __init__(self, nodes: Nodes, settings: GatewaySettings) -> None:
        self._executions, self._settings = Executions(nodes), settings
        self._turn = asyncio.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._steps: OrderedDict[str, tuple[float, dict[bytes, bytes]]] = OrderedDict()
        self._last: tuple[float, int, Looked] | None = None  # when, since when it was asked for

    async def look(self, since_ms: int) -> Looked:
        """Look at those created at *since_ms* or later; at the newest if there are too many.

        Who asks at the same time, or soon after, shares one look.
        """
        async with self._turn:
            if self._last is not None:
                at, asked_ms, looked = self._last
                if asked_ms <= since_ms and time.monotonic() - at < self._settings.figures_seconds:
                    return looked
            looked = await self._look(since_ms)
            self._last = time.monotonic(), since_ms, looked
            return looked

    async def steps(self, tallies: Sequence[Tally]) -> list[tuple[Tally, list[StepEnds]]]:
        """Read how the steps of executions that ended went."""
        now = time.monotonic()
        unknown = [t.id for t in tallies if self._steps.get(t.id, (0.0, {}))[0] <= now]
        found = await self._executions.read_all(unknown, _read_steps)
        settled = {tally.id for tally in tallies if tally.settled}
        for name, stored in found.items():
            self._steps[name] = (self._until(now) if name in settled else now, stored)
            self._steps.move_to_end(name)
        told = [(tally, _ends(tally.id, self._steps.get(tally.id))) for tally in tallies]
        while len(self._steps) > self._settings.figures_steps_looked:
            self._steps.popitem(last=False)
        return told

    async def _look(self, since_ms: int) -> Looked:
        listed, whole = await self._executions.since(since_ms, self._settings.figures_looked)
        now = time.monotonic()
        unknown = [name for created, name in listed if not self._believes(name, created, now)]
        read = await self._executions.read_all(unknown, _read_tally)
        fresh = {name: tally for name, values in read.items() if (tally := _tally(name, values))}
        tallies = [
            tally
            for created, name in listed
            if (tally := fresh.get(name) or self._at_hand(name, created)) is not None
        ]
        self._remember(listed, fresh, now)
        return Looked(tallies, whole)

    def _believes(self, name: str, created: int, now: float) -> bool:
        known = self._known.get(name)
        return known is not None and known.created == created and known.until > now

    def _at_hand(self, name: str, created: int) -> Tally | None:
        known = self._known.get(name)
        return known.tally if known is not None and known.created == created else None

    def _remember(self, listed: Sequence[Listed], fresh: dict[str, Tally], now: float) -> None:
        for created, name in reversed(listed):
            tally = fresh.get(name)
            if tally is not None and tally.settled:
                self._known[name] = _Known(created, tally, self._until(now))
                self._known.move_to_end(name)
        while len(self._known) > self._settings.figures_looked:
            self._known.popitem(last=False)

    def _until(self, now: float) -> float:
        """Let what was read together not run out together."""
        return now + self._settings.figures_remembered_seconds * random.uniform(0.5, 1.0)


def _read_tally(name: str) -> Command:
    return ("HMGET", ExecutionKeys.of(name).state, *FIELDS)


def _read_steps(name: str) -> Command:
    return ("HGETALL", ExecutionKeys.of(name).steps)


def _tally(name: str, values: Sequence[bytes | None]) -> Tally | None:
    return _readable(name, lambda: Tally.read(name, values))


def _ends(name: str, known: tuple[float, dict[bytes, bytes]] | None) -> list[StepEnds]:
    stored = {} if known is None else known[1]
    return _readable(name, lambda: [StepEnds.read(*pair) for pair in stored.items()]) or []


def _readable(name: str, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ValueError as error:
        log.warning("what the engine holds of %s cannot be read: %s", name, error)
        return None
