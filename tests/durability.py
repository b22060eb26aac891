"""See what each fault takes of what was acknowledged, and write the table in broker/README.md.

    python -m tests.durability

Each row is seen on a primary, two replicas and three Sentinels of their own. One worker has gone
when the fault comes; another one is still there, and sends again what it holds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.broker.executions import batch_of
from tests.engine_sets import SentinelSet, sentinel_set
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.gateway.watcher import Watcher
from tests.gateway.worker import Worker
from tests.polling import soon, until

from runtail import Publisher, PublisherSettings
from runtail_broker.acks import Acks
from runtail_broker.connections.client import Nodes
from runtail_broker.errors import NotSafe
from runtail_broker.script import Limits, open_call, publish_call

README: Final = Path(__file__).parents[1] / "broker" / "README.md"
BEGIN, END = "<!-- by python -m tests.durability -->\n", "<!-- end -->"
ACKS: Final = ("memory", "disk", "replicas:1")
LINES = 20  # of each worker before the fault, and as many just before it
SETTINGS = replace(QUICK, sweep_seconds=0.2, settle_seconds=2.0)


def _kill(found: SentinelSet) -> None:
    found.servers[0].kill()


def _kill_and_start(found: SentinelSet) -> None:
    found.servers[0].kill()
    found.servers[0].restart()


def _kill_and_empty(found: SentinelSet) -> None:
    found.servers[0].kill()
    found.servers[0].restart(empty=True)


def _fail_over(found: SentinelSet) -> None:
    found.fail_over()
    until(lambda: found.primary() is not found.servers[0], "another one is primary", 20)


def _kill_and_start_replicas(found: SentinelSet) -> None:
    found.servers[0].kill()
    for server in found.servers[1:]:
        server.restart()


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, and whether the replicas are away while the last lines are published.

    (Killed, not frozen: what was sent to a frozen one waits for it in its socket.)
    """

    text: str
    happen: Callable[[SentinelSet], None]
    lagging: bool = False


FAULTS: Final = (
    Fault("failover by command", _fail_over),
    Fault("the primary is killed, a replica takes its place", _kill),
    Fault(
        "the same, by one that lags behind, without `min-replicas-to-write`",
        _kill_and_start_replicas,
        lagging=True,
    ),
    Fault("the primary is killed and starts again with its file", _kill_and_start),
    Fault("the primary is killed and starts again at once, without its file", _kill_and_empty),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What was lost of acknowledged records, of a worker that has gone and of one that is there."""

    fault: str
    acks: str
    gone: str
    there: str
    told: str
    live_seconds: float

    @property
    def cells(self) -> tuple[str, ...]:
        """What is the same each time; how long it takes is not."""
        return self.fault, self.acks, self.gone, self.there, self.told

    @property
    def text(self) -> str:
        return f"| {' | '.join(self.cells)} | {self.live_seconds:.1f} s |"


async def see(fault: Fault, acks: str) -> Row:
    """See one fault under one durability."""
    settings = ["min-replicas-to-write 0"] if fault.lagging else []
    with sentinel_set("valkey", settings=settings) as found:
        async with running(SETTINGS, found.url) as gateway:
            return await _see(fault, acks, found, gateway)


async def _see(fault: Fault, acks: str, found: SentinelSet, gateway: Running) -> Row:
    url = found.url_as("runtail-worker")
    settings = PublisherSettings(acks=acks, acks_seconds=0.5, retry_max_seconds=0.5)
    left = Left(url, Acks.read(acks, 0.5))
    async with (
        gateway.watch("gone", "wait=true") as of_gone,
        gateway.watch("there", "wait=true") as of_there,
    ):
        with Publisher(url, settings=settings) as publisher:
            run = publisher.execution("there")
            await left.publish(0)
            _log(run, 0)
            assert await asyncio.to_thread(publisher.flush, 5)
            await of_gone.until(lambda: len(of_gone.texts) == LINES, "it has the first lines")
            for server in found.servers[1:] if fault.lagging else ():
                server.kill()
            await left.publish(LINES)
            _log(run, LINES)
            await asyncio.to_thread(publisher.flush, 0.6)
            acknowledged = publisher.counters.stored
            await left.nodes.close()
            begun = time.monotonic()
            await asyncio.to_thread(fault.happen, found)
            run.info("again")
            await of_there.until(lambda: "again" in of_there.texts, "it is live again", 40)
            live_seconds = time.monotonic() - begun
            assert await asyncio.to_thread(publisher.flush, 20)
            kept = await _kept(found, "gone"), await _kept(found, "there")
            await _settled(of_gone, kept[0])
    there = [n for n in range(acknowledged) if n not in kept[1]]
    return Row(
        fault.text,
        f"`{acks}`",
        f"{len([n for n in left.acknowledged if n not in kept[0]])} of {len(left.acknowledged)}",
        f"{len(there)} of {acknowledged}",
        _told(of_gone),
        live_seconds,
    )


class Left:
    """A worker that keeps nothing of what was acknowledged, as one that has gone."""

    def __init__(self, url: str, acks: Acks) -> None:
        self.nodes, self._acks = Nodes.connect(url), acks
        self.acknowledged: list[int] = []

    async def publish(self, first: int) -> None:
        """Publish the lines from *first* on as one batch."""
        if not first:
            await self.nodes.run(open_call("gone", "p", "owner", "", Limits()))
        lines = range(first, first + LINES)
        batch = batch_of("gone", first // LINES + 1, [f"line {n}" for n in lines], before=first)
        try:
            await self.nodes.run(publish_call("gone", "p", batch), acks=self._acks)
        except NotSafe:
            return
        self.acknowledged += lines


def _log(run: object, first: int) -> None:
    for number in range(first, first + LINES):
        run.info(f"line {number}")  # type: ignore[attr-defined]


async def _kept(found: SentinelSet, name: str) -> set[int]:
    nodes = Nodes.connect(found.url)
    try:
        stored = await Worker(nodes, name).stored()
    finally:
        await nodes.close()
    texts = (str(record.get("message", "")) for record in stored)
    return {int(text.removeprefix("line ")) for text in texts if text.startswith("line ")}


async def _settled(watcher: Watcher, kept: set[int]) -> None:
    """Wait until the viewer has what is kept, and no more."""

    def has_it() -> bool:
        return {int(text.removeprefix("line ")) for text in watcher.texts} == kept or bool(
            watcher.close_code
        )

    await soon(has_it, f"the viewer has {len(kept)} lines", 30)


def _told(watcher: Watcher) -> str:
    told = [name for name in ("reset", "gap") if watcher.of(name)]
    told += [f"close {watcher.close_code}"] if watcher.close_code else []
    return ", ".join(f"`{name}`" for name in told) or "nothing: nothing is missing"


async def _table() -> str:
    head = (
        "| fault | `acks` | lost, the worker has gone | lost, it is still there "
        "| viewers of the first are told | live again after |"
    )
    rows = [(await see(fault, acks)).text for fault in FAULTS for acks in ACKS]
    return "\n".join([head, "|" + " --- |" * 6, *rows]) + "\n"


def documented() -> list[tuple[str, ...]]:
    """Read the rows of the table in the README, without how long it took."""
    table = README.read_text().partition(BEGIN)[2].partition(END)[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return [tuple(cells[:-1]) for cells in rows]


def main() -> None:
    """Write the table anew."""
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(before + BEGIN + asyncio.run(_table()) + END + after)


if __name__ == "__main__":
    main()
