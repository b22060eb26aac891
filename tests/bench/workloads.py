"""The workloads: what is carried, to how many, and what is read off. The same code for everybody.

Each takes a contender and an empty engine, and returns the quantities of one repetition. CPU is
user and system time of the processes; `server` is what stands between engine and viewers, `all`
the engine (or the contender's own store) too. Latency runs from making a record to receiving it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from redis import Redis
from tests.bench.contender import Contender, Engine, Served
from tests.bench.processes import Usage
from tests.bench.publishing import Plan as Publishing
from tests.bench.publishing import Published, publish, publishing
from tests.bench.results import Run
from tests.bench.store import emptied
from tests.bench.viewers import Plan, Seen, seen_by, wait_until_ready, watching

_FAULTS = ("lost", "repeated", "disordered", "cut")
_ROUNDS = 3
_ROUND_SECONDS = 5.0  # no further round begins after this


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of each; `quick` is enough to see that it works, and for a guard."""

    crowd: int = 200
    burst: int = 5000
    steady: int = 500
    many: int = 200
    many_seconds: int = 5
    history: int = 50_000
    acknowledged: int = 60_000
    idle: int = 5000
    storm: int = 2000
    rest_seconds: float = 3


QUICK = Sizes(50, 1500, 200, 40, 2, 10_000, 10_000, 400, 200, 1)


class Meter:
    """What the processes of a contender have used since it was made."""

    def __init__(self, served: Served, engine: Engine) -> None:
        self._servers = served.servers
        self._store: Usage = served.store or Usage(engine.pid)
        self._began = self._now()

    def used(self) -> tuple[float, float]:
        """Seconds of CPU of the servers, and of them and the store."""
        server, store = self._now()
        server, store = server - self._began[0], store - self._began[1]
        return server, server if self._store in self._servers else server + store

    def _now(self) -> tuple[float, float]:
        return sum(each.cpu_seconds() for each in self._servers), self._store.cpu_seconds()


def names(prefix: str, count: int) -> list[str]:
    """Name executions that nobody used before."""
    stamp = f"{time.time_ns():x}"
    return [f"{prefix}-{stamp}-{n}" for n in range(count)]


def burst(contender: Contender, engine: Engine, sizes: Sizes) -> Run:
    """W1: one execution, many viewers, records as fast as they are acknowledged."""

    def plan(served: Served) -> tuple[Publishing, Plan]:
        executions, records = names("burst", 1), int(sizes.burst * contender.share)
        feeding = Publishing(contender.name, served.feed, executions, records)
        return feeding, _plan(served, executions, sizes.crowd, records)

    return _delivered(contender, engine, plan)


def steady(contender: Contender, engine: Engine, sizes: Sizes) -> Run:
    """W2: one execution, many viewers, 100 records/s."""

    def plan(served: Served) -> tuple[Publishing, Plan]:
        executions = names("steady", 1)
        feeding = Publishing(contender.name, served.feed, executions, sizes.steady, 100)
        return feeding, _plan(served, executions, sizes.crowd, sizes.steady)

    return _delivered(contender, engine, plan)


def many(contender: Contender, engine: Engine, sizes: Sizes) -> Run:
    """W3: many executions with a viewer each, 10 records/s each."""

    def plan(served: Served) -> tuple[Publishing, Plan]:
        executions, records = names("many", sizes.many), 10 * sizes.many_seconds
        feeding = Publishing(contender.name, served.feed, executions, records, 10)
        return feeding, _plan(served, executions, sizes.many, records, sample_every=2)

    return _delivered(contender, engine, plan)


def several(
    run: Callable[[Contender, Engine, Sizes], Run],
) -> Callable[[Contender, Engine, Sizes], Run]:
    """Make one repetition of up to three rounds of a short workload: the median of each quantity.

    Who takes long has one round; of faults the most count.
    """

    def rounds(contender: Contender, engine: Engine, sizes: Sizes) -> Run:
        began, runs = time.monotonic(), list[Run]()
        while len(runs) < _ROUNDS and (not runs or time.monotonic() - began < _ROUND_SECONDS):
            emptied(engine)
            runs.append(run(contender, engine, sizes))
        chosen = {key: max if key in _FAULTS else median for key in runs[0]}
        return {key: float(choose([r[key] for r in runs])) for key, choose in chosen.items()}

    return rounds


def _plan(
    served: Served, executions: list[str], viewers: int, expected: int, sample_every: int = 10
) -> Plan:
    return Plan(
        served.dialect, served.ports, executions, viewers, expected, sample_every=sample_every
    )


