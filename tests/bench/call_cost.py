"""What one `run.info(…)` costs, beside stdlib logging, a QueueHandler and a pipelined XADD.

`python -m tests.bench.call_cost [--quick]` prints it; it ends with 1 if a ratio is not as it
should be. Each contender (see `callers`) runs in a process of its own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.callers import CONTENDERS
from tests.bench.figures import Claim, Section, Target, figures, in_turn
from tests.bench.processes import running
from tests.bench.results import Run

from runtail_broker.engines.engine import start_engine

_ALL = {"all": "µs of CPU in the whole process"}
_CALL = {"caller": "µs of CPU in the calling thread"} | _ALL
_WALLS = {"p50": "µs", "p99": "µs", "p99.9": "µs"}


def bench(url: str, *, repetitions: int, quick: bool) -> Section:
    """Run the contenders in turn, each in a fresh process."""
    number = 20_000 if quick else 40_000
    alone = (lambda name=name: _alone(name, url, number) for name in CONTENDERS)
    runs = dict(zip(CONTENDERS, in_turn(repetitions, *alone), strict=True))
    speed, written = {"speed": "calls/s"}, {"speed": "records/s"} | _ALL
    info = figures("`run.info(…)`, one secret", _CALL | speed, runs["info"])
    spread = figures("the same, 64 executions", _CALL | speed, runs["spread"])
    bare = figures("`run.info(…)`, no secret", _CALL, runs["bare"])
    file = figures("`logging` to a file", _CALL, runs["file"])
    queued = figures("`QueueHandler`, listener to a file", _CALL, runs["queue"])
    xadd = figures("pipelined `XADD`, same record", _CALL | speed, runs["xadd"])
    frozen = figures("`run.info(…)`, engine frozen, wall", _WALLS, runs["frozen"])
    memory = figures("100,000 waiting records", {"memory": "MB resident"}, runs["frozen"])
    one = figures("`run.write`, 1 execution", written, runs["one"])
    many = figures("`run.write`, 64 executions", written, runs["many"])
    wrap = figures("`runtail run -- seq`", {"speed": "lines/s"} | _ALL, runs["wrap"])
    return Section(
        "What a call costs",
        f"{number:,} calls of `run.info` with two keys of input and output each, masking on, all "
        "acknowledged; the CPU in all includes encoding, sending and the acknowledgement, not the "
        "engine's. The wall time is of single calls while the engine is stopped by SIGSTOP. "
        f"`runtail run` shows nothing, and its {10 * number:,} lines include its start.",
        (*info, *spread, *bare, *file, *queued, *xadd, *frozen, *memory, *one, *many, *wrap),
        (
            Claim(
                "CPU in the caller, runtail over `logging` to a file", info[0], file[0], 1, False
            ),
            Claim("CPU in the caller, runtail over `QueueHandler`", info[0], queued[0], 1, False),
            Claim("CPU in the caller, runtail over `XADD`", info[0], xadd[0], 1.25, False),
            Claim("CPU in all, runtail over `logging` to a file", info[1], file[1], 1, False),
            Claim("CPU in all, runtail over `QueueHandler`", info[1], queued[1], 1, False),
            Claim("CPU in all, runtail over `XADD`", info[1], xadd[1], 2, False),
            Claim("CPU in the caller, one secret over none", info[0], bare[0], 1.25, False),
            Claim("calls/s, runtail over `XADD`", info[2], xadd[2], 0.5, True),
            Claim("calls/s, 64 executions over one", spread[2], info[2], 0.5, True),
            Claim("records/s, 64 executions over one", many[0], one[0], 0.7, True),
        ),
        (
            Target(info[0], 8, at_least=False),
            Target(info[1], 13, at_least=False),
            Target(frozen[2], 2000, at_least=False),
            Target(info[2], 75_000, at_least=True),
            Target(spread[2], 75_000, at_least=True),
            Target(one[0], 200_000, at_least=True),
            Target(many[0], 200_000, at_least=True),
            Target(wrap[0], 150_000, at_least=True),
        ),
    )


def _alone(name: str, url: str, number: int) -> Run:
    with running("tests.bench.callers", name, url, str(number)) as child:
        measured: Run = child.answer()
        return measured


def main(arguments: list[str]) -> int:
    """Run on an engine of its own, and print the report."""
    with tempfile.TemporaryDirectory() as folder, start_engine(Path(folder)) as engine:
        section = bench(engine.url, repetitions=3, quick="--quick" in arguments)
    print(section.markdown())
    return 1 if section.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
