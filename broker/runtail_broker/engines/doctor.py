"""Try an engine as a worker and a gateway use it: rights, clock, latency, live messages, memory."""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtail_broker.connections.client import Nodes, Shard
from runtail_broker.connections.live import Live, LiveSettings
from runtail_broker.cursor import START, new_random
from runtail_broker.engines.doctor_cap import weighed
from runtail_broker.engines.engine_health import size_text
from runtail_broker.engines.examine import examine, info_of
from runtail_broker.engines.said import Said
from runtail_broker.errors import RuntailError
from runtail_broker.keys import ExecutionKeys, indexes
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.record import encode
from runtail_broker.script import (
    Batch,
    Limits,
    close_call,
    delete_call,
    finish_call,
    open_call,
    publish_call,
)
from runtail_broker.stream import StreamReader

SKEW_SECONDS: Final = 1.0
"""How far the clocks may be apart until it is told."""
SLOW_MS: Final = 20.0
"""How long an answer may take in the median until it is told."""
HEAR_SECONDS: Final = 5.0
"""How long a live message is waited for."""
_PINGS: Final = 20
_SAMPLE: Final = 50  # executions whose memory is measured
_WANTED: Final = {
    "appendfsync": ("everysec always", "`no` leaves it to the kernel when a record is on disk"),
    "aof-load-truncated": ("yes", "a file whose end a crash cut off would keep it from starting"),
}
_WANTED_OF_CLUSTERS: Final = {
    "cluster-require-full-coverage": ("no", "one shard away would stop all executions"),
    "cluster-allow-reads-when-down": ("no", "a primary that was cut off would serve an old log"),
}


async def visit(nodes: Nodes, *, as_worker: bool = False) -> AsyncIterator[Said]:
    """Say what there is to say of the engine, step by step.

    What it writes for that, an execution of its own, it removes again. *as_worker*: this user only
    publishes, so it need not read, nor hear.
    """
    try:
        examined = await examine(nodes)
    except RuntailError as error:
        yield Said("error", "the engine", f"does not answer: {error}", "see the URL and the engine")
        return
    for each in examined:
        for found in each.findings:
            yield Said(found.level, each.place, found.text, found.advice)
        if each.findings[0].subject == "answer":
            continue
        async for said in _of_node(each.shard, each.place):
            yield said
    async for said in _tried(nodes, as_worker):
        yield said
    if not as_worker:
        yield await _heard(nodes)
        yield await _memory(nodes)
        async for said in weighed(nodes):
            yield said


async def _of_node(shard: Shard, place: str) -> AsyncIterator[Said]:
    try:
        yield await _clock(shard.node, place)
        yield await _latency(shard.node, place)
        replicas = int((await shard.node.info("replication")).get("connected_slaves", 0))
        told = await shard.node.config_get("*")
        settings = {str(name): str(value) for name, value in told.items()}
        for said in _settings(settings, place, shard.clustered, replicas):
            yield said
    except (RedisError, OSError) as error:
        advice = "as a user that may, it says more; workers and gateways need no such right"
        yield Said("ok", place, f"its settings are not shown: {error}", advice)


async def _clock(node: Redis, place: str) -> Said:
    begun = time.time()
    seconds, micros = await node.time()
    skew = int(seconds) + int(micros) / 1e6 - (begun + time.time()) / 2
    text = f"its clock is {abs(skew):.3f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    if abs(skew) <= SKEW_SECONDS:
        return Said("ok", place, text)
    advice = "run NTP on both: records get the engine's time, and tokens expire by the gateway's"
    return Said("warning", place, text, advice)


async def _latency(node: Redis, place: str) -> Said:
    took: list[float] = []
    for _ in range(_PINGS):
        begun = time.perf_counter()
        await node.ping()
        took.append((time.perf_counter() - begun) * 1000)
    median = statistics.median(took)
    text = f"answers in {median:.2f} ms, at worst {max(took):.2f} ms"
    if median <= SLOW_MS:
        return Said("ok", place, text)
    advice = "put gateways near it; workers far away publish through a gateway"
    return Said("warning", place, text, advice)


def _settings(
    told: Mapping[str, str], place: str, clustered: bool, replicas: int
) -> Iterator[Said]:
    wanted = _WANTED | (_WANTED_OF_CLUSTERS if clustered else {})
    for name, (values, reason) in wanted.items():
        value = told.get(name)
        if value is not None and value not in values.split():
            expected = values.replace(" ", " or ")
            yield Said("warning", place, f"{name} is {value}", f"set {name} {expected}: {reason}")
    if replicas > 1 and told.get("min-replicas-to-write") == "0":
        advice = (
            "set min-replicas-to-write 1: cut off from its replicas it would take what is lost "
        )
        advice += "when another one has become primary"
        yield Said("warning", place, "min-replicas-to-write is 0", advice)


