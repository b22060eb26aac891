"""Measure runtail against the naive ways, side by side: `python -m tests.bench [--quick]`.

Everything runs on this machine, on loopback, with an engine of its own in a temporary folder. The
machine decides the figures; the ratios are what to look at. Ends with 1 if a ratio is not what is
expected, or a figure so far from its target that the machine's load is no reason.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from redis import Redis
from tests.bench import burst, call_cost, idle, publish, replay, steady
from tests.bench.figures import Section

from runtail_broker.engines.engine import start_engine

_BENCHES = {
    "publish": publish.bench,
    "call_cost": call_cost.bench,
    "burst": burst.bench,
    "steady": steady.bench,
    "replay": replay.bench,
    "idle": idle.bench,
}
_PACKAGES = ("redis", "hiredis", "starlette", "uvicorn", "uvloop", "orjson")


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks that were asked for and print their report."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", help=f"some of {','.join(_BENCHES)}", default=",".join(_BENCHES))
    parser.add_argument("--quick", action="store_true", help="few viewers and records")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--out", type=Path, help="file to write the report to as well")
    options = parser.parse_args(arguments)
    names = options.only.split(",")
    if unknown := set(names) - set(_BENCHES):
        parser.error(f"--only has {sorted(unknown)}, expected some of {', '.join(_BENCHES)}")
    sections: list[Section] = []
    parts: list[str] = []
    with tempfile.TemporaryDirectory() as folder, start_engine(Path(folder)) as engine:
        parts.append(_say(_heading(engine.url, arguments)))
        for name in names:
            bench = _BENCHES[name]
            sections.append(bench(engine.url, repetitions=options.repetitions, quick=options.quick))
            parts.append(_say(sections[-1].markdown()))
    if options.out:
        options.out.write_text("\n".join(parts))
    return 1 if any(section.failed for section in sections) else 0


def _say(text: str) -> str:
    print(text, flush=True)
    return text


def _heading(url: str, arguments: Sequence[str]) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    with Redis.from_url(url) as redis:
        server = redis.info("server")
    number = server.get("valkey_version", server["redis_version"])
    engine = f"{server.get('server_name', 'redis')} {number}"
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"# Benchmarks of runtail, {time.strftime('%Y-%m-%d %H:%M')}\n\n"
        f"`{' '.join(['python -m tests.bench', *arguments])}` on {os.cpu_count()} cores "
        f"({_processor()}, {platform.system()} {platform.release()}), load before: {load}. "
        f"Python {platform.python_version()}, {engine}, {packages}.\n"
        "Medians of the repetitions; the contenders of one repetition ran one after the other, "
        "their order alternating.\n"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((row.split(": ")[1] for row in lines if row.startswith("model name")), "unknown")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
