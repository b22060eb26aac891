"""Say where the time of a workload's gateway goes: `python -m tests.bench.profile W1 W2 …`.

py-spy samples the gateway while a workload runs; when it runs once more, perf counts its system
calls, which would slow them down. Each workload's profile becomes a text in `tests/bench/profiles`,
the three largest costs on top. Needs both programs, and the right to look into a process.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.catalogue import WORKLOADS
from tests.bench.contender import OURS, Contender, Engine, Served, contender
from tests.bench.processes import program
from tests.bench.store import emptied, started
from tests.bench.workloads import Sizes

_FOLDER = Path(__file__).parent / "profiles"
_RATE = 500
_SHOWN = 25
# longer than in the report, for enough samples
_AMOUNT = Sizes(burst=60_000, steady=800, many_seconds=8, history=400_000)
_OURS = re.compile(r"(runtail_\w+|runtail)/(\S+?\.py)")


@dataclass(slots=True)
class Profile:
    """Samples of one gateway: stacks, the innermost frame last, and how often each was seen."""

    stacks: Counter[tuple[str, ...]] = field(default_factory=Counter)
    calls: str = ""

    def own(self) -> Counter[str]:
        """Samples by the function that was running."""
        return _summed((stack[-1], count) for stack, count in self.stacks.items() if stack)

    def within(self) -> Counter[str]:
        """Samples by each function that was running or waiting for one that was."""
        pairs = ((name, count) for stack, count in self.stacks.items() for name in set(stack))
        return _summed(pairs)

    def text(self, workload: str) -> str:
        """Write it."""
        total = sum(self.stacks.values()) or 1
        own, within = self.own(), self.within()
        lines = [f"{workload}: {WORKLOADS[workload].title}", "", WORKLOADS[workload].how, ""]
        lines += ["The three largest costs:"]
        lines += [f"  {n / total:5.1%}  {name}" for name, n in own.most_common(3)]
        lines += ["", f"By the function that runs ({total} samples of a busy gateway):"]
        lines += [f"  {n / total:5.1%}  {name}" for name, n in own.most_common(_SHOWN)]
        lines += ["", "With all that it calls, functions of runtail:"]
        named = [(n, name) for name, n in within.items() if "runtail" in name]
        lines += [f"  {n / total:5.1%}  {name}" for n, name in sorted(named, reverse=True)[:_SHOWN]]
        return "\n".join([*lines, "", "System calls:", self.calls.rstrip() or "  not counted", ""])


def _summed(pairs: Iterator[tuple[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, count in pairs:
        found[name] += count
    return found


class _Profiled:
    """A contender whose gateway is looked into from its start on."""

    def __init__(self, one: Contender, found: Profile, *, counting: bool) -> None:
        self._one, self._found, self._counting = one, found, counting
        self.name, self.about, self.share = one.name, one.about, one.share
        self.leaves_out, self.remarks = one.leaves_out, one.remarks

    def version(self) -> str:
        """Say what it consists of."""
        return self._one.version()

    def missing(self) -> str:
        """Say what is not there."""
        return self._one.missing()

    @contextmanager
    def serving(self, engine: Engine, *, gateways: int = 1, history: int = 0) -> Iterator[Served]:
        """Serve, and look."""
        with (
            self._one.serving(engine, gateways=gateways, history=history) as served,
            tempfile.TemporaryDirectory() as folder,
        ):
            out, pid = Path(folder, "out"), str(served.servers[-1].pid)
            if self._counting:
                words = ["perf", "trace", "-s", "-p", pid, "-o", str(out)]
            else:
                spy = program("py-spy")
                assert spy is not None, "py-spy is not installed, `make bench` does it"
                words = [spy, "record", "-f", "raw", "-r", f"{_RATE}", "-p", pid, "-o", str(out)]
            looking = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                yield served
            finally:
                looking.send_signal(signal.SIGINT)
                looking.wait(20)
                if self._counting:
                    self._found.calls = _calls(out)
                else:
                    self._found.stacks = _read(out)


def _read(file: Path) -> Counter[tuple[str, ...]]:
    """Read collapsed stacks: `frame;frame;frame count`."""
    stacks: Counter[tuple[str, ...]] = Counter()
    for line in file.read_text().splitlines() if file.exists() else ():
        frames, _, count = line.rpartition(" ")
        stacks[tuple(_short(frame) for frame in frames.split(";"))] += int(count)
    return stacks


def _short(frame: str) -> str:
    """Name a function by its module: lines are too fine, and paths belong to a machine."""
    name, _, place = frame.partition(" (")
    path = place.rstrip(")").rpartition(":")[0] or place.rstrip(")")
    if ours := _OURS.search(path):
        return f"{name} ({ours[0]})"
    return f"{name} ({'/'.join(Path(path).parts[-2:])})"


def _calls(file: Path) -> str:
    """Keep what perf summed up of system calls: the first table, the busiest first."""
    rows = re.findall(
        r"^ +(\w+) +(\d+) +\d+ +([\d.]+)", file.read_text() if file.exists() else "", re.MULTILINE
    )
    busiest = sorted(rows, key=lambda row: -int(row[1]))[:10]
    return "\n".join(f"  {int(count):>9,}  {name}, {ms} ms in all" for name, count, ms in busiest)


def main(arguments: Sequence[str]) -> int:
    """Profile each workload that is named, and write its text."""
    _FOLDER.mkdir(exist_ok=True)
    for workload in arguments or ("W1", "W2", "W3", "W4", "W4.20", "W6"):
        found = Profile()
        with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as engine:
            for counting in (False, True):
                emptied(engine)
                one = _Profiled(contender(OURS), found, counting=counting)
                WORKLOADS[workload].run(one, engine, _AMOUNT)
        (_FOLDER / f"{workload}.txt").write_text(found.text(workload))
        print(f"{workload}: {sum(found.stacks.values())} samples", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
