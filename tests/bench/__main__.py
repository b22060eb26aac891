"""Measure runtail beside its floors and its peers: `python -m tests.bench`, as `make bench` does.

Everything runs on this machine, on loopback, on an engine of its own in a temporary folder that is
emptied before each measurement; contenders of one repetition run one after the other, their order
alternating. What is measured is kept line by line in `--results`, so that a run that was cut goes
on where it was. The report is Markdown and plots in `--report`. Peers that are not installed are
left out, and the report says so. Ends with 1 if runtail lost or misplaced a record.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from redis import Redis
from tests.bench.acknowledged import acknowledged, ways
from tests.bench.catalogue import WORKLOADS
from tests.bench.contender import FLOORS, NAMES, OURS, Contender, Engine, contender
from tests.bench.curves import CURVES
from tests.bench.processes import Machine, Usage
from tests.bench.reading import reading, ways_of_reading
from tests.bench.report import write_report
from tests.bench.results import Results, Run
from tests.bench.sizes import sizes_of
from tests.bench.store import emptied, started
from tests.bench.workloads import QUICK, Sizes

_PACKAGES = ("redis", "hiredis", "starlette", "uvicorn", "uvloop", "orjson", "msgpack")
Measure = Callable[[Engine], Run]


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for and is not there yet, and write the report."""
    options = _options(arguments)
    until = time.monotonic() + options.for_seconds
    results = Results.read(options.results)
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as engine:
        results.begin(_about(engine))
        for workload, who, repetition, measure in _todo(options):
            if results.done(workload, who) > repetition:
                continue
            if time.monotonic() > until:
                print("stopped for time; the same command goes on from here", flush=True)
                break
            emptied(engine)
            _measured(results, workload, who, engine, measure)
    write_report(results, options.report)
    ours = (run for (_, who), runs in results.runs.items() if who == OURS for run in runs)
    return 1 if any(run.get("lost") or run.get("disordered") for run in ours) else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    known = [*WORKLOADS, "W5", "W8", "W9", "W10"]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default=",".join(known), help=f"some of {','.join(known)}")
    parser.add_argument("--who", default=",".join(NAMES), help=f"some of {','.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="few viewers and records")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--for-seconds", type=float, default=float("inf"), metavar="N")
    parser.add_argument("--results", type=Path, default=Path(".bench/results.jsonl"))
    parser.add_argument("--report", type=Path, default=Path(".bench/report"))
    options = parser.parse_args(arguments)
    options.only, options.who = options.only.split(","), options.who.split(",")
    for name, chosen, some in (("--only", options.only, known), ("--who", options.who, NAMES)):
        if unknown := set(chosen) - set(some):
            parser.error(f"{name} has {sorted(unknown)}, expected some of {', '.join(some)}")
    options.results.parent.mkdir(parents=True, exist_ok=True)
    return options


def _todo(options: argparse.Namespace) -> Iterator[tuple[str, str, int, Measure]]:
    """Name what is to be measured, in its order."""
    amount = QUICK if options.quick else Sizes()
    for repetition in range(options.repetitions):
        for workload in options.only:
            if workload == "W9" and repetition:
                continue  # each curve is many measurements already
            cells = list(_cells(workload, options.who, amount))
            for who, measure in cells[:: -1 if repetition % 2 else 1]:
                yield workload, who, repetition, measure


def _cells(workload: str, names: Sequence[str], amount: Sizes) -> Iterator[tuple[str, Measure]]:
    """List the contenders of a workload, each with how it is measured."""
    if workload == "W5":
        for way in ways():
            yield way, partial(acknowledged, way, sizes=amount)
    elif workload == "W8":
        for one in _taking_part(workload, [name for name in names if name not in FLOORS]):
            yield one.name, partial(sizes_of, one, amount=amount)
    elif workload == "W9":
        yield from CURVES.items()
    elif workload == "W10":
        for way in ways_of_reading():
            yield way, partial(reading, way, sizes=amount)
    else:
        for one in _taking_part(workload, names):
            yield one.name, _bound(WORKLOADS[workload].run, one, amount)


def _bound(run: Callable[[Contender, Engine, Sizes], Run], one: Contender, some: Sizes) -> Measure:
    return lambda engine: run(one, engine, some)


def _taking_part(workload: str, names: Sequence[str]) -> Iterator[Contender]:
    for one in map(contender, names):
        if workload not in one.leaves_out and not one.missing():
            yield one


def _measured(results: Results, workload: str, who: str, engine: Engine, measure: Measure) -> None:
    began, machine = time.monotonic(), Machine(Usage(engine.pid))
    try:
        run = measure(engine)
    except (RuntimeError, OSError, AssertionError) as error:
        results.fail(workload, who, f"{type(error).__name__}: {str(error)[:200]}")
        print(f"{workload} {who}: failed: {error}", flush=True)
        return
    if workload != "W9":  # whose quantities are the sizes
        run["others"] = machine.others()
    results.add(workload, who, run)
    shown = ", ".join(f"{key} {value:.4g}" for key, value in run.items())
    print(f"{workload} {who} ({time.monotonic() - began:.1f} s): {shown}", flush=True)


def _about(engine: Engine) -> dict[str, Any]:
    with Redis.from_url(engine.url) as redis:
        server = redis.info("server")
    number = server.get("valkey_version", server["redis_version"])
    return {
        "made": time.strftime("%Y-%m-%d %H:%M"),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "engine": f"{server.get('server_name', 'redis')} {number}",
        "packages": {name: version(name) for name in _PACKAGES},
        "left out": {name: why for name in NAMES if (why := contender(name).missing())},
        "versions": {n: contender(n).version() for n in NAMES if not contender(n).missing()},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((row.split(": ")[1] for row in lines if row.startswith("model name")), "unknown")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