def _delivered(
    contender: Contender, engine: Engine, plan: Callable[[Served], tuple[Publishing, Plan]]
) -> Run:
    """Start servers, a publisher and viewers that stand at the head; publish, and read off."""
    with contender.serving(engine) as served:
        feeding, viewing = plan(served)
        with publishing(feeding) as worker, watching(viewing) as crowd:
            wait_until_ready(crowd)
            meter = Meter(served, engine)
            published = publish(worker)
            seen = seen_by(crowd)
            server, everything = meter.used()
    seconds = (seen.last_ns - published.began_ns) / 1e9
    return {
        "deliveries": seen.records / seconds,
        "server": server * 1e6 / max(1, seen.records),
        "all": everything * 1e6 / max(1, seen.records),
        "cores": server * 100 / seconds,
        "p50": seen.p50_ms,
        "p99": seen.p99_ms,
        "p99.9": seen.p999_ms,
        "max": seen.max_ms,
        "bytes": seen.bytes / max(1, seen.records),
        "publisher": published.cpu_seconds * 100 / published.seconds,
        "generator": seen.cpu_seconds * 100 / max(seconds, 1e-9),
        "late99": published.late_p99_ms,
        "late": published.late_ms,
    } | _faults(seen)


def _faults(seen: Seen) -> Run:
    return {
        "lost": seen.lost,
        "repeated": seen.repeated,
        "disordered": seen.disordered,
        "cut": seen.cut,
    }


def replay(crowd: int) -> Callable[[Contender, Engine, Sizes], Run]:
    """W4: a history, read by *crowd* viewers that come at once."""

    def run(contender: Contender, engine: Engine, sizes: Sizes) -> Run:
        executions = names("replay", 1)
        with contender.serving(engine, history=sizes.history) as served:
            stored = contender.name.startswith("writer")  # it holds its history from the start
            if not stored:
                feed = Publishing(
                    contender.name, served.feed, executions, sizes.history, together=500
                )
                with publishing(feed) as worker:
                    publish(worker)
            meter = Meter(served, engine)
            plan = Plan(
                served.dialect,
                served.ports,
                executions,
                crowd,
                sizes.history,
                after="",
                sample_every=crowd,
                connecting=crowd,
            )
            with watching(plan) as viewers:
                wait_until_ready(viewers)
                seen = seen_by(viewers)
            server, everything = meter.used()
            memory = max(child.peak_mb() for child in served.servers)
        return {
            "speed": seen.records / seen.seconds,
            "server": server * 1e6 / max(1, seen.records),
            "all": everything * 1e6 / max(1, seen.records),
            "memory": memory,
        } | _faults(seen)

    return run


def idle(contender: Contender, engine: Engine, sizes: Sizes) -> Run:
    """W6: many viewers of as many executions, who wait."""
    with contender.serving(engine) as served:
        executions = names("idle", sizes.idle)
        feed = Publishing(contender.name, served.feed, executions, 0)
        with publishing(feed):
            before = sum(child.resident_mb() for child in served.servers)
            meter = Meter(served, engine)
            plan = Plan(
                served.dialect, served.ports, executions, sizes.idle, 1, sample_every=sizes.idle
            )
            with watching(plan) as crowd:
                seconds = wait_until_ready(crowd)
                connecting, _ = meter.used()
                grown = sum(child.resident_mb() for child in served.servers) - before
                waiting = Meter(served, engine)
                time.sleep(sizes.rest_seconds)
                rest, _ = waiting.used()
                crowd.say("enough")
                cut = seen_by(crowd).cut
    return {
        "memory": grown * 1e6 / 1024 / sizes.idle,
        "connects": sizes.idle / seconds,
        "connecting": connecting * 1e6 / sizes.idle,
        "idle": rest * 100 / sizes.rest_seconds,
        "cut": cut,
    }


def storm(contender: Contender, engine: Engine, sizes: Sizes) -> Run:
    """W7: viewers lose their gateway while records come, and go on at another."""
    with contender.serving(engine, gateways=2) as served:
        executions, records = names("storm", 20), 40
        feed = Publishing(contender.name, served.feed, executions, records, 10)
        plan = Plan(
            served.dialect,
            served.ports,
            executions,
            sizes.storm,
            records,
            sample_every=20,
            deadline_seconds=15,  # who has lost records waits in vain
        )
        with publishing(feed) as worker, watching(plan) as crowd:
            wait_until_ready(crowd)
            commands = _commands(engine)
            worker.say("go")
            time.sleep(0.5)
            survivor = Usage(served.servers[1].pid)
            used = survivor.cpu_seconds()
            killed = time.monotonic_ns()
            served.servers[0].kill()
            Published(**worker.answer())
            seen = seen_by(crowd)
            cpu = survivor.cpu_seconds() - used
            asked = _commands(engine) - commands
    return {
        "behind": seen.caught_up_ns and (seen.caught_up_ns - killed) / 1e9,
        "worst": seen.max_ms / 1000,
        "cpu": cpu * 1000 / sizes.storm,
        "commands": asked / sizes.storm,
    } | _faults(seen)


def _commands(engine: Engine) -> float:
    with Redis.from_url(engine.url) as redis:
        return float(redis.info("stats")["total_commands_processed"])
