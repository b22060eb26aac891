"""Start what is measured in processes of its own, and read what they used."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil

_ROOT = Path(__file__).parents[2]


class Child:
    """A process that prints lines; ended by `running`."""

    def __init__(self, process: subprocess.Popen[str], output: IO[str]) -> None:
        self._process, self._output = process, output
        self._seen = psutil.Process(process.pid)

    def line(self) -> str:
        """Read the next line; raises RuntimeError if the process has ended instead."""
        line = self._output.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended, expected another line of it")
        return line

    def ports(self) -> list[int]:
        """Read the ports out of the next line."""
        return [int(port) for port in re.findall(r":(\d+)", self.line())]

    def answer(self) -> Any:
        """Read the next line as JSON."""
        return json.loads(self.line())

    def cpu_seconds(self) -> float:
        """User and system time that the process has used so far, all threads that still run."""
        try:
            tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
            return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
        except OSError:  # not everywhere; there in steps of 10 ms
            times = self._seen.cpu_times()
            return times.user + times.system

    def resident_mb(self) -> float:
        """The resident memory that the process has now, in MB."""
        return float(self._seen.memory_info().rss) / 1e6

    def peak_mb(self) -> float:
        """The most resident memory that the process has had, in MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1000 if found else self._seen.memory_info().rss / 1e6


@contextmanager
def running(module: str, *arguments: str) -> Iterator[Child]:
    """Run `python -m module` until the block ends."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
    assert process.stdout is not None
    try:
        yield Child(process, process.stdout)
    finally:
        process.kill()  # a naive server would wait for its viewers, and nothing is kept in any
        process.wait()
        process.stdout.close()


@contextmanager
def gateway(url: str) -> Iterator[tuple[Child, int]]:
    """Run the real gateway as users do; gives its process and port."""
    with running("runtail", "gateway", "--redis-url", url, "--port", "0") as child:
        yield child, child.ports()[0]


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[tuple[Child, list[int]]]:
    """Run a contender that first prints the addresses it listens on."""
    with running(module, *arguments) as child:
        yield child, child.ports()
