"""Ask an engine which node serves what: a cluster's nodes, Sentinels, or nobody for one server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from runtail_broker.engines.engine_url import Address
from runtail_broker.errors import Unavailable

SLOTS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Range:
    """Slots *first* to *last*, the primary that serves them, and its replicas."""

    first: int
    last: int
    primary: Address
    replicas: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Topology:
    """Which nodes serve which slots; without ranges it is one server.

    *rank* says how much one node's word is worth against another's: whether it is in contact with
    the others, and how much it knows of.
    """

    ranges: tuple[Range, ...] = ()
    clustered: bool = False
    rank: tuple[bool, int] = (True, 0)

    def range_of(self, slot: int) -> Range | None:
        """Find the range that holds *slot*."""
        return next((each for each in self.ranges if each.first <= slot <= each.last), None)

    @property
    def primaries(self) -> list[Address]:
        """List the primaries, each once."""
        return list(dict.fromkeys(each.primary for each in self.ranges))


Ask = Callable[[], Awaitable[Topology]]


async def first_sound(asks: Sequence[Ask]) -> Topology:
    """Ask all at once; take the first word of a node that is in contact with the others.

    Else the one that is worth most; raises Unavailable if there is none. Whoever is frozen or cut
    off holds nobody up.
    """
    best: Topology | None = None
    error = Unavailable("no node is known")
    tasks = [asyncio.ensure_future(ask()) for ask in asks]
    try:
        for done in asyncio.as_completed(tasks):
            try:
                told = await done
            except Unavailable as away:
                error = away
                continue
            if told.rank[0]:
                return told
            best = told if best is None else max(best, told, key=lambda each: each.rank)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if best is None:
        raise error
    return best


async def ask_node(node: Redis, here: Address | None) -> Topology:
    """Ask *node*, known as *here*, for its view of the cluster; no ranges if it is in none."""
    pipe = node.pipeline(transaction=False)
    pipe.execute_command("CLUSTER", "SLOTS")  # in two words: redis-py leaves the reply as it is
    pipe.execute_command("CLUSTER", "INFO")
    try:
        rows, info = await pipe.execute(raise_on_error=False)
    except (RedisError, OSError) as error:
        raise Unavailable(str(error) or type(error).__name__) from error
    if isinstance(rows, ResponseError):
        return Topology()
    if isinstance(rows, Exception):
        raise Unavailable(str(rows))
    default = here.host if here else "127.0.0.1"
    ranges = tuple(_range(row, default) for row in rows)
    return Topology(ranges, clustered=True, rank=_rank(info))


async def ask_sentinel(
    sentinel: Redis, service: str, node_at: Callable[[Address], Redis]
) -> Topology:
    """Ask *sentinel* which node is primary, and that node whether it thinks so too.

    Never sound by itself: a Sentinel that was cut off names the old primary, so the newest epoch of
    all that answer counts.
    """
    try:
        told = _pairs(await sentinel.execute_command("SENTINEL", "MASTER", service))
        primary = Address(told["ip"], int(told["port"]))
        role = await node_at(primary).execute_command("ROLE")
        if _text(role[0]) != "master":
            raise Unavailable(f"{primary}, which the Sentinel names, is a {_text(role[0])}")
        rows = await sentinel.execute_command("SENTINEL", "REPLICAS", service)
    except (RedisError, OSError) as error:
        why = str(error) or type(error).__name__
        raise Unavailable(f"service {service!r} by Sentinel: {why}") from error
    replicas = tuple(_replicas(rows))
    rank = (False, int(told.get("config-epoch", 0)))
    return Topology((Range(0, SLOTS - 1, primary, replicas),), rank=rank)


def _range(row: Sequence[Any], default: str) -> Range:
    first, last, primary, *replicas = row
    nodes = (_address(each, default) for each in replicas)
    return Range(int(first), int(last), _address(primary, default), tuple(nodes))


def _address(node: Sequence[Any], default: str) -> Address:
    host = _text(node[0] or b"")
    return Address(default if host in ("", "?") else host, int(node[1]))


def _rank(info: Any) -> tuple[bool, int]:
    """Read of CLUSTER INFO whether the node is in contact, and its epoch."""
    if isinstance(info, Exception):
        return True, 0  # it may not be asked, as by some providers
    told = dict(line.split(":", 1) for line in _text(info).splitlines() if ":" in line)
    return told.get("cluster_state") == "ok", int(told.get("cluster_current_epoch", 0))


def _replicas(rows: Iterable[Any]) -> Iterable[Address]:
    """List the replicas that a Sentinel is in contact with."""
    for told in map(_pairs, rows):
        if "down" not in told.get("flags", "") and "disconnected" not in told.get("flags", ""):
            yield Address(told["ip"], int(told["port"]))


def _pairs(row: Any) -> dict[str, str]:
    """Read names and values, as a map or one after the other."""
    pairs = row.items() if isinstance(row, dict) else zip(row[::2], row[1::2], strict=False)
    return {_text(key): _text(value) for key, value in pairs}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
