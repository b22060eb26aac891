"""The workloads as the report tells of them: titles, units, and by what contenders are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.contender import Contender, Engine
from tests.bench.results import Run
from tests.bench.workloads import Sizes, burst, idle, many, replay, several, steady, storm


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload of the report."""

    key: str
    title: str
    how: str
    units: dict[str, str]
    """Quantity → unit, in the order of the report."""
    lead: str
    """The quantity by which contenders are compared."""
    run: Callable[[Contender, Engine, Sizes], Run]


_CUT = {"cut": "viewers cut off"}
_FAULTS = {"lost": "lost", "repeated": "repeated", "disordered": "disordered"} | _CUT
_LATENCY = {"p50": "p50, ms", "p99": "p99, ms", "p99.9": "p99.9, ms", "max": "max, ms"}
_DELIVERED = {
    "deliveries": "deliveries/s",
    "server": "server CPU, ms for 1,000 deliveries",
    "all": "with the store, ms for 1,000",
    **_LATENCY,
    "bytes": "bytes sent a record",
}
PARTS = {
    "publisher": "publisher, % of a core",
    "generator": "viewers, % of a core",
    "late99": "records made late, p99, ms",
    "late": "at the most, ms",
    "others": "others on the machine, % of a core",
}
"""What says whether the harness or the machine was the bottleneck; of W1 to W3."""
_REPLAYED = {
    "speed": "records/s",
    "server": "server CPU, µs a record",
    "all": "with the store, µs a record",
    "memory": "most resident, MB",
}
WORKLOADS = {
    "W1": Workload(
        "W1",
        "Burst to many viewers",
        "5,000 records to 200 viewers of one execution, as fast as they are acknowledged in "
        "batches of 100; who is named with a share gets that part of it, being slow. A repetition "
        "is the median of up to three bursts.",
        _DELIVERED | _FAULTS,
        "server",
        several(burst),
    ),
    "W2": Workload(
        "W2",
        "Steady run to many viewers",
        "100 records/s, one at a time, to 200 viewers of one execution for five seconds.",
        {"cores": "server CPU, % of a core"} | _DELIVERED | _FAULTS,
        "server",
        steady,
    ),
    "W3": Workload(
        "W3",
        "Many small runs",
        "200 executions with a viewer each, 10 records/s each, spread evenly, for five seconds.",
        {"cores": "server CPU, % of a core"} | _DELIVERED | _FAULTS,
        "server",
        many,
    ),
    "W4": Workload(
        "W4",
        "Replay to one viewer",
        "50,000 stored records, read from the start; the time counts from before connecting. A "
        "repetition is the median of up to three.",
        _REPLAYED | _FAULTS,
        "speed",
        several(replay(1)),
    ),
    "W4.20": Workload(
        "W4.20",
        "Replay to twenty viewers",
        "The same history, read by twenty who come at once; records/s of all together.",
        _REPLAYED | _FAULTS,
        "speed",
        several(replay(20)),
    ),
    "W6": Workload(
        "W6",
        "Idle viewers",
        "5,000 viewers of as many executions, forty connecting at a time; memory is what the "
        "server processes grew by, the kernel's buffers not counted.",
        {
            "memory": "KiB a viewer",
            "connects": "connects/s",
            "connecting": "server CPU, µs a connect",
            "idle": "% of a core while all wait",
        }
        | _CUT,
        "memory",
        idle,
    ),
    "W7": Workload(
        "W7",
        "Reconnect storm",
        "2,000 viewers of 20 executions with 10 records/s each lose their gateway (SIGKILL) and "
        "come to another within half a second; the run goes on for 3.5 s after that. When a viewer "
        "stands at the head is each contender's own word; the latest record is the same for all.",
        {
            "worst": "the latest record, s late",
            "behind": "until the last is at the head, s",
            "cpu": "survivor's CPU, ms a viewer",
            "commands": "commands to the engine a viewer",
        }
        | _FAULTS,
        "worst",
        storm,
    ),
}
