"""Reckon how many gateways and engine shards a load needs. Pure: no I/O, no clock.

The costs are those that the benchmark measured on one core of a small machine (tests/bench/report);
a test holds the formula against its figures. deploy/capacity.md tells it in words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_MICRO: Final = 1e-6
BASE_CORES: Final = 0.01
"""What a gateway uses that nobody watches."""
FRAME_SECONDS: Final = 90 * _MICRO
"""A gateway: to hear a frame, prove it, render it, make it a message. Once for all who watch it."""
MESSAGE_SECONDS: Final = 4.5 * _MICRO
"""A gateway: to write a message to one viewer."""
RECORD_SECONDS: Final = 0.12 * _MICRO
"""A gateway: for each record in a message to one viewer; the kernel copies it."""
VIEWER_SECONDS: Final = 32 * _MICRO
"""A gateway, each second: a viewer who waits. Beats, and the watch for those that are gone."""
VIEWER_BYTES: Final = 17 * 1024
"""A gateway: a viewer's memory, with a tail of its own; the kernel's buffers not counted."""
GATEWAY_BYTES: Final = 70 * 1_000_000
"""A gateway's memory that nobody watches."""
RECORD_SENT_BYTES: Final = 380
"""A record of 340 bytes on its way to a viewer."""
STORE_FRAME_SECONDS: Final = 110 * _MICRO
"""The engine: to run the script for a frame and to publish it to one gateway."""
STORE_HEARER_SECONDS: Final = 10 * _MICRO
"""The engine: to publish a frame to one gateway more."""
STORE_RECORD_SECONDS: Final = 0.3 * _MICRO
"""The engine: for each record in a frame."""
FULL: Final = 0.6
"""How much of a core is used by plan: what is above is for bursts, replays and who comes back."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be carried; *records* a second over all *executions*, *viewers* spread over them.

    *frame_records* is how many records a worker's frame holds: 1 for one that says something now
    and then, 100 for one that never stops. *together* says that a proxy sends the viewers of one
    execution to one gateway, as by a hash of its address, and not to any.
    """

    executions: int
    records: float
    viewers: int
    frame_records: float = 1
    together: bool = False
    viewers_per_gateway: int = 10_000

    def __post_init__(self) -> None:
        for name in ("executions", "records", "frame_records", "viewers_per_gateway"):
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"{name} is {value}, expected more than 0")
        if self.viewers < 0:
            raise ValueError(f"viewers is {self.viewers}, expected 0 or more")


@dataclass(frozen=True, slots=True)
class Need:
    """What *gateways* and *shards* of one core each carry it, and how full they are."""

    gateways: int
    gateway_cores: float
    gateway_bytes: float
    gateway_sent_bytes: float
    """A second, each gateway."""
    shards: int
    shard_cores: float


def need(load: Load) -> Need:
    """Find the fewest gateways and shards that are not fuller than `FULL`.

    Raises ValueError where more gateways do not help: one viewer alone fills a core.
    """
    gateways = 1
    while not _carries(load, gateways):
        more = max(gateways + 1, math.ceil(gateways * 1.05))
        if gateway_cores(load, more) > FULL and more > 100_000:
            raise ValueError(
                f"no number of gateways carries {load}: one viewer's share of it fills a core; "
                "expected fewer records for each execution, or more of them in a frame"
            )
        gateways = more
    while gateways > 1 and _carries(load, gateways - 1):
        gateways -= 1
    shards = math.ceil(store_cores(load, gateways) / FULL)
    return Need(
        gateways,
        gateway_cores(load, gateways),
        GATEWAY_BYTES + VIEWER_BYTES * load.viewers / gateways,
        sent_bytes(load) / gateways,
        shards,
        store_cores(load, gateways) / shards,
    )


def gateway_cores(load: Load, gateways: int) -> float:
    """How much of a core each of so many gateways uses."""
    each = load.viewers / gateways
    messages = each * frames(load) / load.executions
    records = each * load.records / load.executions
    return (
        BASE_CORES
        + heard(load, gateways) * FRAME_SECONDS
        + messages * MESSAGE_SECONDS
        + records * RECORD_SECONDS
        + each * VIEWER_SECONDS
    )


def store_cores(load: Load, gateways: int) -> float:
    """How many cores the engine's shards use, all together."""
    hearers = heard(load, gateways) * gateways / frames(load)  # of a frame, on average
    frame = STORE_FRAME_SECONDS + STORE_HEARER_SECONDS * max(0.0, hearers - 1)
    return frames(load) * frame + load.records * STORE_RECORD_SECONDS


def frames(load: Load) -> float:
    """Frames a second, over all executions."""
    return load.records / load.frame_records


def heard(load: Load, gateways: int) -> float:
    """Frames a second that each gateway hears: those of the executions that it has viewers of."""
    of_each = load.viewers / load.executions
    if load.together:
        share = min(1.0, of_each) / gateways
    else:  # viewers come to any gateway
        share = 1 - (1 - 1 / gateways) ** of_each if gateways > 1 else min(1.0, of_each)
    return frames(load) * share


def sent_bytes(load: Load) -> float:
    """Bytes a second to all viewers."""
    return load.viewers * load.records / load.executions * RECORD_SENT_BYTES


def _carries(load: Load, gateways: int) -> bool:
    enough = load.viewers <= gateways * load.viewers_per_gateway
    return enough and gateway_cores(load, gateways) <= FULL
