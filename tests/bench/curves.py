"""W9: what a record costs as one size grows and all else stays: lines should be flat.

Each curve is one run of all its sizes; a size is written as the name of its quantity.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from redis import RedisCluster
from tests.bench.contender import OURS, Engine, Served, contender
from tests.bench.processes import Usage
from tests.bench.publishing import Plan as Publishing
from tests.bench.publishing import publish, publishing
from tests.bench.results import Run
from tests.bench.viewers import Plan, seen_by, wait_until_ready, watching
from tests.bench.workloads import Meter, Sizes, names, replay
from tests.engines import redis_cluster

VIEWERS = (1, 10, 100, 1000, 5000)
EXECUTIONS = (1, 10, 100, 1000, 10_000)
HISTORY = (1000, 10_000, 100_000, 1_000_000)
GATEWAYS = (1, 2, 3)
SHARDS = (1, 2, 3)
_RECORDS = 600
_WATCHED = 1000  # executions that somebody watches, at the most


def by_viewers(engine: Engine) -> Run:
    """µs of server CPU a delivery: one execution, 20 records/s, more and more viewers."""
    return {str(size): _delivery(engine, names("v", 1), size, 60, 20) for size in VIEWERS}


def by_executions(engine: Engine) -> Run:
    """µs of server CPU a delivery: 200 records/s over more and more executions, all of them open.

    At most a thousand are watched, by a viewer each; the records go to those.
    """
    run = {}
    for size in EXECUTIONS:
        executions = names("e", size)
        watched = executions[:_WATCHED]
        each = max(1, _RECORDS // len(watched))
        rate = 200 / len(watched)
        run[str(size)] = _delivery(engine, watched, len(watched), each, rate, executions)
    return run


def by_history(engine: Engine) -> Run:
    """µs of server CPU a record replayed to one viewer: longer and longer histories."""
    ours = contender(OURS)
    return {str(n): replay(1)(ours, engine, Sizes(history=n))["server"] for n in HISTORY}


def by_gateways(engine: Engine) -> Run:
    """µs of server CPU a delivery over all gateways: 300 viewers spread over them."""
    return {
        str(size): _delivery(engine, names("g", 1), 300, 60, 20, gateways=size) for size in GATEWAYS
    }


def by_shards(engine: Engine) -> Run:
    """µs of engine CPU a record: bursts into 60 executions on a cluster of more and more nodes."""
    run = {}
    for size in SHARDS:
        with redis_cluster(size) as url:
            plan = Publishing(OURS, {"url": url}, names("s", 60), 1000, together=100)
            nodes = [Usage(pid) for pid in _pids(url)]
            with publishing(plan) as worker:
                before = sum(node.cpu_seconds() for node in nodes)
                publish(worker)
                used = sum(node.cpu_seconds() for node in nodes) - before
        run[str(size)] = used * 1e6 / 60_000
    return run


CURVES: dict[str, Callable[[Engine], Run]] = {
    "viewers": by_viewers,
    "executions": by_executions,
    "history": by_history,
    "gateways": by_gateways,
    "shards": by_shards,
}


def _delivery(
    engine: Engine,
    watched: list[str],
    viewers: int,
    records: int,
    rate: float,
    opened: list[str] | None = None,
    gateways: int = 1,
) -> float:
    """Publish at a pace, and say what a delivery cost the servers, in µs."""
    ours = contender(OURS)
    with ours.serving(engine, gateways=gateways) as served:
        if opened is not None and len(opened) > len(watched):
            idle = Publishing(OURS, served.feed, opened[len(watched) :], 0)
            with publishing(idle):
                return _paced(engine, served, watched, viewers, records, rate)
        return _paced(engine, served, watched, viewers, records, rate)


def _paced(
    engine: Engine, served: Served, watched: list[str], viewers: int, records: int, rate: float
) -> float:
    plan = Publishing(OURS, served.feed, watched, records, rate)
    each = viewers // len(served.ports)
    with publishing(plan) as worker, ExitStack() as stack:
        crowds = [
            stack.enter_context(watching(Plan(served.dialect, (port,), watched, each, records)))
            for port in served.ports
        ]
        for crowd in crowds:
            wait_until_ready(crowd)
        meter = Meter(served, engine)
        publish(worker)
        seen = [seen_by(crowd) for crowd in crowds]
        server, _ = meter.used()
    lost = sum(crowd.lost for crowd in seen)
    if lost:
        raise RuntimeError(f"{lost} records were lost at {viewers} viewers, expected none")
    return server * 1e6 / sum(crowd.records for crowd in seen)


def _pids(url: str) -> list[int]:
    plain = url.replace("redis+cluster", "redis")
    with RedisCluster.from_url(plain) as cluster:
        answers = cluster.info("server", target_nodes=RedisCluster.PRIMARIES)
    each = [answers] if "process_id" in answers else answers.values()
    return [int(answer["process_id"]) for answer in each]