async def _tried(nodes: Nodes, as_worker: bool) -> AsyncIterator[Said]:
    """Publish, read and delete an execution, as far as this user may."""
    name = f"doctor-{secrets.token_hex(6)}"
    record = encode(name, {"message": "runtail doctor was here"}).json
    frame = encode_frame([record])
    batch = Batch(1, 0, 1, new_random(), 0, (0, 1, 0, 0), len(record), 0, "", frame)
    steps = {
        "open": open_call(name, "doctor", "owner", "", Limits()),
        "publish": publish_call(name, "doctor", batch),
        "close": close_call(name, "doctor", 1, "completed"),
        "finish": finish_call(name),
    }
    begun = time.perf_counter()
    try:
        for call in steps.values():
            await nodes.run(call)
    except RuntailError as error:
        yield Said("error", "publishing", str(error), _RIGHTS)
    else:
        took = (time.perf_counter() - begun) * 1000
        yield Said("ok", "publishing", f"{' '.join(steps)}: {took:.1f} ms")
    if as_worker:
        await _remove(nodes, name)
        return
    try:
        await StreamReader(nodes).resume(name, [START], 10)
        await nodes.run(delete_call(name, force=True, remembered_seconds=1))
        yield Said("ok", "reading", "a page was read; the execution was removed")
    except RuntailError as error:
        yield Said("error", "reading", str(error), _RIGHTS.replace("worker", "gateway"))
        await _remove(nodes, name)


async def _remove(nodes: Nodes, name: str) -> None:
    """Remove it key by key, as a worker may."""
    with suppress(RuntailError):
        for key in ExecutionKeys.of(name).for_scripts:
            await nodes.at(key, partial(_delete, key))


async def _delete(key: str, node: Redis) -> None:
    await node.delete(key)


_RIGHTS: Final = "give the user the rights of runtail-worker in deploy/redis/users.acl"


class _Deaf:
    """Hears nothing but what its links hear themselves, their probes."""

    def message(self, execution_id: str, payload: bytes) -> None: ...
    def fresh(self, execution_id: str) -> None: ...
    def noted(self, execution_id: str) -> None: ...
    def unheard(self, execution_id: str) -> None: ...
    def changed(self, execution_ids: list[str]) -> None: ...
    def changes_fresh(self) -> None: ...


async def _heard(nodes: Nodes) -> Said:
    """Wait until every primary's messages arrive here: writing and hearing, both directions."""
    settings = LiveSettings(probe_seconds=0.1, probe_timeout_seconds=HEAR_SECONDS)
    begun = time.perf_counter()
    async with Live(nodes, _Deaf(), settings) as live:
        await live.start()
        while live.contact_seconds() < 0 or not live.all_heard:
            if time.perf_counter() - begun > HEAR_SECONDS:
                text = f"live messages do not arrive within {HEAR_SECONDS:g} s"
                return Said("error", "live", text, _RIGHTS.replace("worker", "gateway"))
            await asyncio.sleep(0.01)
    took = (time.perf_counter() - begun) * 1000
    return Said("ok", "live", f"messages of every primary arrive, the first after {took:.0f} ms")


async def _memory(nodes: Nodes) -> Said:
    try:
        names, count = await _some_executions(nodes)
        used = [await _used_by(nodes, name) for name in names]
        infos = [await info_of(shard.node) for shard in await nodes.shards()]
    except RuntailError as error:
        advice = "a gateway's user may see it (deploy/redis/users.acl)"
        return Said("ok", "memory", f"of executions it is not shown: {error}", advice)
    if not used:
        return Said("ok", "memory", "no executions yet")
    mean = statistics.mean(used)
    text = f"{count} execution{'s' * (count != 1)}, {size_text(mean)} each (mean of {len(used)})"
    room = sum(max(0, int(i["maxmemory"]) - int(i["used_memory"])) for i in infos)
    if any(int(info["maxmemory"]) for info in infos) and mean:
        text += f"; room for about {int(room / mean):,} more of that size"
    return Said("ok", "memory", text)


async def _some_executions(nodes: Nodes) -> tuple[list[str], int]:
    names: list[str] = []
    count = 0
    for key in indexes():
        count += await nodes.at(key, partial(_count, key))
        names += await nodes.at(key, partial(_newest, key))
    return names[:_SAMPLE], count


async def _count(key: str, node: Redis) -> int:
    return int(await node.zcard(key))


async def _newest(key: str, node: Redis) -> list[str]:
    names: list[Any] = list(await node.zrange(key, 0, 3, desc=True))
    return [name.decode() for name in names]


async def _used_by(nodes: Nodes, name: str) -> int:
    keys = ExecutionKeys.of(name)
    used = 0
    for key in keys.for_scripts:
        used += await nodes.at(key, partial(_usage, key))
    return used


async def _usage(key: str, node: Redis) -> int:
    return int(await node.memory_usage(key) or 0)
